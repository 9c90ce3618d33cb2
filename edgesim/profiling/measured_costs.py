"""Costs drawn from a measured profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edgesim.codecs.names import Codec, parse
from edgesim.errors import InputError
from edgesim.profiling.fit import PieceFit, fit_pieces
from edgesim.profiling.interpolation import PiecewiseLinear
from edgesim.profiling.profile import CodecTimes, PassTimes, Profile


def _cumulative(rows_s: np.ndarray) -> np.ndarray:
    """Rows of cumulative seconds, from 0, in the order of their totals."""
    rows = np.concatenate([np.zeros((len(rows_s), 1)), rows_s.cumsum(axis=1)], axis=1)
    return rows[np.argsort(rows[:, -1], kind="stable")]


class RowTable:
    """Measured rows at every profiled batch size, in the order of their totals, so that a quantile picks a row.

    Between two profiled sizes the two rows of the same quantile are interpolated linearly in the batch size.
    """

    __slots__ = ("_lists", "_means", "batches")

    def __init__(self, rows_s: dict[int, np.ndarray]) -> None:
        tables = {batch: _cumulative(rows) for batch, rows in sorted(rows_s.items())}
        self.batches = tuple(tables)
        self._lists: dict[int, list[list[float]]] = {batch: table.tolist() for batch, table in tables.items()}
        self._means: dict[int, list[float]] = {batch: table.mean(axis=0).tolist() for batch, table in tables.items()}

    def row(self, luck: float, batch: int = 1) -> list[float]:
        """Cumulative seconds of the row at quantile ``luck``, at a profiled batch size."""
        rows = self._lists[batch]
        return rows[int(luck * len(rows))]

    def rows(self, batch: int) -> list[list[float]]:
        """Every row at a profiled batch size, as cumulative seconds."""
        return self._lists[batch]

    def steps(self, batch: int) -> list[list[float]]:
        """Every row at a profiled batch size, as seconds of each step."""
        return [np.diff(row).tolist() for row in self._lists[batch]]

    def seconds(self, luck: float, start: int, stop: int, batch: int) -> float:
        if batch in self._lists:
            row = self.row(luck, batch)
            return row[stop] - row[start]
        low, high = self._around(batch)
        below, above = self.row(luck, low), self.row(luck, high)
        share = (batch - low) / (high - low)
        return (1 - share) * (below[stop] - below[start]) + share * (above[stop] - above[start])

    def mean(self, start: int, stop: int, batch: int) -> float:
        if batch in self._means:
            return self._means[batch][stop] - self._means[batch][start]
        low, high = self._around(batch)
        share = (batch - low) / (high - low)
        return (1 - share) * self.mean(start, stop, low) + share * self.mean(start, stop, high)

    def _around(self, batch: int) -> tuple[int, int]:
        for low, high in pairwise(self.batches):
            if low < batch < high:
                return low, high
        raise InputError(f"batch {batch} is outside the profiled sizes {list(self.batches)}")


@dataclass(frozen=True, slots=True)
class SampleList:
    """Samples in increasing order, so that a quantile picks one."""

    values: list[float]
    mean: float

    @classmethod
    def of(cls, samples: Sequence[float] | np.ndarray, factor: float) -> SampleList:
        values = np.sort(np.asarray(samples, dtype=float)) * factor
        return cls(values.tolist(), float(values.mean()))

    def at(self, luck: float) -> float:
        return self.values[int(luck * len(self.values))]


def _profiled_codec(codecs: dict[str, CodecTimes], codec: Codec) -> tuple[np.ndarray, np.ndarray] | None:
    """Sorted encode and decode samples; JPEG qualities between profiled ones are interpolated, outside held."""
    if (times := codecs.get(codec.name)) is not None:
        return np.sort(times.encode_s), np.sort(times.decode_s)
    profiled = {parse(name).quality: times for name, times in codecs.items() if parse(name).base == "jpeg"}
    if codec.base != "jpeg" or not profiled:
        return None
    quality = min(max(codec.quality, min(profiled)), max(profiled))
    low, high = max(q for q in profiled if q <= quality), min(q for q in profiled if q >= quality)
    share = (quality - low) / (high - low) if low < high else 0.0
    below, above = profiled[low], profiled[high]
    return _blend(below.encode_s, above.encode_s, share), _blend(below.decode_s, above.decode_s, share)


def _blend(below: Sequence[float], above: Sequence[float], share: float) -> np.ndarray:
    quantiles = np.linspace(0, 1, max(len(below), len(above)))
    return (1 - share) * np.quantile(below, quantiles) + share * np.quantile(above, quantiles)


Seconds = Callable[[float], float]
"""Seconds by luck."""


def _pick(samples: list[float]) -> Seconds:
    """The sample at a quantile."""
    count = len(samples)
    return lambda luck: samples[int(luck * count)]


class ModelCosts:
    """What one model costs on one device, in seconds, from a profile.

    ``luck`` in [0, 1) is the quantile of a request's draw: it selects a whole measured row (blocks of one pass go
    together) and the samples of the same rank for branches, codecs and preprocessing.
    exits: the model's, each of which must have been profiled; all of the profile's where None.
    factor multiplies the times of blocks, branches and gathering; codec_factor those of codecs and preprocessing.
    max_batch: the largest batch with a known time.  The idle factor is the profiled machine's, whatever the device.
    Raises InputError for exits, batch sizes and codecs that were not profiled.
    """

    wakes = True

    def __init__(
        self,
        profile: Profile,
        exits: Sequence[int] | None = None,
        *,
        factor: float = 1.0,
        codec_factor: float = 1.0,
        label: str = "measured",
        max_batch: int | None = None,
    ) -> None:
        model = profile.model
        self.profile = profile
        self.factor, self.codec_factor, self.label = factor, codec_factor, label
        self.num_blocks = profile.num_blocks
        self.exits = tuple(model.exits if exits is None else exits)
        self.cuts = model.cuts
        self.fits = fit_pieces(profile)
        self._overhead, self._c = self._pieces(list(self.fits.values()))
        self._blocks = RowTable(
            {times.batch: np.asarray(times.rows_s) * self._c(times.batch) * factor for times in profile.chain}
        )
        self._branches = RowTable({times.batch: self._own_branches(times) for times in profile.branches})
        largest = self._blocks.batches[-1]
        self.max_batch = largest if max_batch is None else min(max_batch, largest)
        self._branch_samples = [_pick(list(samples)) for samples in zip(*self._branches.steps(1), strict=True)]
        self._piece_samples: dict[tuple[int, int], Seconds] = {}
        self._preprocess = SampleList.of(profile.preprocess_s, codec_factor) if profile.preprocess_s else None
        self._gather = PiecewiseLinear(
            [times.batch for times in profile.gather],
            [float(np.mean(times.seconds)) * factor for times in profile.gather],
        )
        medians = [float(np.median(times.seconds)) for times in profile.idle]
        self._idle = PiecewiseLinear([times.gap_s for times in profile.idle], [each / medians[0] for each in medians])
        self._codecs: dict[tuple[str, int], tuple[SampleList, SampleList]] = {}

    def _pieces(self, fits: list[PieceFit]) -> tuple[PiecewiseLinear, PiecewiseLinear]:
        sizes = [fit.batch for fit in fits]
        overheads = [fit.overhead_s * self.factor for fit in fits]
        return PiecewiseLinear(sizes, overheads), PiecewiseLinear(sizes, [fit.factor for fit in fits])

    def _own_branches(self, times: PassTimes) -> np.ndarray:
        profiled = self.profile.model.exits
        if missing := [after for after in self.exits if after not in profiled]:
            name = self.profile.model.name
            raise InputError(f"the profile of {name} has no branch after {missing} blocks, only after {list(profiled)}")
        columns = [profiled.index(after) for after in self.exits]
        return np.asarray(times.rows_s)[:, columns] * self.factor

    def piece(self, start: int, stop: int) -> Seconds:
        """``piece_s`` at batch 1 as a look-up of samples that were added up beforehand; 0 <= start < stop."""
        if (start, stop) not in self._piece_samples:
            overhead_s = self._overhead(1)
            samples = [overhead_s + row[stop] - row[start] for row in self._blocks.rows(1)]
            self._piece_samples[start, stop] = _pick(samples)
        return self._piece_samples[start, stop]

    def branch(self, exit: int) -> Seconds:
        return self._branch_samples[exit]

    def preprocess(self) -> Seconds:
        return _pick(self._preprocessing().values)

    def encode(self, codec: str, cut: int) -> Seconds:
        return _pick(self._codec(codec, cut)[0].values)

    def decode(self, codec: str, cut: int) -> Seconds:
        return _pick(self._codec(codec, cut)[1].values)

    def piece_s(self, luck: float, start: int, stop: int, batch: int = 1) -> float:
        """overhead(n) + c(n) * sum of block times; nothing where no block is run."""
        if start == stop:
            return 0.0
        self._check(batch)
        return self._overhead(batch) + self._blocks.seconds(luck, start, stop, batch)

    def branch_s(self, luck: float, exit: int, batch: int = 1) -> float:
        self._check(batch)
        return self._branches.seconds(luck, exit, exit + 1, batch)

    def encode_s(self, codec: str, cut: int, luck: float) -> float:
        return self._codec(codec, cut)[0].at(luck)

    def decode_s(self, codec: str, cut: int, luck: float) -> float:
        return self._codec(codec, cut)[1].at(luck)

    def preprocess_s(self, luck: float) -> float:
        """A decoded image to the input of block 0."""
        return self._preprocessing().at(luck)

    def gather_s(self, batch: int) -> float:
        """Picking ``batch`` survivors out of a larger batch (mean)."""
        return self._gather(batch)

    def idle_factor(self, gap_s: float) -> float:
        """How much longer a pass takes after the processor did nothing for ``gap_s`` (medians)."""
        return self._idle(gap_s)

    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float:
        if start == stop:
            return 0.0
        self._check(batch)
        return self._overhead(batch) + self._blocks.mean(start, stop, batch)

    def mean_branch_s(self, exit: int, batch: int = 1) -> float:
        self._check(batch)
        return self._branches.mean(exit, exit + 1, batch)

    def mean_encode_s(self, codec: str, cut: int) -> float:
        return self._codec(codec, cut)[0].mean

    def mean_decode_s(self, codec: str, cut: int) -> float:
        return self._codec(codec, cut)[1].mean

    @property
    def mean_preprocess_s(self) -> float:
        return self._preprocessing().mean

    def scaled(self, factor: float, codec_factor: float, label: str, max_batch: int | None = None) -> ModelCosts:
        """The same model on a device that takes ``factor`` times as long (codecs: ``codec_factor``).

        The shape of the profile is kept: every block is scaled alike.
        """
        limit = self.max_batch if max_batch is None else min(max_batch, self.max_batch)
        return ModelCosts(
            self.profile,
            self.exits,
            factor=self.factor * factor,
            codec_factor=self.codec_factor * codec_factor,
            label=label,
            max_batch=limit,
        )

    def _check(self, batch: int) -> None:
        if not 1 <= batch <= self.max_batch:
            name = self.profile.model.name
            raise InputError(f"batch {batch} of {name} ({self.label}) has no known time: at most {self.max_batch}")

    def _preprocessing(self) -> SampleList:
        if self._preprocess is None:
            raise InputError(f"the profile of {self.profile.model.name} has no times of preprocessing")
        return self._preprocess

    def _codec(self, codec: str, cut: int) -> tuple[SampleList, SampleList]:
        ready = self._codecs.get((codec, cut))
        return ready or self._codecs.setdefault((codec, cut), self._find_codec(codec, cut))

    def _find_codec(self, codec: str, cut: int) -> tuple[SampleList, SampleList]:
        name, specs = self.profile.model.name, self.cuts[cut]
        at_cut = {times.codec: times for times in self.profile.codecs if self.cuts[times.cut] == specs}
        samples = _profiled_codec(at_cut, parse(codec))
        if samples is None:
            known = ", ".join(at_cut) or "none"
            raise InputError(f"the profile of {name} has no times of codec {codec} at cut {cut} (profiled: {known})")
        encode, decode = samples
        return SampleList.of(encode, self.codec_factor), SampleList.of(decode, self.codec_factor)
