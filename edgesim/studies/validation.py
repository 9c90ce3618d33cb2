"""The simulator beside theory: queues whose mean waits are known, and transfers that end at a known time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from edgesim.engine.assets import Assets
from edgesim.engine.request import SERVER_WAIT, UPLINK, UPLINK_WAIT, Request
from edgesim.engine.simpy_clock import SimpyClock
from edgesim.engine.world import Cell, World
from edgesim.results.statistics import t_interval
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.load import load_assets
from edgesim.studies.theory import (
    RateInSteps,
    sojourn_in_processor_sharing_s,
    transfer_ends,
    wait_in_mg1_s,
    wait_in_mmk_s,
)

LOAD = 0.8
REPLICATIONS = 20
WARMUP = 400
"""Requests of each replication that do not count: at this load a queue forgets its empty start within about 100."""
MOST_STANDARD_ERRORS = 3.3
MOST_RELATIVE_ERROR = 1e-9

Config = dict[str, Any]
Measure = Callable[[Request], float]


class Row(NamedTuple):
    """One comparison.  Times in seconds; of exact cases the means, and ``relative_error`` is the largest of any
    request; of random ones the mean over replications with its 95 % half width."""

    name: str
    what: str
    theory_s: float
    simulated_s: float
    half_width_s: float | None
    relative_error: float
    ok: bool


class Case(Protocol):
    @property
    def name(self) -> str: ...
    def compare(self, seed: int) -> Row:
        """Simulate it."""


@dataclass(frozen=True)
class MeanCase:
    """Theory knows the mean of what is measured.

    requests: that count in each replication.  Their number is fixed, as busy windows of fixed length hold more.
    """

    name: str
    what: str
    config: Config
    measure: Measure
    theory_s: float
    requests: int

    def compare(self, seed: int) -> Row:
        scenario, assets = built(self.config, seed)
        counted = range(WARMUP, WARMUP + self.requests)
        means = np.array(
            [
                np.mean([value for _, value in measured(scenario, assets, replication, self.measure, counted)])
                for replication in range(REPLICATIONS)
            ]
        )
        mean_s, _, high_s = t_interval(means)
        error_s = mean_s - self.theory_s
        ok = abs(error_s) < MOST_STANDARD_ERRORS * means.std(ddof=1) / math.sqrt(REPLICATIONS)
        return Row(self.name, self.what, self.theory_s, mean_s, high_s - mean_s, abs(error_s) / self.theory_s, bool(ok))


@dataclass(frozen=True)
class ExactCase:
    """Theory knows what is measured for every request, from the arrivals in their order."""

    name: str
    what: str
    config: Config
    measure: Measure
    theory: Callable[[Sequence[float]], Iterable[float]]
    folder: Path = Path()

    def compare(self, seed: int) -> Row:
        scenario, assets = built(self.config, seed, self.folder)
        found = sorted(measured(scenario, assets, 0, self.measure))
        simulated = np.array([value for _, value in found])
        theory = np.array(list(self.theory([arrival_s for arrival_s, _ in found])))
        error = float(np.max(np.abs(simulated / theory - 1)))
        ok = error <= MOST_RELATIVE_ERROR
        return Row(self.name, self.what, float(theory.mean()), float(simulated.mean()), None, error, ok)


def all_cases(requests: int, folder: Path) -> list[Case]:
    """Every comparison.  requests: of each queue, over all replications.  folder: for an arrival trace."""
    each = requests // REPLICATIONS
    return [*queues(each), *cells(each), *transfers(folder)]


def queues(requests: int) -> Iterator[MeanCase]:
    """Servers under Poisson arrivals, with nothing else that takes time."""
    mean_ms, rate_hz = 10.0, LOAD * 100
    exponential = {"distribution": "exponential", "mean_ms": mean_ms}
    erlang = {"distribution": "erlang", "mean_ms": mean_ms, "k": 4}
    mean_s = mean_ms / 1e3
    what = "mean wait for the server"

    def case(name: str, service: Any, theory_s: float, rate_hz: float = rate_hz, **server: Any) -> MeanCase:
        config = _poisson(requests, rate_hz) | {"models": {"toy": _toy([service], [1])}, "servers": {"edge": server}}
        return MeanCase(name, what, config, lambda request: request.sums[SERVER_WAIT], theory_s, requests)

    yield case("M/M/1", exponential, wait_in_mg1_s(rate_hz, mean_s, 1))
    yield case("M/D/1", mean_ms, wait_in_mg1_s(rate_hz, mean_s, 0))
    yield case("M/M/4", exponential, wait_in_mmk_s(4 * rate_hz, mean_s, 4), 4 * rate_hz, workers=4)
    batch = {"max_size": 1, "max_wait_ms": 50}
    yield case("M/E4/1, batches of 1", erlang, wait_in_mg1_s(rate_hz, mean_s, 0.5), batch=batch)


def cells(requests: int) -> Iterator[MeanCase]:
    """Uplinks by processor sharing, where only the mean of the sizes matters."""
    spread = [1000] * 9 + [31_000]
    for name, sizes in (("equal sizes", [4000]), (f"sizes of cv {_cv(spread):.2f}", spread)):
        mean_s = 8 * sum(sizes) / len(sizes) / 3.2e6
        rate_hz = LOAD / mean_s
        link = _link({"process": "constant", "rate_mbps": 3.2}, sharing="cell")
        cuts = {"type": "random", "codecs": ["raw", "fp32"], "cuts": list(range(len(sizes)))}
        config = _poisson(requests, rate_hz) | {
            "models": {"toy": _toy([0.0] * len(sizes), sizes)},
            "links": {"access": link},
            "policies": {"cuts": cuts},
        }
        theory_s = sojourn_in_processor_sharing_s(rate_hz, mean_s)
        name = f"M/G/1-PS, {name}"
        what = "mean transfer over a cell"
        yield MeanCase(name, what, config, lambda request: request.sums[UPLINK], theory_s, requests)


def transfers(folder: Path) -> Iterator[ExactCase]:
    """Transfers and requests whose end is a closed form."""
    yield _over_steps()
    yield _equal_flows(folder)
    yield _lone_request()


def _over_steps() -> ExactCase:
    steps = [(0.0, 8.0), (0.5, 0.0), (0.8, 2.0), (1.5, 20.0), (2.0, 5.0)]
    size, rate_hz, duration_s = 20_000, 30.0, 200.0
    link = _link({"process": "steps", "steps": [list(step) for step in steps], "ends": "loop"})
    config = _world(rate_hz, duration_s) | {"models": {"toy": _toy([0.0], [size])}, "links": {"access": link}}
    rate = RateInSteps([(time_s, 1e6 * rate_mbps) for time_s, rate_mbps in steps], 2.5)

    def theory(arrivals_s: Sequence[float]) -> Iterator[float]:
        for arrival_s, end_s in zip(arrivals_s, transfer_ends(rate, arrivals_s, 8 * size), strict=True):
            yield end_s - arrival_s

    def measure(request: Request) -> float:
        return request.sums[UPLINK_WAIT] + request.sums[UPLINK]

    return ExactCase("Steps with outages", "transfer and its wait, FIFO uplink", config, measure, theory)


def _equal_flows(folder: Path) -> ExactCase:
    flows, size, rate_mbps = 16, 50_000, 8.0
    (folder / "together.csv").write_text("time_s\n1.0\n", encoding="utf-8")
    config = _world(1.0, 2.0) | {
        "models": {"toy": _toy([0.0], [size])},
        "links": {"access": _link({"process": "constant", "rate_mbps": rate_mbps}, sharing="cell")},
    }
    config["devices"]["source"] |= {"count": flows, "arrivals": {"process": "trace", "file": "together.csv"}}
    end_s = flows * 8 * size / (rate_mbps * 1e6)
    what = "all end at n S / R"
    return ExactCase(
        f"{flows} equal flows",
        what,
        config,
        lambda request: request.sums[UPLINK],
        lambda arrivals_s: [end_s] * len(arrivals_s),
        folder,
    )


def _lone_request() -> ExactCase:
    config = _world(0.1, 100.0) | {
        "models": {"toy": _toy([3.0, 4.0], [30_000, 20_000])},
        "links": {"access": _link({"process": "constant", "rate_mbps": 8.0}) | {"delay_ms": 5.0, "headers": "tcp"}},
        "servers": {"edge": {"processor": {"factor": 0.5}, "result_bytes": 8}},
        "policies": {"split": {"type": "fixed_cut", "cut": 1, "codec": "fp32"}},
    }
    config["devices"]["source"] |= {"processor": {"factor": 2.0}, "arrivals": {"process": "periodic", "rate_hz": 0.1}}
    up_s, down_s = 8 * (20_000 + 14 * 66) / 8e6, 8 * (8 + 66) / FAST_BPS
    latency_s = 2.0 * 0.003 + up_s + 0.005 + 0.5 * 0.004 + down_s + 0.005

    def measure(request: Request) -> float:
        return request.answers[0][0] - request.arrival_s

    what = "compute + transfer + delay + compute + return"
    return ExactCase("A lone request", what, config, measure, lambda arrivals_s: [latency_s] * len(arrivals_s))


FAST_BPS = 1e12
"""A link that takes no time worth speaking of."""


def _world(rate_hz: float, duration_s: float) -> Config:
    return {
        "name": "theory",
        "duration_s": duration_s,
        "data": {"source": "none"},
        "devices": {
            "source": {
                "link": "access",
                "server": "edge",
                "arrivals": {"process": "poisson", "rate_hz": rate_hz},
                "queue": {"bound": None},
            }
        },
        "links": {"access": _link({"process": "constant", "rate_mbps": FAST_BPS / 1e6})},
        "servers": {"edge": {}},
        "policies": {"remote": {"type": "server_only", "codec": "raw"}},
    }


def _poisson(requests: int, rate_hz: float) -> Config:
    """Long enough for the requests that count, and those before them."""
    wanted = WARMUP + requests
    return _world(rate_hz, (wanted + 6 * math.sqrt(wanted)) / rate_hz)


def _toy(blocks_ms: Sequence[Any], state_bytes: Sequence[int]) -> Config:
    return {
        "source": "synthetic",
        "blocks_ms": list(blocks_ms),
        "exits": [len(blocks_ms)],
        "state_bytes": list(state_bytes),
        "accuracy": [0.9],
        "samples": 100,
    }


def _link(up: Mapping[str, Any], sharing: str = "fifo") -> Config:
    down = {"process": "constant", "rate_mbps": FAST_BPS / 1e6}
    shape = {"sharing": sharing, "delay_ms": 0.0, "headers": "none", "prior_mbps": 1.0}
    return {"up": dict(up), "down": down, **shape}


def _cv(values: Sequence[float]) -> float:
    return float(np.std(values) / np.mean(values))


def built(config: Config, seed: int, folder: Path = Path()) -> tuple[Scenario, Assets]:
    """A scenario of theory with its seed, and what its cells share."""
    scenario = build_scenario(config | {"seed": seed}, folder)
    return scenario, load_assets(scenario, decisions={})


class _Measurements:
    """Takes one number of each request that counts; stands in for a recorder."""

    def __init__(self, measure: Measure, counted: range | None) -> None:
        self.found: list[tuple[float, float]] = []
        self._measure, self._counted = measure, counted

    def request(self, request: Request, end_s: float) -> None:
        if self._counted is None or request.number in self._counted:
            self.found.append((request.arrival_s, self._measure(request)))


def measured(
    scenario: Scenario, assets: Assets, replication: int, measure: Measure, counted: range | None = None
) -> list[tuple[float, float]]:
    """(arrival, measured) of every request, or of those whose numbers are ``counted``, in the order of their ends."""
    clock, measurements = SimpyClock(), _Measurements(measure, counted)
    ((policy, spec),) = scenario.policies.items()
    cell = Cell(policy, spec, None, replication)
    world = World(scenario, assets, cell, clock, measurements, assets.test)
    clock.run_until(scenario.end_s)
    world.engine.finish()
    return measurements.found
