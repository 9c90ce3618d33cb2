"""Rates that events multiply."""

from itertools import count
from math import inf

import pytest

from edgesim.events.factored import FactoredRate
from edgesim.events.windows import Windows
from edgesim.network.constant import ConstantRate


def blinking():
    """Half of the time, for ever."""
    return Windows((float(start), start + 0.5) for start in count(1))


def test_what_has_stopped_for_good_never_ends_whatever_else_goes_on():
    rate = FactoredRate(ConstantRate(1.0), [(Windows(iter([(2.0, inf)])), 0.0), (blinking(), 0.0)])
    assert rate.finish(0.0, 1.4) == pytest.approx(1.9)
    assert rate.finish(0.0, 1.6) == inf


def test_what_stops_again_and_again_ends():
    assert FactoredRate(ConstantRate(1.0), [(blinking(), 0.0)]).finish(0.0, 10.0) == pytest.approx(19.0)
