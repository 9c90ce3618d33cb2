"""Events, connections, fallbacks and tiers in a scenario: one located error for each mistake."""

from __future__ import annotations

import re

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import build_scenario

LINK = {
    "up": {"process": "constant", "rate_mbps": 5},
    "down": {"process": "constant", "rate_mbps": 5},
    "delay_ms": 1,
    "prior_mbps": 5,
}
TIERS = {"type": "tiers", "cuts": [1, 2], "servers": ["edge", "cloud"]}
DOWN = {"what": "down", "node": "edge", "at_s": 1}


def scenario(**changes):
    data = {
        "name": "small",
        "duration_s": 10,
        "models": {"fashion": {"source": "zoo", "name": "fashion_vit"}},
        "devices": {
            "cam": {"count": 2, "link": "l", "server": "edge", "arrivals": {"process": "poisson", "rate_hz": 1}}
        },
        "links": {"l": LINK, "cell": {**LINK, "sharing": "cell"}, "shaky": {**LINK, "jitter_ms": 1}},
        "servers": {"edge": {"count": 2}, "cloud": {}},
        "connections": {"back": {"between": ["edge", "cloud"], "link": "l"}},
        "policies": {"p": TIERS},
    }
    return build_scenario({**data, **changes})


IMPRECISE = {
    "devices": {
        "cam": {
            "link": "l",
            "server": "edge",
            "arrivals": {"process": "poisson", "rate_hz": 1},
            "deadline": {"distribution": "fixed", "ms": 50, "known": "exact"},
        }
    },
    "servers": {"edge": {"queue": {"order": "edf"}, "scheduler": {"type": "imprecise"}}, "cloud": {}},
}
CASES = [
    ({"events": {"e": {**DOWN, "node": "egde"}}}, "events.e.node", "found 'egde'|did you mean 'edge'?"),
    ({"events": {"e": {**DOWN, "node": "edge-2"}}}, "events.e.node", "found 'edge-2'|NAME-NUMBER"),
    ({"events": {"e": {**DOWN, "node": "cloud-0"}}}, "events.e.node", "found 'cloud-0'"),
    ({"events": {"e": {**DOWN, "at_s": -1}}}, "events.e.at_s", "found -1|at least 0"),
    ({"events": {"e": {**DOWN, "for_s": 0}}}, "events.e.for_s", "found 0|above 0"),
    ({"events": {"e": {**DOWN, "gap_ms": 5}}}, "events.e", "found at_s beside gap_ms"),
    ({"events": {"e": {"what": "down", "node": "edge"}}}, "events.e", "missing at_s, or gap_ms and length_ms"),
    ({"events": {"e": {"what": "down", "node": "edge", "gap_ms": 5}}}, "events.e", "missing at_s"),
    ({"events": {"e": {"what": "down", "node": "edge", "gap_ms": 0, "length_ms": 1}}}, "events.e", "found 0 as gap_ms"),
    ({"events": {"e": {"what": "dwon", "node": "edge", "at_s": 1}}}, "events.e.what", "did you mean 'down'?"),
    ({"events": {"e": {"what": "link", "link": "wifi", "at_s": 1}}}, "events.e.link", "found 'wifi'|a name in links"),
    ({"events": {"e": {"what": "slow", "node": "edge", "at_s": 1, "factor": 0}}}, "events.e.factor", "found 0|above 0"),
    ({"events": {"e": {"what": "arrivals", "devices": "edge", "at_s": 1, "factor": 2}}}, "events.e.devices", "'edge'"),
    ({"events": {"e": {"what": "reports", "server": "edge", "at_s": 1, "probability": 2}}}, "events.e.probability", ""),
    ({"connections": {"b": {"between": ["edge"], "link": "l"}}}, "connections.b.between", "found"),
    ({"connections": {"b": {"between": ["edge", "edge"], "link": "l"}}}, "connections.b.between", "'edge' twice"),
    ({"connections": {"b": {"between": ["edge", "x"], "link": "l"}}}, "connections.b.between.1", "a name in servers"),
    ({"connections": {"b": {"between": ["edge", "cloud"], "link": "x"}}}, "connections.b.link", "a name in links"),
    ({"connections": {"b": {"between": ["edge", "cloud"], "link": "cell"}}}, "connections.b.link", "sharing fifo"),
    ({"connections": {"b": {"between": ["edge", "cloud"], "link": "shaky"}}}, "connections.b.link", "without jitter"),
    ({"policies": {"p": {**TIERS, "servers": ["edge", "x"]}}}, "policies.p.servers.1", "a name in servers"),
    ({"policies": {"p": {**TIERS, "servers": ["edge"]}}}, "policies.p", "found 1 servers for 2 cuts"),
    ({"policies": {"p": {**TIERS, "cuts": [2, 1]}}}, "policies.p", "cuts that rise strictly"),
    ({"policies": {"p": {**TIERS, "cuts": [1, 99]}}}, "policies.p.cuts.1", "found 99"),
    (IMPRECISE, "policies.p.servers.0", "found edge, whose scheduler imprecise does not send on|at the end"),
    ({"servers": {"edge": {"report_every_ms": 0}, "cloud": {}}}, "servers.edge.report_every_ms", "found 0|above 0"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words"), CASES, ids=[f"{key}-{words}" for _, key, words in CASES])
def test_the_error_says_what_to_mend(changes, key, words):
    with pytest.raises(InputError) as error:
        found = scenario(**changes)
        from edgesim.studies.load import load_assets

        load_assets(found, decisions={})
    (line,) = str(error.value).splitlines()
    assert re.match(rf"scenario: {re.escape(key)}: ", line), line
    assert all(word in line for word in words.split("|")), line


def test_what_is_right_passes():
    scenario(
        events={
            "e": DOWN,
            "f": {**DOWN, "node": "edge-1"},
            "g": {**DOWN, "node": "cam-1"},
            "h": {**DOWN, "node": "cam"},
        }
    )
