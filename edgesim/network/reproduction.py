"""How well a fitted process reproduces a recorded rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgesim.network.markov import StepLaw
from edgesim.network.markov_chain import stationary_state
from edgesim.network.trace_statistics import QUANTILES, RateStatistics, rate_statistics

Generate = Callable[[int, np.random.Generator], np.ndarray]
"""(steps, generator) -> the rates of a path."""


@dataclass(frozen=True)
class Reproduced:
    """One statistic: of the record, its median over generated paths, and the range that holds most of them."""

    name: str
    recorded: float
    generated: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """Whether the record looks like a path of the process; so does what neither of them has (NaN)."""
        return self.low <= self.recorded <= self.high or bool(np.isnan(self.recorded) and np.isnan(self.generated))


def reproduction(
    rates_bps: np.ndarray,
    step_s: float,
    generate: Generate,
    rng: np.random.Generator,
    paths: int = 200,
    level: float = 0.95,
) -> list[Reproduced]:
    """Each statistic of the record beside those of generated paths that are as long."""
    recorded = _values(rate_statistics(rates_bps, step_s))
    simulated = [_values(rate_statistics(generate(len(rates_bps), rng), step_s)) for _ in range(paths)]
    found = []
    for name, value in recorded.items():
        values = np.array([each[name] for each in simulated])
        known = values[~np.isnan(values)] if not np.isnan(values).all() else values
        low, middle, high = np.quantile(known, ((1 - level) / 2, 0.5, (1 + level) / 2)).tolist()
        found.append(Reproduced(name, value, middle, low, high))
    return found


def markov_path(law: StepLaw, steps: int, rng: np.random.Generator) -> np.ndarray:
    """The rates of a path of the law, at once: many of them are needed, and none is a link's."""
    state = stationary_state(law.share, rng.random())
    states = np.empty(steps, dtype=int)
    for step, draw in enumerate(rng.random(steps).tolist()):
        states[step] = state
        state = law.chain.following(state, draw)
    return np.array(law.rates_bps)[states]


def _values(found: RateStatistics) -> dict[str, float]:
    return {
        "mean_bps": found.mean_bps,
        "cv": found.cv,
        "correlation_1s": found.correlation_1s,
        "correlation_5s": found.correlation_5s,
        "outage_share": found.outage_share,
        "outage_mean_s": found.outage_mean_s,
        **{f"q{100 * q:g}_bps": value for q, value in zip(QUANTILES, found.quantiles_bps, strict=True)},
    }
