"""A radio link: Shannon's rate over path loss, shadowing and fading, from whichever base station serves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from edgesim.network.channel import Channel
from edgesim.network.fading import BlockFading
from edgesim.network.rate import ChunkedRate, Stretch
from edgesim.network.shannon import ShannonRate
from edgesim.workload.random import generator

CHUNK_PIECES = 128  # or a few more
SHARED_CHUNKS = 2048  # kept for whoever meets the same links again, about 16 MB
LONGEST_S = 3600.0
"""A transfer that would take longer ends never: far from every base station the rate is next to 0, yet not 0."""


@dataclass(frozen=True)
class Grid:
    """Pieces of equal length, on each of which the rate is constant: so many a sample of the channel, so many a block
    of fading."""

    piece_s: float
    per_sample: int
    per_block: int

    @property
    def chunk_pieces(self) -> int:
        together = math.lcm(self.per_sample, self.per_block)
        return together * math.ceil(CHUNK_PIECES / together)


def grid(sample_s: float, coherence_s: float | None) -> Grid:
    """The coarsest grid whose blocks last the coherence time to within 1 %; None: the samples' own."""
    if coherence_s is None:
        return Grid(sample_s, 1, 1)
    per_sample = max(1, math.floor(sample_s / coherence_s))
    while abs(round(per_sample * coherence_s / sample_s) * sample_s / (per_sample * coherence_s) - 1) > 0.01:
        per_sample += 1
    return Grid(sample_s / per_sample, per_sample, round(per_sample * coherence_s / sample_s))


@dataclass(frozen=True)
class Budget:
    """What happens to a signal besides the channel: transmit power and antenna gains, noise, and the rate that
    follows."""

    power_dbm: float
    noise_dbm: float
    shannon: ShannonRate

    @property
    def snr_without_loss(self) -> float:
        return 10 ** ((self.power_dbm - self.noise_dbm) / 10)


class RadioRate(ChunkedRate):
    """One direction of the link of one device; its fading is keyed by (root seed, key)."""

    __slots__ = ("_budget", "_fading", "_gap", "_grid", "_key", "_root", "channel")

    def __init__(
        self,
        channel: Channel,
        budget: Budget,
        fading: BlockFading | None,
        coherence_s: float | None,
        root: int,
        *key: str | int,
    ):
        self._grid = grid(channel.law.sample_s, coherence_s)
        super().__init__(self._grid.chunk_pieces * self._grid.piece_s)
        self.channel = channel
        self._budget = budget
        self._fading = fading
        self._gap = _whole_and_rest(channel.law.handover.interruption_s, self._grid.piece_s)
        self._root = root
        self._key = key

    def _make(self, k: int) -> Stretch:
        return _stretch(self, k)

    def make(self, k: int) -> Stretch:
        """Chunk k, made anew."""
        per_sample, pieces = self._grid.per_sample, self._grid.chunk_pieces
        gain, served = self.channel.samples(k * pieces // per_sample, pieces // per_sample)
        snr = np.repeat(gain * self._budget.snr_without_loss, per_sample)
        if self._fading is not None:
            draws = generator(self._root, "fading", *self._key, k)
            snr *= np.repeat(self._fading.gains(draws, pieces // self._grid.per_block), self._grid.per_block)
        starts = [change.sample * per_sample - k * pieces for change in served]
        return self._interrupted(self._budget.shannon.rate_bps(snr), starts)

    def _interrupted(self, rates_bps: np.ndarray, starts: list[int]) -> Stretch:
        """Rate 0 from each of the pieces ``starts`` on for the length of an interruption, which may end within one."""
        whole, rest_s = self._gap
        ends = []
        for start in starts:
            end = start + whole
            rates_bps[max(start, 0) : max(end, 0)] = 0.0
            if rest_s and 0 <= end < len(rates_bps):
                ends.append(end)
        edges_s = _edges(self._grid.piece_s, len(rates_bps))
        if ends:
            cuts = np.array(ends)
            edges_s = np.insert(edges_s, cuts + 1, np.array(edges_s)[cuts] + rest_s).tolist()
            rates_bps = np.insert(rates_bps, cuts, 0.0)
        return Stretch(edges_s, rates_bps.tolist())

    def _finish_from(self, k: int, bits: float) -> float:
        last = k + math.ceil(LONGEST_S / self._span_s)
        while bits > (stretch := self._make(k)).bits[-1]:
            bits -= stretch.bits[-1]
            k += 1
            if k > last:
                return math.inf
        return self._when(stretch, self._edge(k), bits)


def _whole_and_rest(length_s: float, piece_s: float) -> tuple[int, float]:
    """A time as whole pieces and what is left of it, if more than rounding."""
    whole = math.floor(length_s / piece_s + 1e-9)
    rest_s = length_s - whole * piece_s
    return whole, rest_s if rest_s > 1e-9 * piece_s else 0.0


@lru_cache(maxsize=64)
def _edges(piece_s: float, count: int) -> list[float]:
    """One list for all chunks of all links."""
    return [i * piece_s for i in range(count + 1)]


@lru_cache(maxsize=SHARED_CHUNKS)
def _stretch(rate: RadioRate, k: int) -> Stretch:
    return rate.make(k)
