"""What radio links must agree on with the rest of a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.document import Key
from edgesim.scenario.problems import Problem, not_among
from edgesim.scenario.radio import RadioRate
from edgesim.scenario.rates import Rate, SeasonalRate
from edgesim.scenario.scenario import Scenario

SHARED = ("path_loss", "sites", "mobility", "carrier_ghz", "shadowing", "handover", "measurement_ms")
"""What up and down have in common: where the device is, what it sees, and who serves it."""


def check_radio(scenario: Scenario) -> Iterator[Problem]:
    """Servers near base stations exist; both directions of a link mean one device in one place."""
    for name, link in scenario.links.items():
        up, down = _radio(link.up, ("links", name, "up")), _radio(link.down, ("links", name, "down"))
        for found in (up, down):
            if found is not None:
                yield from _servers(*found, scenario)
        if up is not None and down is not None:
            for key in SHARED:
                if getattr(up[0], key) != getattr(down[0], key):
                    yield Problem((*down[1], key), f"found another {key} than in up, allowed: the same")


def _radio(rate: Rate, key: Key) -> tuple[RadioRate, Key] | None:
    """The radio that is a rate, or that a season is laid over."""
    if isinstance(rate, SeasonalRate):
        return _radio(rate.of, (*key, "of"))
    return (rate, key) if isinstance(rate, RadioRate) else None


def _servers(radio: RadioRate, key: Key, scenario: Scenario) -> Iterator[Problem]:
    for number, site in enumerate(radio.sites):
        if site.server is not None and site.server not in scenario.servers:
            message = not_among(site.server, scenario.servers, "a name in servers")
            yield Problem((*key, "sites", number, "server"), message)
