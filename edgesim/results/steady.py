"""Whether a scenario's world is stationary: whether a long run of it comes to look the same at any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STEADY_ARRIVALS = ("periodic", "poisson", "mmpp")
STEADY_RATES = ("constant", "ar1", "markov", "gilbert_elliott", "random_walk")
STEADY_LOADS = ("constant", "on_off")


def is_steady(scenario: Mapping[str, Any]) -> bool:
    """Whether nothing in a resolved scenario depends on the time of the run.

    Traces, seasons, steps, devices that move, batteries and events at a given time do.  A policy of a user's own may
    learn, which cannot be seen from here.
    """
    return not any(_unsteady(scenario))


def _unsteady(scenario: Mapping[str, Any]) -> Iterator[str]:
    for name, device in scenario["devices"].items():
        if (device.get("arrivals") or {}).get("process") not in STEADY_ARRIVALS:
            yield f"devices.{name}.arrivals"
        if device.get("battery") is not None:
            yield f"devices.{name}.battery"
    for room in ("devices", "servers"):
        for name, node in scenario.get(room, {}).items():
            load = (node.get("processor") or {}).get("load")
            if load is not None and load["process"] not in STEADY_LOADS:
                yield f"{room}.{name}.processor.load"
    for name, link in scenario.get("links", {}).items():
        yield from (f"links.{name}.{side}" for side in ("up", "down") if link[side]["process"] not in STEADY_RATES)
    yield from (f"events.{name}" for name, event in scenario.get("events", {}).items() if event["at_s"] is not None)
