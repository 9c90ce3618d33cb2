"""A rate that never changes."""

from __future__ import annotations

import math

from edgesim.errors import InputError


class ConstantRate:
    """``rate_bps`` for ever; at rate 0 no transfer ends (finish is inf).

    >>> ConstantRate(8e6).finish(2.0, 4e6)
    2.5
    """

    __slots__ = ("rate_bps",)
    origin_s = 0.0
    span_s = 60.0

    def __init__(self, rate_bps: float):
        if not 0 <= rate_bps < math.inf:
            raise InputError(f"a rate must be finite and not negative, found {rate_bps} b/s")
        self.rate_bps = rate_bps

    def rate(self, time_s: float) -> float:
        return self.rate_bps

    def integral(self, start_s: float, stop_s: float) -> float:
        return self.rate_bps * (stop_s - start_s)

    def finish(self, start_s: float, bits: float) -> float:
        if bits <= 0:
            return start_s
        return start_s + bits / self.rate_bps if self.rate_bps else math.inf

    def chunk(self, k: int) -> tuple[list[float], list[float]]:
        return [k * self.span_s, (k + 1) * self.span_s], [self.rate_bps]
