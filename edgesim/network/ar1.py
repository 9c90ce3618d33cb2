"""A synthetic mobile link: a log-normal AR(1) rate, cut to zero by outages.

On a grid of steps D (seconds) the rate is R_i = U_i exp(mu + sigma y_i), with

- y_{i+1} = a_D y_i + sqrt(1 - a_D^2) n_i, n_i standard normal, a_D = exp(-theta D): a sampled Ornstein-Uhlenbeck
  process, exact at any step;
- U_i in {0, 1}, independent of y, a two-state chain: P(1 -> 0) = D p / ((1 - p) L), P(0 -> 1) = D / L, so that a share
  p of the time is outage and an outage lasts L seconds on average, at any step.  Its autocorrelation at one
  step is 1 - D / ((1 - p) L); beta = (1 - D / ((1 - p) L))^(1/D) is the one at 1 s.

Wanted are the moments of R itself, outages included: mean m, coefficient of variation v, autocorrelation r at
1 s.  With X = exp(mu + sigma y), E X = exp(mu + sigma^2 / 2), s = sigma^2, E X_0 X_t = (E X)^2 exp(s a(t)) and
a(t) = exp(-theta t):

    E R       = (1 - p) E X                                      =>  mu = ln(m / (1 - p)) - s / 2
    E R^2     = (1 - p) (E X)^2 exp(s)                           =>  s = ln((1 - p) (1 + v^2))
    E R_0 R_1 = ((1 - p)^2 + p (1 - p) beta) (E X)^2 exp(s a(1)) =>  a(1) = ln((1 + r v^2) / (1 + beta p / (1 - p))) / s

Outages alone bring a variance of p / (1 - p) m^2: a smaller v cannot be had, nor can some combinations of r and
L; such targets are refused.  The moments are those of the rate on the grid.  Where they were measured in 1 s
bins and the step is shorter, the 1 s means of the generated rate vary less than they should (for r = 0.9 their
CV is lower by 2 %, for r = 0.7 by 6 %); with a step of 1 s they agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from edgesim.errors import InputError
from edgesim.network.chain import KeyedChain
from edgesim.network.rate import ChunkedRate, Stretch
from edgesim.workload.random import generator

CHUNK_STEPS = 64
SHARED_CHUNKS = 2048  # kept for other links of the same key, 13 MB


@dataclass(frozen=True)
class Ar1Moments:
    """What the rate shall look like, outages included: mean, standard deviation over mean, autocorrelation at 1 s,
    share of time at rate 0 and the mean length of such an outage (s; without outages it has no meaning)."""

    mean_bps: float
    cv: float
    correlation_1s: float
    outage_share: float = 0.0
    outage_mean_s: float = 1.0


@dataclass(frozen=True)
class Ar1Law:
    """The process itself on a grid of ``step_s``: see the module's docstring."""

    step_s: float
    mu: float
    sigma: float
    a: float
    outage_share: float
    p_begin: float
    p_end: float

    @property
    def edges_s(self) -> list[float]:
        return _edges(self.step_s)


@lru_cache(maxsize=64)
def _edges(step_s: float) -> list[float]:
    """One list for all chunks of all links."""
    return [i * step_s for i in range(CHUNK_STEPS + 1)]


@lru_cache(maxsize=64)
def match(moments: Ar1Moments, step_s: float) -> Ar1Law:
    """The law with these moments on a grid of ``step_s``; raises InputError where there is none."""
    _check(moments, step_s)
    p, cv2 = moments.outage_share, moments.cv**2
    spread = (1 - p) * (1 + cv2)
    if spread < 1:
        raise InputError(
            f"ar1: outages for {p:.3g} of the time alone give the rate a cv of {math.sqrt(p / (1 - p)):.3g}: "
            f"cv {moments.cv:.3g} is too small"
        )
    sigma2 = math.log(spread)
    p_end = step_s / moments.outage_mean_s if p else 1.0
    p_begin = p_end * p / (1 - p) if p else 0.0
    if p_begin + p_end > 1 and p:
        raise InputError(f"ar1: outages of {moments.outage_mean_s:.3g} s on average need a step below {step_s:.3g} s")
    beta = (1 - p_end - p_begin) ** (1 / step_s) if p else 0.0
    a_1s = _correlation(moments, sigma2, beta)
    mu = math.log(moments.mean_bps / (1 - p)) - sigma2 / 2
    return Ar1Law(step_s, mu, math.sqrt(sigma2), a_1s**step_s, p, p_begin, p_end)


def _correlation(moments: Ar1Moments, sigma2: float, beta: float) -> float:
    """a(1 s) of the logarithm."""
    if moments.cv == 0:
        return 0.0
    p = moments.outage_share
    wanted = math.log((1 + moments.correlation_1s * moments.cv**2) / (1 + beta * p / (1 - p)))
    if not 0 <= wanted < sigma2:
        raise InputError(
            f"ar1: correlation_1s {moments.correlation_1s:.3g} cannot be had with cv {moments.cv:.3g} and outages for "
            f"{p:.3g} of the time of {moments.outage_mean_s:.3g} s: the rate between them would need a "
            f"correlation of its logarithm of {wanted / sigma2 if sigma2 else math.inf:.3g}, not in [0, 1)"
        )
    return wanted / sigma2


def _check(moments: Ar1Moments, step_s: float) -> None:
    for name, value, good in (
        ("mean", moments.mean_bps, moments.mean_bps > 0),
        ("cv", moments.cv, moments.cv >= 0),
        ("correlation_1s", moments.correlation_1s, 0 <= moments.correlation_1s < 1),
        ("outage_share", moments.outage_share, 0 <= moments.outage_share < 1),
        ("outage_mean_s", moments.outage_mean_s, moments.outage_mean_s > 0),
        ("step", step_s, step_s > 0),
    ):
        if not (good and math.isfinite(value)):
            raise InputError(f"ar1: {name} {value} is outside its range")


class _State(NamedTuple):
    """Where the process stands at the start of a chunk."""

    level: float
    outage: bool


class Ar1Rate(ChunkedRate):
    """A path of the law, keyed by (root seed, key): 64 steps a chunk.

    Chunk k's draws come from a generator keyed by k; only its starting state comes from the chunk before.
    """

    __slots__ = ("_chain",)

    def __init__(self, law: Ar1Law, root: int, *key: str | int):
        super().__init__(law.step_s * CHUNK_STEPS)
        draws = generator(root, "link rate start", *key)
        start = _State(draws.standard_normal(), draws.random() < law.outage_share)
        self._chain = KeyedChain(start, lambda state, k: _chunk(law, state, root, key, k))

    def _make(self, k: int) -> Stretch:
        return self._chain.chunk(k)


@lru_cache(maxsize=SHARED_CHUNKS)
def _chunk(law: Ar1Law, state: _State, root: int, key: tuple[str | int, ...], k: int) -> tuple[Stretch, _State]:
    """The rates of chunk k from its starting state, and the state that it leaves to the next.

    Kept for a while, since the cells of a run that share a replication meet the same links one after the other.
    """
    level, outage = state
    draws = generator(root, "link rate", *key, k)
    shocks = draws.standard_normal(CHUNK_STEPS) * math.sqrt(1 - law.a**2)
    levels = list(accumulate(shocks.tolist(), lambda y, shock: law.a * y + shock, initial=level))
    rates_bps = np.exp(law.mu + law.sigma * np.array(levels[:-1]))
    if law.outage_share:

        def following(outage: bool, draw: float) -> bool:
            return draw >= law.p_end if outage else draw < law.p_begin

        outages = list(accumulate(draws.random(CHUNK_STEPS).tolist(), following, initial=outage))
        rates_bps[np.array(outages[:-1])] = 0.0
        outage = outages[-1]
    return Stretch(law.edges_s, rates_bps.tolist()), _State(levels[-1], outage)
