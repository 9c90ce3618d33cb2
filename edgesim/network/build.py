"""From what a scenario says of a link to the processes behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.build_radio import build_radio
from edgesim.network.constant import ConstantRate
from edgesim.network.derived import ProductRate
from edgesim.network.estimators import Estimator, EwmaRate, HarmonicRate, LastRate
from edgesim.network.gilbert_elliott import GilbertElliott
from edgesim.network.markov import JumpLaw, JumpRate, StepLaw, StepRate
from edgesim.network.markov_chain import MarkovChain
from edgesim.network.markov_fit import fit_markov
from edgesim.network.presets import find_preset
from edgesim.network.random_walk import RandomWalk, RandomWalkRate
from edgesim.network.rate import RateProcess, Stretch, binned
from edgesim.network.seasonal import seasonal_factor
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.network.trace import Trace, random_offset_s
from edgesim.network.traces.base import Reading
from edgesim.network.traces.formats import read_trace
from edgesim.network.versions import version
from edgesim.network.warp import Warp, warped

if TYPE_CHECKING:
    from edgesim.scenario import estimators, rates
    from edgesim.scenario.warp import Warp as WarpSpec


def build_rate(spec: rates.Rate, root_seed: int, *key: str | int, horizon_s: float) -> RateProcess:
    """The rate process of one direction of one link.

    key: names the entity: link, device and, last, the direction (up or down): (root seed, key) is all that its draws
    depend on.  Tables of traces and steps are shared by all that use them.  Raises InputError for what a scenario's
    schema cannot see: a bad file, an unknown preset, moments that no process has.  horizon_s: over which a warp keeps
    the mean.
    """
    rate = _unwarped(spec, root_seed, *key, horizon_s=horizon_s)
    return rate if spec.warp is None else warped(rate, _warp(spec.warp), horizon_s, root_seed, *key)


def _unwarped(spec: rates.Rate, root_seed: int, *key: str | int, horizon_s: float) -> RateProcess:
    if spec.process == "constant":
        return ConstantRate(spec.rate_mbps * 1e6)
    if spec.process == "radio":
        return build_radio(spec, root_seed, *key)
    if spec.process == "steps":
        return TabledRate(_steps_table(spec.steps), spec.ends)
    if spec.process == "trace":
        table = _trace_table(spec.file, version(spec.file), reading_of(spec), spec.scale)
        offset_s = random_offset_s(table.edges_s[-1], root_seed, *key) if spec.offset == "random" else 0.0
        return TabledRate(table, spec.ends, offset_s)
    if spec.process == "ar1":
        return Ar1Rate(match(_moments(spec), spec.step_ms / 1e3), root_seed, *key)
    if spec.process == "gilbert_elliott":
        return _markov_rate(_good_and_bad(spec), root_seed, *key)
    if spec.process == "random_walk":
        walk = RandomWalk(spec.low_mbps * 1e6, spec.high_mbps * 1e6, spec.change_mbps * 1e6, spec.step_ms / 1e3)
        return RandomWalkRate(walk, root_seed, *key)
    if spec.process == "seasonal":
        factor = seasonal_factor(spec.period_s, spec.amplitude, spec.peak_s)
        return ProductRate(build_rate(spec.of, root_seed, *key, horizon_s=horizon_s), factor)
    return _markov_rate(markov_law(spec), root_seed, *key)


def markov_law(spec: rates.MarkovRate) -> StepLaw | JumpLaw:
    """The chain that a scenario gives, or has fitted to a file of rates."""
    if spec.file is not None:
        assert spec.states is not None
        return _fitted(spec.file, version(spec.file), spec.states, spec.step_ms)
    assert spec.states_mbps is not None
    rates_bps = tuple(1e6 * rate for rate in spec.states_mbps)
    if spec.generator_hz is not None:
        return JumpLaw(rates_bps, spec.generator_hz)
    assert spec.matrix is not None and spec.step_ms is not None
    return StepLaw(rates_bps, MarkovChain(spec.matrix), spec.step_ms / 1e3)


def _good_and_bad(spec: rates.GilbertElliottRate) -> StepLaw | JumpLaw:
    rates_bps = (spec.good_mbps * 1e6, spec.bad_mbps * 1e6)
    if spec.good_mean_s is not None and spec.bad_mean_s is not None:
        leave_good, leave_bad = 1 / spec.good_mean_s, 1 / spec.bad_mean_s
        return JumpLaw(rates_bps, ((-leave_good, leave_good), (leave_bad, -leave_bad)))
    assert spec.p is not None and spec.r is not None and spec.step_ms is not None
    return StepLaw(rates_bps, GilbertElliott(spec.p, spec.r).chain, spec.step_ms / 1e3)


def _markov_rate(law: StepLaw | JumpLaw, root_seed: int, *key: str | int) -> RateProcess:
    return StepRate(law, root_seed, *key) if isinstance(law, StepLaw) else JumpRate(law, root_seed, *key)


def load_trace(spec: rates.TraceRate) -> Trace:
    """The trace that a scenario names, read once for as long as its file stays as it is; errors as ``read_trace``."""
    trace = _trace(spec.file, version(spec.file), reading_of(spec))
    return trace if spec.direction is None else replace(trace, direction=spec.direction)


def reading_of(spec: rates.TraceRate) -> Reading:
    """How the file is to be read."""
    where = tuple((name, str(value)) for name, value in (spec.where or {}).items())
    return Reading(spec.format, spec.time_column, spec.rate_column, spec.unit, where)


def build_estimator(spec: estimators.Estimator, prior_bps: float) -> Estimator:
    """The bandwidth estimator that a policy names; ``prior_bps`` is what it says before its first sample."""
    if spec.type == "last":
        return LastRate(prior_bps)
    if spec.type == "ewma":
        return EwmaRate(prior_bps, spec.alpha)
    return HarmonicRate(prior_bps, spec.window)


def _warp(spec: WarpSpec) -> Warp:
    return Warp(**{name: value for name, value in spec if value is not None})


def _moments(spec: rates.Ar1Rate) -> Ar1Moments:
    if spec.preset is not None:
        return find_preset(spec.preset).moments
    assert spec.mean_mbps is not None and spec.cv is not None and spec.correlation_1s is not None
    outages = (spec.outage_share, spec.outage_mean_s or 1.0) if spec.outage_share else (0.0, 1.0)
    return Ar1Moments(spec.mean_mbps * 1e6, spec.cv, spec.correlation_1s, *outages)


@lru_cache(maxsize=32)
def _trace(path: Path, version: tuple[int, int], reading: Reading) -> Trace:
    return read_trace(path, reading)


@lru_cache(maxsize=32)
def _trace_table(path: Path, version: tuple[int, int], reading: Reading, scale: float) -> Stretch:
    return _trace(path, version, reading).table(scale)


@lru_cache(maxsize=32)
def _fitted(path: Path, version: tuple[int, int], states: int, step_ms: float | None) -> StepLaw:
    trace = _trace(path, version, Reading())
    step_s = trace.resolution_s if step_ms is None else step_ms / 1e3
    return fit_markov(binned(trace.table(1.0), step_s), step_s, states)


@lru_cache(maxsize=32)
def _steps_table(steps: tuple[tuple[float, float], ...]) -> Stretch:
    return steps_table(steps)
