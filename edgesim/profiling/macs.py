"""Counts that need no clock: multiply-accumulates, parameters, live bytes, and the digest of a structure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from weakref import finalize

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:  # so that this file runs where nothing but torch is installed
    from edgesim.models.backbones.base import Backbone, State
    from edgesim.models.multi_exit import MultiExit


def count_macs(run: Callable[[], object]) -> int:
    """Multiply-accumulates of matrix products, convolutions and attention in ``run()`` (half of torch's FLOPs).

    Normalisation, activations and additions do not count, as in published tables.
    """
    # Fused attention is an operator of each backend, which not every version of torch can count.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() // 2


def block_macs(backbone: Backbone) -> tuple[int, ...]:
    """Of each block, for one image."""
    counts: list[int] = []
    value: Tensor | State = one_image(backbone)
    for index in range(backbone.num_blocks):
        counts.append(count_macs(lambda value=value, index=index: backbone.run(value, index, index + 1)))  # type: ignore[misc]
        with torch.no_grad():
            value = backbone.run(value, index, index + 1)
    return tuple(counts)


def head_macs(backbone: Backbone) -> int:
    with torch.no_grad():
        state = backbone.run(one_image(backbone), 0, backbone.num_blocks)
    return count_macs(lambda: backbone.head(state))  # type: ignore[arg-type]


def branch_macs(model: MultiExit) -> tuple[int, ...]:
    """Of each exit's branch, for one image; the last one is the backbone's head."""
    counts: list[int] = []
    value: Tensor | State = one_image(model.backbone)
    start = 0
    for index, after in enumerate(model.exits):
        with torch.no_grad():
            value = model.run(value, start, after)
        counts.append(count_macs(lambda value=value, index=index: model.exit(value, index)))  # type: ignore[misc]
        start = after
    return tuple(counts)


def one_image(backbone: Backbone) -> Tensor:
    """A blank image, (1, C, H, W)."""
    return torch.zeros(1, *backbone.input_size)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def structure_hash(backbone: Backbone) -> str:
    """A digest of the backbone's class, cuts, and names, shapes and dtypes of its tensors, not of their values."""
    lines = [type(backbone).__name__]
    lines += [repr(backbone.cut_spec(cut)) for cut in range(backbone.num_blocks + 1)]
    lines += [f"{name} {tuple(value.shape)} {value.dtype}" for name, value in backbone.state_dict().items()]
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


class LiveBytes(TorchDispatchMode):
    """Follows the bytes of the tensors that operators make inside it, besides views of ``there_before``.

    ``peak`` is the largest sum at one time.
    """

    def __init__(self, there_before: Iterable[Tensor]) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known = {value.untyped_storage().data_ptr() for value in there_before}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor):
                self._follow(value.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        address = storage.data_ptr()
        if address and address not in self._known:
            self._known.add(address)
            self.live += storage.nbytes()
            self.peak = max(self.peak, self.live)
            finalize(storage, self._forget, address, storage.nbytes())

    def _forget(self, address: int, size: int) -> None:
        self._known.discard(address)
        self.live -= size


def peak_bytes(model: MultiExit) -> int:
    """Weights and buffers, and the largest set of live tensors of a pass at batch 1, without operators' workspace."""
    held = [*model.parameters(), *model.buffers(), one_image(model.backbone)]
    with torch.no_grad(), LiveBytes(held) as tracked:
        model(held[-1])
    return sum(value.nbytes for value in held) + tracked.peak
