"""A Markov-modulated rate from a recorded one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from edgesim.errors import InputError
from edgesim.network.markov import StepLaw
from edgesim.network.markov_chain import MarkovChain


def fit_markov(rates_bps: ArrayLike, step_s: float, states: int) -> StepLaw:
    """The chain of at most ``states`` states that moves as these rates do, one every ``step_s``.

    Positive rates are cut into bins of equally many at their quantiles; time without any rate is a state of its own,
    the first.  A state's rate is the mean of its bin.  The matrix is the maximum likelihood estimate, the counts of
    moves over their row's sum, with one move added from the last rate to the first: every bin is then entered as often
    as it is left, so that the chain's share of the time in a state is exactly that of the rates, and its mean is
    theirs.  Equal rates are in one bin, which may leave fewer.

    What a chain cannot keep: rates within a bin become one, and its memory is one step long.
    Raises InputError where ``states`` is below 2, and where the rates fill fewer than two bins.
    """
    rates = np.asarray(rates_bps, dtype=float)
    if states < 2:
        raise InputError(f"markov: found {states} states, allowed: at least 2")
    bins = _bins(rates, states)
    count = bins.max() + 1
    if count < 2:
        raise InputError("markov: the rates have one value, or fill one bin only; allowed: rates that vary")
    moves = np.zeros((count, count))
    np.add.at(moves, (bins, np.roll(bins, -1)), 1)
    matrix = moves / moves.sum(axis=1, keepdims=True)
    means = np.bincount(bins, weights=rates) / np.bincount(bins)
    return StepLaw(tuple(means.tolist()), MarkovChain(tuple(map(tuple, matrix.tolist()))), step_s)


def _bins(rates: np.ndarray, states: int) -> np.ndarray:
    """The number of each rate's state, from 0 on without a gap."""
    positive = rates > 0
    some = not positive.all()
    numbers = np.zeros(len(rates), dtype=int)
    numbers[positive] = some + (rankdata(rates[positive]) - 0.5) / positive.sum() * (states - some)
    return np.unique(numbers, return_inverse=True)[1]
