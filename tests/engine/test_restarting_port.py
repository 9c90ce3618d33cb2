"""Transfers that a handover breaks off."""

from math import inf

import pytest

from edgesim.engine.carried import Carried
from edgesim.engine.restarting_port import RestartingPort
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.network.constant import ConstantRate
from edgesim.network.transport import Transport

CHANGES = (0.4, 1.1, 5.0)


def sent(changes=CHANGES, nbytes=1000):
    """(start, finish, seconds on the air) of a message of a second over handovers, and what the link counted."""

    def next_change(after_s, until_s):
        return next((change for change in changes if after_s < change <= until_s), inf)

    found = []
    port = RestartingPort(next_change, SimpyClock(), ConstantRate(8000.0), Transport("none", 0.01), Carried(100.0))
    port.send("message", nbytes, lambda *told: found.append((told[2], told[3], told[6])))
    return found[0], port.carried


def test_a_message_begins_anew_at_each_handover():
    (start, finish, air_s), carried = sent()
    assert (start, finish, air_s) == (0.0, pytest.approx(2.1), pytest.approx(2.1))
    assert (carried.bytes, carried.delivered_bytes, carried.wire_bytes) == (1000, 1000, 400 + 700 + 1000)


def test_without_handovers_it_is_a_plain_link():
    (start, finish, _), carried = sent(())
    assert (start, finish, carried.wire_bytes) == (0.0, pytest.approx(1.0), 1000)


def test_a_handover_at_the_last_bit_is_too_late():
    assert sent((1.0,))[0][1] == pytest.approx(1.0)
