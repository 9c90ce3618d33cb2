"""What a radio spends beside its transfers: the promotion that wakes it, and the tail in which it stays awake."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from edgesim.network.radio_power import Radio


class Draw(NamedTuple):
    """``watts`` from ``start_s`` to ``stop_s``; negative: so much less than was told before."""

    start_s: float
    stop_s: float
    watts: float

    def within(self, start_s: float, stop_s: float) -> Draw:
        """The part between two times; it may be empty."""
        first_s = max(self.start_s, start_s)
        return Draw(first_s, max(min(self.stop_s, stop_s), first_s), self.watts)

    @property
    def joules(self) -> float:
        return self.watts * (self.stop_s - self.start_s) if self.stop_s > self.start_s else 0.0


class RadioTail:
    """The radio of one device: idle, awake by a transfer, in the tail.

    A transfer that begins when the radio is idle wakes it: ``promotion_w`` for ``promotion_s`` from then on, beside
    the transfer.  When the last transfer under way ends, the tail begins: ``tail_w`` for ``tail_s``, or until the next
    transfer begins, so that tail and transfers never overlap; transfers that overlap each other count as one.  Huang
    et al. (MobiSys 2012) have the same states; simpler than theirs, the promotion costs energy but delays nothing, and
    the phases of discontinuous reception are one mean tail power.

    A state machine without a clock: the caller tells the time, ``now_s``, which must not go back.  Transfers are told
    ahead, in any order, but none that began before now.  What a telling changes is returned as draws from now on, for
    a ``Battery``; the energy counts what lies within ``window_s``.
    """

    __slots__ = ("_active", "_begun", "_events", "_quiet_s", "_radio", "_settled_j", "_window_s")

    def __init__(self, radio: Radio, window_s: tuple[float, float] = (0.0, math.inf)):
        self._radio = radio
        self._window_s = window_s
        self._active = 0
        self._quiet_s = -math.inf  # when the last transfer ended, where none is under way
        self._events: list[tuple[float, int]] = []  # later than now: (when, -1 for a start and 1 for a stop)
        self._begun: list[Draw] = []  # draws whose end is known and may lie ahead
        self._settled_j = 0.0

    def transfer(self, now_s: float, start_s: float, stop_s: float) -> list[Draw]:
        """A transfer will be under way between the two times; ``stop_s`` is inf as long as nobody knows its end."""
        before = self._draws_from(now_s)
        insort(self._events, (start_s, -1))
        insort(self._events, (stop_s, 1))
        return self._changes(before, now_s)

    def cut(self, now_s: float, start_s: float, stop_s: float) -> list[Draw]:
        """A transfer that was told so, and has not ended, ends now, or never begins where its start lies ahead."""
        before = self._draws_from(now_s)
        self._events.remove((stop_s, 1))
        if start_s > now_s:
            self._events.remove((start_s, -1))
        else:
            insort(self._events, (now_s, 1))
        return self._changes(before, now_s)

    def off(self, now_s: float) -> list[Draw]:
        """The device loses its power: transfers, promotion and tail end, and all that was told ahead is forgotten."""
        before = self._draws_from(now_s)
        self._begun = [draw.within(-math.inf, now_s) for draw in (*self._begun, self._tail(now_s))]
        self._active, self._quiet_s = 0, -math.inf
        self._events.clear()
        return self._changes(before, now_s)

    def energy_j(self, now_s: float) -> float:
        """J of promotions and tails up to now, within the window; none of the transfers."""
        self._advance(now_s)
        draws = (*self._begun, self._tail(now_s))
        return self._settled_j + sum(self._counted_j(draw.within(-math.inf, now_s)) for draw in draws)

    def _draws_from(self, now_s: float) -> Counter[Draw]:
        """What is known now of the time from now on."""
        self._advance(now_s)
        return self._known(now_s)

    def _changes(self, before: Counter[Draw], now_s: float) -> list[Draw]:
        after = self._known(now_s)
        less = [Draw(start_s, stop_s, -watts) for start_s, stop_s, watts in (before - after).elements()]
        return less + list((after - before).elements())

    def _known(self, now_s: float) -> Counter[Draw]:
        draws = (draw.within(now_s, math.inf) for draw in (*self._begun, *self._ahead()))
        return Counter(draw for draw in draws if draw.joules)

    def _ahead(self) -> Iterator[Draw]:
        """The draws that follow from the events to come, and the tail that no event will end."""
        active, quiet_s = self._active, self._quiet_s
        for time_s, change in self._events:
            if change < 0 and not active:
                yield from self._wake(quiet_s, time_s)
            active -= change
            if not active:
                quiet_s = time_s
        if not active:
            yield self._tail_until(quiet_s, math.inf)

    def _wake(self, quiet_s: float, time_s: float) -> Iterator[Draw]:
        """A transfer begins at ``time_s`` after none since ``quiet_s``."""
        yield self._tail_until(quiet_s, time_s)
        if time_s > quiet_s + self._radio.tail_s:
            yield Draw(time_s, time_s + self._radio.promotion_s, self._radio.promotion_w)

    def _tail_until(self, quiet_s: float, time_s: float) -> Draw:
        return Draw(quiet_s, min(quiet_s + self._radio.tail_s, time_s), self._radio.tail_w)

    def _tail(self, now_s: float) -> Draw:
        """The tail under way, if any."""
        return Draw(now_s, now_s, 0.0) if self._active else self._tail_until(self._quiet_s, math.inf)

    def _advance(self, now_s: float) -> None:
        """Live through the events up to now."""
        passed = 0
        for time_s, change in self._events:
            if time_s > now_s:
                break
            if change < 0 and not self._active:
                self._begun += self._wake(self._quiet_s, time_s)
            self._active -= change
            if not self._active:
                self._quiet_s = time_s
            passed += 1
        del self._events[:passed]
        self._settled_j += sum(self._counted_j(draw) for draw in self._begun if draw.stop_s <= now_s)
        self._begun = [draw for draw in self._begun if draw.stop_s > now_s]

    def _counted_j(self, draw: Draw) -> float:
        return draw.within(*self._window_s).joules
