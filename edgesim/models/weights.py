"""Weights in safetensors files: their digest, and loading them with checks."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn


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
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except SafetensorError as error:
        raise InputError(f"{path}: not a safetensors file, or damaged: {error}") from None
    fit_weights(model, tensors, path)


def fit_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """``load_state_dict`` with an InputError that names ``source`` and the first tensors that do not fit."""
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [f"{name} is not part of the model" for name in found if name not in expected]
    wrong += [
        f"{name} has shape {found[name]} instead of {shape}"
        for name, shape in expected.items()
        if found.get(name, shape) != shape
    ]
    if wrong:
        more = f", and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise InputError(f"{source}: these weights are not this model's: {', '.join(wrong[:3])}{more}")
    model.load_state_dict(dict(tensors))
