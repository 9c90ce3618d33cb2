"""What both families of Evo-ViT share: slow-fast token evolution with every piece of its memory in the state.

Inside a stage a state holds

    tokens          (B, 1 + kept, D)    class token and the informative patch tokens, which the blocks update
    placeholders    (B, N - kept, D)    the other patch tokens, as they were at the start of the stage
    class_attn      (B, N)              how much the class token attends to each patch token, a moving average
    order           (B, N)              the place in the image of each patch token, informative ones first

Outside a stage ``tokens`` are all of them; ``order`` is there once a stage has changed it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edgesim.models.backbones.base import State
from edgesim.models.state import TensorSpec


def kept_tokens(count: int, keep: float) -> int:
    """How many of ``count`` patch tokens stay informative, one at least.  Raises ValueError for no share."""
    if not 0 < keep <= 1:
        raise ValueError(f"keep is a share of the tokens, above 0 and at most 1, found {keep}")
    return max(1, int(count * keep))


def order_dtype(count: int) -> str:
    """The smallest type that holds the places of ``count`` tokens."""
    return "uint8" if count <= 2**8 else "int16" if count <= 2**15 else "int32"


def take(values: Tensor, places: Tensor) -> Tensor:
    """Per sample, the rows of ``values`` (B, N, ...) that ``places`` (B, M) names: (B, M, ...)."""
    samples = torch.arange(values.shape[0], device=values.device)[:, None]
    return values[samples, places.long()]


def in_image_order(values: Tensor, order: Tensor | None) -> Tensor:
    """Undo ``order``: (B, N, ...) with the values of the patch tokens where they are in the image."""
    return values if order is None else take(values, order.argsort(1))


def average(class_attn: Tensor, fresh: Tensor, tradeoff: float | Tensor) -> Tensor:
    """A step of the moving average for the first tokens, as many as ``fresh`` has; the others keep their value."""
    kept = fresh.shape[1]
    return torch.cat([torch.lerp(class_attn[:, :kept], fresh, tradeoff), class_attn[:, kept:]], 1)


def select(state: State, kept: int) -> State:
    """Start a stage: all patch tokens compete, ``kept`` of them become informative; ties go to the first."""
    tokens, class_attn = state["tokens"], state["class_attn"]
    ranks = class_attn.argsort(dim=1, descending=True, stable=True)
    patches = take(tokens[:, 1:], ranks)
    count = ranks.shape[1]
    order = take(state["order"], ranks) if "order" in state else ranks.to(getattr(torch, order_dtype(count)))
    return {
        "tokens": torch.cat([tokens[:, :1], patches[:, :kept]], 1),
        "placeholders": patches[:, kept:].contiguous(),
        "class_attn": take(class_attn, ranks),
        "order": order,
    }


def stage_spec(count: int, kept: int, width: int, has_order: bool) -> tuple[TensorSpec, ...]:
    """What a state of ``count`` patch tokens holds of the above; outside a stage all of them are kept."""
    specs = [TensorSpec("tokens", (1 + kept, width)), TensorSpec("class_attn", (count,))]
    if has_order:
        specs.append(TensorSpec("order", (count,), order_dtype(count), "index"))
    if kept < count:
        specs.append(TensorSpec("placeholders", (count - kept, width)))
    return tuple(specs)
