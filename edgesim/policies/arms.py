"""Arms: every way of giving a request one answer, for policies that choose among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edgesim.codecs.names import fits
from edgesim.outcomes.path import Path
from edgesim.policies.base import ModelShape
from edgesim.policies.plans import send_at, to_exit
from edgesim.policies.steps import Step


@dataclass(frozen=True, slots=True)
class Arm:
    """One answer: of exit ``exit`` of ``model``, behind ``path`` (empty: on the device)."""

    model: str
    path: Path
    exit: int


def cuts_and_codecs(shape: ModelShape, codecs: Iterable[str]) -> list[tuple[int, str]]:
    """Every cut that sends something, with each codec that fits it."""
    cuts = range(shape.num_blocks)
    return sorted((cut, codec) for codec in codecs for cut in cuts if fits(codec, cut, shape.cuts[cut]))


def arm_paths(shape: ModelShape, codecs: Iterable[str], start_model: str, server_model: str) -> list[Path]:
    """The paths of ``shape`` that arms may take: states of the device's model, images for the server's."""
    senders = {True: server_model, False: start_model}
    pairs = cuts_and_codecs(shape, codecs)
    return [((cut, codec),) for cut, codec in pairs if senders[cut == 0] == shape.name]


def all_arms(
    shapes: Mapping[str, ModelShape], paths: Mapping[str, Iterable[Path]], start_model: str, server_model: str
) -> list[Arm]:
    """Local exits first, then every path with every exit at or behind its cut that the server can give.

    paths: by model; those that these two models cannot take between them are passed over.
    """
    arms = [Arm(start_model, (), index) for index in range(len(shapes[start_model].exits))]
    for name in dict.fromkeys((start_model, server_model)):
        exits = shapes[name].exits
        for ((cut, codec),) in sorted(path for path in paths[name] if len(path) == 1):
            if name == (start_model if cut else server_model):
                arms += [Arm(name, ((cut, codec),), index) for index, after in enumerate(exits) if after >= cut]
    return arms


def device_steps(arm: Arm, shapes: dict[str, ModelShape], server: str, start_model: str) -> Sequence[Step]:
    """What the device does for this arm."""
    shape = shapes[start_model]
    if not arm.path:
        return to_exit(shape, arm.exit)
    cut, codec = arm.path[-1]
    return send_at(shape, cut, codec, server, arm.model)


def server_steps(arm: Arm, shapes: dict[str, ModelShape]) -> Sequence[Step]:
    """What the server does for this arm; nothing for a local one."""
    return to_exit(shapes[arm.model], arm.exit) if arm.path else ()
