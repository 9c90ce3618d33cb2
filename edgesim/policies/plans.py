"""Plans that several policies share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgesim.outcomes.path import Path
from edgesim.policies.steps import Answer, Exit, Run, Send, Step, When

if TYPE_CHECKING:
    from edgesim.policies.base import ModelShape


def to_exit(shape: ModelShape, index: int) -> tuple[Step, ...]:
    """Run up to one exit and answer there."""
    return (Run(shape.exits[index]), Exit(index), Answer(index))


def to_the_end(shape: ModelShape) -> tuple[Step, ...]:
    """Run all that is left and answer with the last exit."""
    return to_exit(shape, len(shape.exits) - 1)


def answer_at_each(shape: ModelShape, start: int, stop: int) -> tuple[Step, ...]:
    """Answer at every exit behind block ``start``, up to block ``stop``; the plan goes on after each answer."""
    steps: list[Step] = []
    for index, after in enumerate(shape.exits):
        if start < after <= stop:
            steps += to_exit(shape, index)
    return tuple(steps)


def leave_when_sure(shape: ModelShape, start: int, stop: int, whens: Sequence[When]) -> tuple[Step, ...]:
    """Leave at the first exit behind block ``start``, up to block ``stop``, that is sure; the last exit always answers.

    whens: a condition for each exit but the last.
    """
    steps: list[Step] = []
    for index, after in enumerate(shape.exits):
        if start < after <= stop:
            when = whens[index] if index < len(whens) else None
            steps += [Run(after), Exit(index), Answer(index, when)]
    return tuple(steps)


def send_at(shape: ModelShape, cut: int, codec: str, server: str, server_model: str) -> tuple[Step, ...]:
    """Run up to a cut and send what crosses there; the image at cut 0, for ``server_model`` to start anew."""
    if cut == 0:
        return (Send(server, codec, "image", server_model),)
    return (Run(cut), Send(server, codec))


def path_of(cut: int, codec: str, num_blocks: int) -> tuple[Path, ...]:
    """The path that sending at ``cut`` declares; none where nothing is sent."""
    return () if cut == num_blocks else (((cut, codec),),)
