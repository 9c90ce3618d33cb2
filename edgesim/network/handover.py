"""Which base station serves a moving device: handover by signal strength, 3GPP's event A3.

A neighbour takes over once its signal has been above that of the serving station by the hysteresis at every measurement
for the time to trigger (TS 38.331, section 5.5.4.4, offsets 0); of several the strongest.  Then nothing flows for the
interruption.  Simpler than reality: measurements are exact, every handover succeeds, none is decided by load, and one
may follow while another is still under way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

LONG_AGO = -(2**62)
"""The sample of the first attachment, which takes no time."""


@dataclass(frozen=True)
class Handover:
    """hysteresis_db: how much stronger a neighbour must be; time_to_trigger_s: for how long; interruption_s: the time
    without any rate."""

    hysteresis_db: float
    time_to_trigger_s: float
    interruption_s: float

    def samples(self, sample_s: float) -> int:
        """Measurements in a row at which a neighbour must be stronger."""
        return 1 + math.ceil(self.time_to_trigger_s / sample_s - 1e-9)


class Change(NamedTuple):
    """From this sample of the run on, this site serves."""

    sample: int
    site: int


class Attachment(NamedTuple):
    """The serving site, and for how many samples in a row each site has been stronger than it by the hysteresis."""

    site: int
    runs: np.ndarray


def changes(
    signal_db: np.ndarray, attachment: Attachment, hysteresis_db: float, needed: int
) -> tuple[list[Change], Attachment]:
    """Every change along (samples, sites) signals, counted from the first of them, and what follows is to know."""
    site, runs = attachment
    found, since = list[Change](), 0
    while since < len(signal_db):
        rest_db = signal_db[since:]
        running = _in_a_row(rest_db > rest_db[:, [site]] + hysteresis_db, runs)
        ripe = running >= needed
        first = int(ripe.any(axis=1).argmax())
        if not ripe[first].any():
            return found, Attachment(site, running[-1].copy())
        site = int(np.where(ripe[first], rest_db[first], -np.inf).argmax())
        runs = np.zeros_like(runs)
        found.append(Change(since + first, site))
        since += first + 1
    return found, Attachment(site, runs)


def _in_a_row(better: np.ndarray, before: np.ndarray) -> np.ndarray:
    """How many samples in a row up to each one are better, those ``before`` the first included."""
    number = np.arange(1, len(better) + 1)[:, None]
    broken = np.maximum.accumulate(np.where(better, 0, number), axis=0)
    return number - broken + np.where(broken, 0, before)
