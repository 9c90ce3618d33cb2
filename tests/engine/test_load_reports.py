"""What devices hear of their servers' load: how old it is, and when it gets lost."""

import numpy as np
import pytest
from little_worlds import device, link, run, toy, world

ASKS = {"p": {"type": "little_policies:Hearing"}}


def heard(server=None, events=None, rate_hz=2.0, **changes):
    """(time of the decision, age of the report) of a run: 10 ms at the server, 1 ms each way."""
    from little_policies import Hearing

    Hearing.heard.clear()
    cam = device(link="l", server="edge", arrivals={"process": "poisson", "rate_hz": rate_hz})
    scenario = world(
        duration_s=200,
        models={"toy": toy([10])},
        devices={"cam": cam},
        links={"l": link(delay_ms=1)},
        servers={"edge": server or {}},
        events=events or {},
        policies=ASKS,
        **changes,
    )
    tables = run(scenario)
    return np.array(Hearing.heard), tables


def test_a_report_rides_on_every_answer():
    found, tables = heard()
    arrivals = tables.requests.arrival_s.to_numpy()
    quiet = (np.diff(arrivals) > 0.05) & (np.diff(arrivals, prepend=-1.0)[:-1] > 0.05)
    assert found[1:][quiet, 1] == pytest.approx(np.diff(arrivals)[quiet] - 0.011, abs=1e-6)


def test_a_server_may_report_every_so_often():
    found, tables = heard({"report_every_ms": 100})
    assert found[5:, 1].max() <= 0.1 + 0.001 + 1e-6 and found[5:, 1].mean() == pytest.approx(0.05, abs=0.01)
    down = tables.links[tables.links.direction == "down"].iloc[0]
    assert down.bytes == tables.requests.bytes_down.sum() + 8 * 1999


def test_reports_get_lost():
    lost = {"what": "reports", "server": "edge", "at_s": 50, "for_s": 100}
    found, _ = heard(events={"storm": lost})
    inside = (found[:, 0] > 60) & (found[:, 0] < 150)
    assert found[inside, 1] == pytest.approx(found[inside, 0] - found[inside, 0][0] + found[inside, 1][0], abs=1e-6)
    assert found[~inside, 1][5:].max() < 105 and np.median(found[~inside, 1]) < 1


def test_reports_get_lost_as_often_as_said():
    lost = {"what": "reports", "server": "edge", "at_s": 0, "probability": 0.5}
    without, _ = heard(rate_hz=20.0)
    found, _ = heard(events={"storm": lost}, rate_hz=20.0)
    # every second report is missing: a gap of Exp(20/s) becomes a geometric sum with mean twice as long
    assert found[20:, 1].mean() / without[20:, 1].mean() == pytest.approx(2, abs=0.15)
