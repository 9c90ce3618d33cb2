"""How a metric of docs/metrics.md is called and written for people: friendly units, a sensible number of digits."""

from __future__ import annotations

from typing import NamedTuple

from edgesim.results.measure import ACCURACY, ERROR

SHARES = ("exit:", "cut:", "end:", "reason:")
"""How quantities begin that are shares of requests."""


class Unit(NamedTuple):
    """A value is shown times ``factor`` with so many ``digits``; a difference has a unit of its own (points of %)."""

    factor: float
    digits: int
    value: str
    difference: str

    def text(self, value: float, digits: int | None = None) -> str:
        """The number alone."""
        return f"{self.factor * value:.{self.digits if digits is None else digits}f}"


PERCENT = Unit(100.0, 1, " %", " points")
ENDINGS = {
    "_accuracy": PERCENT,
    "_ratio": PERCENT,
    "_share": PERCENT,
    "utilisation": PERCENT,
    "_s": Unit(1e3, 1, " ms", " ms"),
    "_j": Unit(1e3, 1, " mJ", " mJ"),
    "_hz": Unit(1.0, 2, " a second", " a second"),
    "bytes_up": Unit(1e-3, 2, " kB", " kB"),
    "bytes_down": Unit(1e-3, 2, " kB", " kB"),
    "_bytes": Unit(1e-3, 2, " kB", " kB"),
}
PLAIN = Unit(1.0, 3, "", "")


def unit_of(quantity: str) -> Unit:
    """The unit that people read a quantity in."""
    if quantity.startswith(SHARES):
        return PERCENT
    return next((unit for ending, unit in ENDINGS.items() if quantity.endswith(ending)), PLAIN)


def quantity_in_words(quantity: str) -> str:
    """``on-time accuracy``, ``latency p95``, ``miss ratio``; what has no words of its own keeps its name."""
    if quantity in (ACCURACY.key, ERROR.key):
        return ACCURACY.name if quantity == ACCURACY.key else ERROR.name
    if ":" in quantity:
        return quantity
    for ending in ("_s", "_j", "_hz"):
        quantity = quantity.removesuffix(ending)
    return quantity.replace("_", " ")
