"""Weights in files and checkpoints: their digest, and loading them with checks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from edgesim.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from edgesim.models.backbones.base import Backbone

    AnyBackbone = TypeVar("AnyBackbone", bound=Backbone)

SHOWN = 3


def weights_hash(path: Path) -> str:
    """A digest of a weight file.  Raises InputError where there is no such file."""
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def load_weights(model: nn.Module, path: Path) -> None:
    """Put the tensors of a safetensors file into ``model``; names and shapes must match exactly.

    Raises InputError naming the file where it is missing, corrupt or of another model.
    """
    fit_weights(model, read_safetensors(path), path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.  Raises InputError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file, or damaged: {error}") from None


def read_foreign(path: Path) -> Mapping[str, Any]:
    """What somebody else's checkpoint holds: a safetensors file, or one of torch with nothing but tensors in it.

    Raises InputError for a missing or damaged file, and for a pickle of other objects, which could run any code.
    """
    import torch

    if path.suffix == ".safetensors":
        return read_safetensors(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except Exception:  # torch, zip and pickle each have their own for a file that is not what it should be
        raise InputError(
            f"{path}: refused: not a file of torch with tensors alone. A pickle of other objects could run any code; "
            "save the model's state_dict as safetensors where you trust the file"
        ) from None
    if not isinstance(found, Mapping):
        raise InputError(f"{path}: holds a {type(found).__name__}, not a mapping of names to tensors")
    return found


def export_weights(model: Backbone, path: Path, about: Mapping[str, str]) -> None:
    """Write a backbone's weights as safetensors, whole or not at all.

    about: goes into the file's metadata, with the number of classes and the input size.
    """
    from safetensors.torch import save

    channels, *size = model.input_size
    geometry = {"num_classes": model.num_classes, "in_chans": channels, "input_size": "x".join(map(str, size))}
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(model.state_dict(), {**about, **{key: str(value) for key, value in geometry.items()}}))
    partial.replace(path)


def load_released(model: AnyBackbone, state_dict: Mapping[str, Any], source: Path | str = "checkpoint") -> AnyBackbone:
    """See :func:`edgesim.models.load_released`.  source: as errors name it."""
    import torch

    while isinstance(inner := state_dict.get("model", state_dict.get("state_dict")), Mapping):
        state_dict = inner
    for name, value in state_dict.items():
        if not isinstance(value, torch.Tensor):
            raise InputError(f"{source}: {name} is no tensor")
    fit_weights(model, model.released(state_dict), source)
    return model.eval()


def fit_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: Path | str) -> None:
    """``load_state_dict`` with an InputError that names ``source`` and the first tensors that do not fit.

    Nothing is loaded where anything does not fit, or is not finite.
    """
    if wrong := list(_misfits(model, tensors)):
        raise InputError(f"{source}: these weights are not this model's: {_first(wrong)}")
    if wrong := [name for name, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()]:
        raise InputError(f"{source}: these weights hold NaN or infinity: {_first(wrong)}")
    model.load_state_dict(dict(tensors))


def _misfits(model: nn.Module, tensors: Mapping[str, Tensor]) -> Iterator[str]:
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    yield from (f"{name} is missing" for name in expected if name not in found)
    yield from (f"{name} is not part of the model" for name in found if name not in expected)
    for name, shape in expected.items():
        if found.get(name, shape) != shape:
            yield f"{name} has shape {found[name]} instead of {shape}"


def _first(names: list[str]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
