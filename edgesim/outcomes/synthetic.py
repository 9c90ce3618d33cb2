"""Outcomes of a synthetic model: right and wrong answers of given accuracy and correlation.

Each sample has a latent difficulty for each exit, standard normal, any two exits with the given correlation (a Gaussian
copula with one common factor).  An exit is right on its easiest samples, as many as its accuracy says (to half a
sample).  Its confidence is calibrated by construction: the exit sees its latent through noise, and says the probability
of being right given what it sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edgesim.outcomes.path import Path, canonical, with_prefixes
from edgesim.outcomes.table import Outcomes, OutcomeTable
from edgesim.workload.random import generator

CLASSES = 10
INFORMATION = 0.8
"""Correlation of what an exit sees with its latent: at 0 all confidences equal the accuracy, at 1 they are 0 or 1."""


def synthetic_outcomes(
    model: str,
    exits: Sequence[int],
    accuracy: Sequence[float],
    correlation: float,
    samples: int,
    state_bytes: Sequence[int],
    paths: Iterable[Path],
    seed: int,
    split: str,
) -> Outcomes:
    """Tables for ``paths``: codecs change nothing here, and a payload has its cut's ``state_bytes`` whatever the codec.

    exits: blocks before each.  accuracy: of each exit.  correlation: 0..1, of the latents of any two exits.
    state_bytes: at cuts 0 .. L-1.  Draws are keyed by seed, model and split.
    """
    wanted = with_prefixes(paths)
    whole = synthetic_table(accuracy, correlation, samples, generator(seed, "synthetic outcomes", model, split))
    tables = {path: _behind(whole, path, exits) for path in map(canonical, wanted)}
    payloads = {path: np.full(samples, state_bytes[path[-1][0]]) for path in wanted if path}
    return Outcomes(model, split, "synthetic", tuple(exits), tables, payloads)


def synthetic_table(
    accuracy: Sequence[float], correlation: float, samples: int, rng: np.random.Generator
) -> OutcomeTable:
    """The answers of exits of these accuracies for ``samples`` samples."""
    from scipy.special import ndtr, ndtri

    count, shape = len(accuracy), (len(accuracy), samples)
    common, own, noise = rng.standard_normal(samples), rng.standard_normal(shape), rng.standard_normal(shape)
    latent = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    right = np.rint(np.array(accuracy) * samples)[:, None]
    correct = latent.argsort(axis=1).argsort(axis=1) < right
    unseen = np.sqrt(1 - INFORMATION**2)
    seen = INFORMATION * latent + unseen * noise
    sure = ndtr((ndtri(np.array(accuracy))[:, None] - INFORMATION * seen) / unseen)
    label = rng.integers(CLASSES, size=samples)
    wrong = (label + rng.integers(1, CLASSES, size=shape)) % CLASSES
    prediction = np.where(correct, label, wrong).astype(np.int32)
    return OutcomeTable(tuple(range(count)), prediction, *_scores(sure), correct=correct)


def _scores(sure: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidence, entropy and margin, as if what is left of the probability were spread evenly over the other classes.

    Where that would leave more to each of the others, entropy and margin stay at those of even odds, so that both go
    the way of the confidence.
    """
    first = np.maximum(sure, 1 / CLASSES)
    rest = (1 - first) / (CLASSES - 1)
    entropy = -first * np.log(first) - (CLASSES - 1) * rest * np.log(np.where(rest > 0, rest, 1.0))
    return sure.astype(np.float32), entropy.astype(np.float32), (first - rest).astype(np.float32)


def _behind(whole: OutcomeTable, path: Path, exits: Sequence[int]) -> OutcomeTable:
    """The exits at or behind the path's last cut."""
    cut = path[-1][0] if path else 0
    rows = [index for index, after in enumerate(exits) if after >= cut]
    arrays = {name: array[rows] for name, array in whole.arrays().items()}
    return OutcomeTable(tuple(rows), **arrays)
