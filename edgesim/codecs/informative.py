"""What ``+informative`` leaves out of a state of Evo-ViT: the tokens that rest in its stages (Xu et al., AAAI 2022).

A state inside a stage has ``placeholders`` beside its ``tokens``, see :mod:`edgesim.models.backbones.evo`.  Needs no
torch of its own, as the sizes are counted without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from edgesim.models.state import TensorSpec

if TYPE_CHECKING:
    from torch import Tensor

RESTING = "placeholders"


def has_informative(specs: Iterable[TensorSpec]) -> bool:
    """Whether the cut with these tensors tells informative tokens from resting ones."""
    return any(spec.name == RESTING for spec in specs)


def informative(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is sent of a state inside a stage: everything but its placeholders, whose number is known.

    Evo-LeViT's representative token already stands for the placeholders.  Evo-DeiT has none, so their plain mean
    goes along as ``placeholder_mean`` (B, 1, D): the head averages all patch tokens, so that in the last stage
    the answer is the same up to rounding.  Raises ValueError for a state without placeholders.
    """
    if RESTING not in state:
        raise ValueError("the state does not tell informative tokens from others: only Evo-ViT's inside a stage do")
    sent = {name: value for name, value in state.items() if name != RESTING}
    if "representative" not in state:
        sent["placeholder_mean"] = state[RESTING].mean(1, keepdim=True)
    return sent


def informative_spec(specs: Iterable[TensorSpec]) -> tuple[TensorSpec, ...]:
    """The tensors of :func:`informative`, from those of the cut; ValueError as there."""
    found = {spec.name: spec for spec in specs}
    left = found.pop(RESTING, None)
    if left is None:
        raise ValueError("the cut does not tell informative tokens from others: only Evo-ViT's inside a stage do")
    if "representative" not in found:
        found["placeholder_mean"] = TensorSpec("placeholder_mean", (1, *left.shape[1:]), left.dtype)
    return tuple(found.values())


def complete(sent: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state for the rest of the backbone, from what :func:`informative` sent.

    Every placeholder becomes the mean of those that stayed behind, or in Evo-LeViT the representative token as it is
    at the cut, so that at the end of the stage all of them are the representative token as it is then.
    """
    filled = dict(sent)
    mean = filled.pop("placeholder_mean") if "placeholder_mean" in filled else filled["representative"]
    missing = sent["order"].shape[1] + 1 - sent["tokens"].shape[1]
    return {**filled, RESTING: mean.expand(-1, missing, -1).contiguous()}
