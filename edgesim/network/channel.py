"""The slow part of a radio channel: position, line of sight, shadowing and the serving base station.

It is sampled on a grid of its own and the same for both directions of a link.  In line of sight or not is the
spatially consistent draw of TR 38.901, section 7.6.3.3: Phi(z) < P_LOS(d) with z a standard normal that is correlated
exponentially along the way (``los_correlation_m``), so that its share at a distance is P_LOS there and who stands still
keeps it.  Shadowing is sigma y with y as in ``shadowing``; where sight is lost or won, sigma and the correlation
distance change and y goes on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

from edgesim.network.chain import KeyedChain
from edgesim.network.handover import LONG_AGO, Attachment, Change, Handover, changes
from edgesim.network.mobility import Mobility, distances_m, moved_m
from edgesim.network.path_loss import PathLoss
from edgesim.network.shadowing import correlated, correlation
from edgesim.workload.random import generator

CHUNK_SAMPLES = 512
KEPT_EVERY = 8  # states at chunk starts: a chunk takes longer to make than a state to keep

LineOfSight = Literal["drawn", "always", "never"]


@dataclass(frozen=True)
class ChannelLaw:
    """What devices of one link have in common.  sites_m: where the base stations stand; sample_s: the grid."""

    loss: PathLoss
    sites_m: tuple[tuple[float, float], ...]
    handover: Handover
    sample_s: float
    line_of_sight: LineOfSight = "drawn"
    shadowing: bool = True


class Samples(NamedTuple):
    """A chunk: the power gain (a ratio) to the serving site at each sample, and who serves: the attachment that holds
    at its start, then every change in it."""

    gain: np.ndarray
    served: list[Change]


class _State(NamedTuple):
    """What a chunk leaves to the next: z and y of each site, attachment, last change."""

    sight: np.ndarray
    shadow: np.ndarray
    attachment: Attachment | None
    last: Change


class Channel:
    """The channel of one device, keyed by (root seed, key); each site has draws of its own."""

    __slots__ = ("_chain", "_key", "_root", "_sites_m", "law", "mobility")

    def __init__(self, law: ChannelLaw, mobility: Mobility, root: int, *key: str | int):
        self.law = law
        self.mobility = mobility
        self._root = root
        self._key = key
        self._sites_m = np.array(law.sites_m)
        nothing = np.zeros(len(law.sites_m))
        self._chain = KeyedChain(_State(nothing, nothing, None, Change(LONG_AGO, 0)), self._follow, KEPT_EVERY)

    def serving(self, time_s: float) -> int:
        """The site that serves (in an interruption: that is about to), by its place in the law's sites."""
        sample = int(time_s / self.law.sample_s + 1e-6)
        served = self._chain.chunk(sample // CHUNK_SAMPLES).served
        return next(change.site for change in reversed(served) if change.sample <= sample)

    def next_change(self, time_s: float, until_s: float) -> float:
        """When the first handover after ``time_s`` begins; inf where there is none up to ``until_s`` (finite)."""
        if len(self._sites_m) == 1 or self.mobility.top_speed_mps == 0:
            return math.inf
        k = int(time_s / self.law.sample_s) // CHUNK_SAMPLES
        while k * CHUNK_SAMPLES * self.law.sample_s <= until_s:
            for change in self._chain.chunk(k).served[1:]:
                if change.sample * self.law.sample_s > time_s:
                    return found if (found := change.sample * self.law.sample_s) <= until_s else math.inf
            k += 1
        return math.inf

    def samples(self, first: int, count: int) -> Samples:
        """``count`` samples from the given one on."""
        k, last = first // CHUNK_SAMPLES, (first + count - 1) // CHUNK_SAMPLES
        gain, served = self._chain.chunk(k)
        if k != last:
            more = [self._chain.chunk(later) for later in range(k + 1, last + 1)]
            gain = np.concatenate([gain, *(each.gain for each in more)])
            served = [*served, *(change for each in more for change in each.served[1:])]
        begin = first - k * CHUNK_SAMPLES
        return Samples(gain[begin : begin + count], served)

    def _follow(self, state: _State, k: int) -> tuple[Samples, _State]:
        law, first = self.law, k * CHUNK_SAMPLES
        signal_db, sight, shadow = self._signal_db(state, k)
        attachment = state.attachment or Attachment(int(signal_db[0].argmax()), np.zeros(len(law.sites_m), dtype=int))
        needed = law.handover.samples(law.sample_s)
        begin = Change(state.last.sample, attachment.site)
        found, attachment = changes(signal_db, attachment, law.handover.hysteresis_db, needed)
        served = [begin, *(Change(first + sample, site) for sample, site in found)]
        sites = np.full(CHUNK_SAMPLES, begin.site)
        for sample, site in found:
            sites[sample:] = site
        gain = 10 ** (signal_db[np.arange(CHUNK_SAMPLES), sites] / 10)
        return Samples(gain, served), _State(sight, shadow, attachment, served[-1])

    def _signal_db(self, state: _State, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(samples, sites) gains in dB, and the last z and y."""
        law, loss = self.law, self.law.loss
        ground_m, step_m = self._way(k)
        draws = np.stack([self._draws(site, k) for site in range(len(law.sites_m))], axis=-1)
        z = correlated(state.sight, correlation(step_m, loss.los_correlation_m), draws[0])
        sees = self._sees(z, ground_m)
        (los_sigma_db, los_m), (nlos_sigma_db, nlos_m) = loss.los_shadow, loss.nlos_shadow
        y = correlated(state.shadow, correlation(step_m, np.where(sees, los_m, nlos_m)), draws[1])
        signal_db = -np.where(sees, loss.los_db(ground_m), loss.nlos_db(ground_m))
        if law.shadowing:
            signal_db -= np.where(sees, los_sigma_db, nlos_sigma_db) * y
        return signal_db, z[-1].copy(), y[-1].copy()  # a view would keep the whole

    def _way(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(samples, sites) distances on the ground, and (samples, 1) how far each sample is from the one before."""
        first = k * CHUNK_SAMPLES
        before = min(first, 1)
        points_m = self.mobility.positions(np.arange(first - before, first + CHUNK_SAMPLES) * self.law.sample_s)
        return distances_m(points_m, self._sites_m)[before:], moved_m(points_m)[before:, None]

    def _draws(self, site: int, k: int) -> np.ndarray:
        return generator(self._root, "channel", *self._key, site, k).standard_normal((2, CHUNK_SAMPLES))

    def _sees(self, z: np.ndarray, ground_m: np.ndarray) -> np.ndarray:
        if self.law.line_of_sight == "drawn":
            return ndtr(z) < self.law.loss.los_probability(ground_m)
        return np.full(z.shape, self.law.line_of_sight == "always")
