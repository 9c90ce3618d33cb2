"""From a trace file to the YAML of processes that reproduce it."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from edgesim.errors import InputError
from edgesim.network.ar1 import Ar1Moments, match
from edgesim.network.ar1_fit import ar1_path
from edgesim.network.build import markov_law
from edgesim.network.markov import StepLaw
from edgesim.network.markov_chain import MarkovChain
from edgesim.network.reproduction import markov_path, reproduction
from edgesim.network.trace_fit import ar1_yaml, fit_trace, markov_yaml
from edgesim.network.traces.formats import read_trace
from edgesim.scenario.rates import Rate

RATES: TypeAdapter[Rate] = TypeAdapter(Rate)
LINK = Ar1Moments(8e6, 0.7, 0.8, outage_share=0.1, outage_mean_s=3.0)


def trace_of(folder: Path, rates_bps: np.ndarray, step_s: float = 1.0):
    rows = "".join(f"{step_s * step:g},{rate / 1e6:.6f}\n" for step, rate in enumerate(rates_bps))
    (folder / "link.csv").write_text("time_s,rate_mbps\n" + rows)
    return read_trace(folder / "link.csv")


def spec_of(text: str) -> Rate:
    return RATES.validate_python(YAML(typ="safe").load(text))


def test_a_trace_becomes_two_processes_of_a_scenario(tmp_path: Path) -> None:
    trace = trace_of(tmp_path, ar1_path(match(LINK, 1.0), 2000, np.random.default_rng(1)))
    found = fit_trace(trace, None, 6, 1)
    ar1, markov = spec_of(ar1_yaml(found.ar1, found.step_s)), spec_of(markov_yaml(found.markov))
    assert (ar1.process, markov.process, found.step_s) == ("ar1", "markov", 1.0)
    assert match(found.ar1.moments, 1.0) == found.ar1.law
    given = (1e6 * ar1.mean_mbps, ar1.cv, ar1.correlation_1s, ar1.outage_share, ar1.outage_mean_s)
    assert given == pytest.approx(astuple(found.ar1.moments), rel=1e-12)
    law = markov_law(markov)
    assert law.rates_bps[0] == 0 and law.share == pytest.approx(found.markov.share, abs=2e-3)
    assert law.share[0] == pytest.approx(found.ar1.moments.outage_share, abs=2e-3)
    assert np.array(law.chain.matrix) == pytest.approx(np.array(found.markov.chain.matrix), abs=5e-4)


def test_the_same_seed_gives_the_same_answer(tmp_path: Path) -> None:
    trace = trace_of(tmp_path, ar1_path(match(LINK, 1.0), 300, np.random.default_rng(1)))
    one, same, other = (fit_trace(trace, None, 4, seed) for seed in (1, 1, 2))
    assert one == same and one.ar1.moments == other.ar1.moments and one.ar1.intervals != other.ar1.intervals


def test_steps_are_the_resolution_or_longer(tmp_path: Path) -> None:
    trace = trace_of(tmp_path, ar1_path(match(LINK, 0.01), 20_000, np.random.default_rng(1)), 0.01)
    assert fit_trace(trace, None, 3, 1).step_s == 0.1
    assert fit_trace(trace, 0.5, 3, 1).markov.step_s == 0.5


def test_a_file_that_cannot_be_fitted_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"link.csv: the rate never changes"):
        fit_trace(trace_of(tmp_path, np.full(100, 2e6)), None, 3, 1)


def test_a_process_reproduces_its_own_path_and_no_other() -> None:
    law = match(LINK, 1.0)
    rng = np.random.default_rng(9)
    path = ar1_path(law, 5000, rng)
    own = reproduction(path, 1.0, lambda steps, rng: ar1_path(law, steps, rng), rng, level=0.99)
    assert all(each.within for each in own), own
    quick = match(Ar1Moments(8e6, 0.7, 0.5, outage_share=0.1, outage_mean_s=3.0), 1.0)
    others = reproduction(path, 1.0, lambda steps, rng: ar1_path(quick, steps, rng), rng, level=0.99)
    outside = {each.name for each in others if not each.within}
    assert {"correlation_1s", "correlation_5s"} <= outside and "outage_share" not in outside


def test_without_outages_neither_has_a_length() -> None:
    law = match(Ar1Moments(50e6, 0.3, 0.5), 1.0)
    rng = np.random.default_rng(9)
    found = reproduction(ar1_path(law, 500, rng), 1.0, lambda steps, rng: ar1_path(law, steps, rng), rng, paths=20)
    length = next(each for each in found if each.name == "outage_mean_s")
    assert np.isnan(length.recorded) and length.within


def test_paths_of_a_chain_made_at_once_move_as_it_says() -> None:
    chain = MarkovChain(((0.9, 0.1, 0.0), (0.2, 0.5, 0.3), (0.0, 0.4, 0.6)))
    law = StepLaw((0.0, 1e6, 5e6), chain, 1.0)
    path = np.searchsorted(law.rates_bps, markov_path(law, 60_000, np.random.default_rng(2)))
    moves = np.zeros((3, 3))
    np.add.at(moves, (path[:-1], path[1:]), 1)
    found, expected = moves / moves.sum(axis=1, keepdims=True), np.array(chain.matrix)
    errors = np.sqrt(np.maximum(expected * (1 - expected), 1e-12) / moves.sum(axis=1, keepdims=True))
    assert (np.abs(found - expected) <= 3.3 * errors).all()
    assert (np.abs(found - 1.05 * expected) > 3.3 * errors)[expected > 0.3].all(), "5 % wrong is seen"
