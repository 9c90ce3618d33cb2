"""The cost of a piece from the times of its blocks, so that a cost does not depend on how the chain is sliced.

piece(a..b, n) = overhead(n) + c(n) * sum of block times.  ``overhead`` is what starting a piece costs, ``c`` corrects
for what timing every block by itself adds.  Both are fitted on measured prefixes and suffixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgesim.errors import InputError
from edgesim.profiling.profile import PieceTimes, Profile


@dataclass(frozen=True)
class PieceFit:
    """overhead_s and c (``factor``) at one batch size, and what the fit leaves unexplained.

    residuals: (measured - fitted) / measured for each piece, in the order of ``pieces`` (start, stop).
    """

    batch: int
    overhead_s: float
    factor: float
    pieces: tuple[tuple[int, int], ...]
    residuals: tuple[float, ...]

    @property
    def largest_residual(self) -> float:
        return max(map(abs, self.residuals))


def fit_line(block_s: Sequence[float], piece_s: Sequence[float]) -> tuple[float, float]:
    """(overhead, factor) by least squares on relative errors, with overhead >= 0."""
    x, y = np.asarray(block_s), np.asarray(piece_s)
    through_zero = 0.0, float((x / y).sum() / ((x / y) ** 2).sum())
    if len(set(x.tolist())) < 2:
        return through_zero
    design = np.stack([1 / y, x / y], axis=1)
    overhead, factor = np.linalg.lstsq(design, np.ones(len(y)), rcond=None)[0]
    return (float(overhead), float(factor)) if overhead >= 0 else through_zero


def fit_pieces(profile: Profile) -> dict[int, PieceFit]:
    """The fit at every batch size at which pieces were measured (medians over samples)."""
    rows = {times.batch: np.cumsum(np.asarray(times.rows_s), axis=1) for times in profile.chain}
    fits = {}
    for batch in sorted({piece.batch for piece in profile.pieces}):
        cumulative = np.concatenate([np.zeros((len(rows[batch]), 1)), rows[batch]], axis=1)
        fits[batch] = _fit([piece for piece in profile.pieces if piece.batch == batch], cumulative)
    return fits


def _fit(pieces: Sequence[PieceTimes], cumulative: np.ndarray) -> PieceFit:
    blocks = np.array([np.median(cumulative[:, piece.stop] - cumulative[:, piece.start]) for piece in pieces])
    measured = np.array([np.median(piece.seconds) for piece in pieces])
    overhead, factor = fit_line(blocks.tolist(), measured.tolist())
    if factor <= 0:
        raise InputError(f"pieces: at batch {pieces[0].batch} they contradict the times of their blocks")
    residuals = (measured - overhead - factor * blocks) / measured
    ends = tuple((piece.start, piece.stop) for piece in pieces)
    return PieceFit(pieces[0].batch, overhead, factor, ends, tuple(residuals.tolist()))
