"""What queueing theory says of mean waits, and the arithmetic of transfers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import factorial


def wait_in_mg1_s(rate_hz: float, mean_s: float, cv: float) -> float:
    """Mean wait before service of one worker, first come first served, Poisson arrivals (Pollaczek and Khinchine).

    mean_s, cv: mean and coefficient of variation of the service; 1 is M/M/1, 0 is M/D/1.

    >>> round(wait_in_mg1_s(80, 0.010, 1), 9)
    0.04
    """
    load = rate_hz * mean_s
    return load * mean_s * (1 + cv**2) / 2 / (1 - load)


def wait_in_mmk_s(rate_hz: float, mean_s: float, workers: int) -> float:
    """Mean wait before exponential service of ``workers`` workers with one queue, Poisson arrivals (Erlang C).

    >>> round(wait_in_mmk_s(80, 0.010, 1), 9)
    0.04
    """
    offered = rate_hz * mean_s
    idle = workers - offered
    waiting = offered**workers / factorial(workers) * workers / idle
    someone_waits = waiting / (sum(offered**n / factorial(n) for n in range(workers)) + waiting)
    return someone_waits * mean_s / idle


def sojourn_in_processor_sharing_s(rate_hz: float, mean_s: float) -> float:
    """Mean time in an M/G/1 queue whose jobs share the server equally: the distribution does not matter.

    mean_s: mean time of a job that is alone.  Source: Kleinrock, Queueing Systems II (1976), section 4.4.

    >>> round(sojourn_in_processor_sharing_s(80, 0.010), 9)
    0.05
    """
    return mean_s / (1 - rate_hz * mean_s)


class RateInSteps:
    """A rate in steps (time in s, bit/s) that repeats after ``period_s``, by its cumulative bits."""

    def __init__(self, steps: Sequence[tuple[float, float]], period_s: float) -> None:
        self._times_s = [*(time_s for time_s, _ in steps), period_s]
        self._rates_bps = [rate_bps for _, rate_bps in steps]
        spans = (right - left for left, right in pairwise(self._times_s))
        self._bits = [0.0, *accumulate(rate * span for rate, span in zip(self._rates_bps, spans, strict=True))]

    def bits(self, time_s: float) -> float:
        """Bits that have flowed since time 0."""
        passes, rest_s = divmod(time_s, self._times_s[-1])
        step = bisect_right(self._times_s, rest_s) - 1
        return passes * self._bits[-1] + self._bits[step] + self._rates_bps[step] * (rest_s - self._times_s[step])

    def when(self, bits: float) -> float:
        """The least time by which ``bits`` > 0 have flowed: the inverse of ``bits``."""
        passes, rest = divmod(bits, self._bits[-1])
        if rest == 0:
            passes, rest = passes - 1, self._bits[-1]
        step = bisect_left(self._bits, rest) - 1
        in_pass_s = self._times_s[step] + (rest - self._bits[step]) / self._rates_bps[step]
        return passes * self._times_s[-1] + in_pass_s


def transfer_ends(rate: RateInSteps, starts_s: Sequence[float], bits: float) -> Iterator[float]:
    """When transfers of ``bits`` each end that are accepted at ``starts_s`` and sent one after the other."""
    end_s = 0.0
    for start_s in starts_s:
        end_s = rate.when(rate.bits(max(start_s, end_s)) + bits)
        yield end_s
