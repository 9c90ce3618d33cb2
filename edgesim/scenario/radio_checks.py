"""What radio links must agree on with the rest of a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.scenario.document import Key
from edgesim.scenario.problems import Problem, is_one_of, not_among
from edgesim.scenario.radio import RadioRate
from edgesim.scenario.rates import Rate, SeasonalRate, radio_of
from edgesim.scenario.scenario import Scenario

SHARED = ("path_loss", "sites", "mobility", "carrier_ghz", "shadowing", "handover", "measurement_ms")
"""What up and down have in common: where the device is, what it sees, and who serves it."""


def check_radio(scenario: Scenario) -> Iterator[Problem]:
    """Servers near base stations exist; both directions of a link mean one device in one place."""
    for name, link in scenario.links.items():
        if link.handover == "restart" and (link.sharing != "fifo" or radio_of(link.up) is None):
            message = "found restart, allowed: survive, as this is no fifo link whose rate is a radio's"
            yield Problem(("links", name, "handover"), message)
        radios = [(direction, radio) for direction in ("up", "down") if (radio := radio_of(getattr(link, direction)))]
        for direction, radio in radios:
            yield from _servers(radio, _key(getattr(link, direction), ("links", name, direction)), scenario)
            if not link.own_rates:
                message = (
                    "found cell, whose devices share one rate, with process radio, which has one for each device; "
                )
                yield Problem(("links", name, "sharing"), message + "allowed: fifo, or a discipline with own rates")
        if len(radios) == 2:
            yield from _alike(radios[0][1], radios[1][1], _key(link.down, ("links", name, "down")))


def _key(rate: Rate, key: Key) -> Key:
    """Where the radio stands that is a rate, or that a season is laid over."""
    return _key(rate.of, (*key, "of")) if isinstance(rate, SeasonalRate) else key


def _alike(up: RadioRate, down: RadioRate, key: Key) -> Iterator[Problem]:
    for name in SHARED:
        if getattr(up, name) != getattr(down, name):
            yield Problem((*key, name), f"found another {name} than in up, allowed: the same")


def _servers(radio: RadioRate, key: Key, scenario: Scenario) -> Iterator[Problem]:
    replicas = {name: server.count for name, server in scenario.servers.items()}
    for number, site in enumerate(radio.sites):
        if site.server is not None and not is_one_of(site.server, replicas):
            message = not_among(site.server, replicas, "a server, or a replica: NAME-NUMBER")
            yield Problem((*key, "sites", number, "server"), message)
