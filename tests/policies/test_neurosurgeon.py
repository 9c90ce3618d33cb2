"""Neurosurgeon against brute force, its limits, and the simulation it predicts."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from small_worlds import TOY, scenario_of, simulated

from edgesim.network.headers import wire_bytes
from edgesim.network.radio_power import TransferPower
from edgesim.policies.base import Facts, ModelFacts, ModelShape
from edgesim.policies.neurosurgeon import Neurosurgeon, lower_envelope
from edgesim.policies.steps import Answer, Send, Step
from edgesim.studies.load import load_assets


@dataclass
class ListedCosts:
    """Mean costs written down, in seconds."""

    blocks_s: list[float]
    branch_s: float = 0.0
    encode_s: list[float] = field(default_factory=list)
    decode_s: list[float] = field(default_factory=list)
    mean_preprocess_s: float = 0.0
    overhead_s: float = 0.0

    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float:
        return self.overhead_s + sum(self.blocks_s[start:stop]) if stop > start else 0.0

    def mean_branch_s(self, exit: int, batch: int = 1) -> float:
        return self.branch_s

    def mean_encode_s(self, codec: str, cut: int) -> float:
        return self.encode_s[cut] if self.encode_s else 0.0

    def mean_decode_s(self, codec: str, cut: int) -> float:
        return self.decode_s[cut] if self.decode_s else 0.0


@dataclass
class Case:
    """Everything that the decision depends on."""

    device: ListedCosts
    server: ListedCosts
    state_bytes: list[float]
    rate_bps: float
    delay_s: float = 0.0
    queued_bytes: float = 0.0
    server_wait_s: float = 0.0
    prior_bps: float = 1e9
    headers: str = "none"
    compute_w: float = 3.0
    send: TransferPower = TransferPower(1.0)
    result_bytes: int = 8

    @property
    def blocks(self) -> int:
        return len(self.state_bytes)

    def policy(self, objective: str = "latency") -> Neurosurgeon:
        shape = ModelShape("m", self.blocks, (self.blocks,), ((),) * (self.blocks + 1))
        sizes = {((cut, "int8" if cut else "png"),): size for cut, size in enumerate(self.state_bytes)}
        model = ModelFacts(shape, self.device, {"edge": self.server}, sizes, {})
        policy = Neurosurgeon(["m", "m"], objective)  # type: ignore[arg-type]
        policy.prepare(
            Facts(
                node="camera-0",
                is_device=True,
                server="edge",
                models={"m": model},
                delay_s=self.delay_s,
                prior_rate_bps=self.prior_bps,
                result_bytes={"edge": self.result_bytes},
                headers=self.headers,
                compute_w=self.compute_w,
                send=self.send,
                deadline_known="none",
                deadline_mean_s=None,
                rng=np.random.default_rng(0),
            )
        )
        return policy

    def chosen(self, objective: str = "latency", rate_bps: float | None = None) -> int:
        view: Any = SimpleNamespace(
            rate_bps=self.rate_bps if rate_bps is None else rate_bps,
            queued_bytes=self.queued_bytes,
            server_wait_s=lambda server: self.server_wait_s,
        )
        return cut_of(self.policy(objective).device_steps(None, view), self.blocks)  # type: ignore[arg-type]

    def latency_s(self, cut: int, rate_bps: float) -> float:
        """T(k), summed up anew."""
        device, server = self.device, self.server
        if cut == self.blocks:
            return device.mean_preprocess_s + device.mean_piece_s(0, cut) + device.branch_s
        seconds = device.mean_encode_s("", cut) + 2 * self.delay_s + self.server_wait_s
        seconds += 8 * self.queued_bytes / rate_bps + 8 * self._wire(self.state_bytes[cut]) / rate_bps
        seconds += 8 * self._wire(self.result_bytes) / self.prior_bps
        seconds += server.mean_decode_s("", cut) + server.mean_piece_s(cut, self.blocks) + server.branch_s
        before = device if cut else server
        return seconds + before.mean_preprocess_s + device.mean_piece_s(0, cut)

    def energy_j(self, cut: int, rate_bps: float) -> float:
        device = self.device
        local = cut == self.blocks
        seconds = device.mean_piece_s(0, cut) + (device.mean_preprocess_s if cut else 0.0)
        seconds += device.branch_s if local else device.mean_encode_s("", cut)
        spent_j = self.compute_w * seconds
        if not local:
            bits, send = 8 * self._wire(self.state_bytes[cut]), self.send
            spent_j += send.base_w * bits / rate_bps + send.bit_j * bits + send.packet_j * ceil(bits / 8 / 1514)
        return spent_j

    def _wire(self, size: float) -> int:
        return wire_bytes(round(size), self.headers)  # type: ignore[arg-type]


def cut_of(steps: Any, blocks: int) -> int:
    last: Step = steps[-1]
    if isinstance(last, Answer):
        return blocks
    assert isinstance(last, Send)
    return 0 if last.payload == "image" else steps[0].to_block


seconds = st.floats(0, 0.5)
sizes = st.integers(1, 2_000_000)
rates = st.floats(1e3, 1e10)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    blocks = draw(st.integers(1, 8))

    def listed(count: int) -> list[float]:
        return draw(st.lists(seconds, min_size=count, max_size=count))

    def costs() -> ListedCosts:
        return ListedCosts(listed(blocks), draw(seconds), listed(blocks), listed(blocks), draw(seconds), draw(seconds))

    return Case(
        costs(),
        costs(),
        draw(st.lists(sizes, min_size=blocks, max_size=blocks)),  # type: ignore[arg-type]
        draw(rates),
        delay_s=draw(seconds),
        queued_bytes=draw(st.floats(0, 1e6)),
        server_wait_s=draw(seconds),
        prior_bps=draw(rates),
        headers=draw(st.sampled_from(["tcp", "none"])),
        compute_w=draw(st.floats(0, 20)),
        send=TransferPower(draw(st.floats(0, 5)), draw(st.floats(0, 1e-6)), draw(st.floats(0, 1e-2))),
        result_bytes=draw(st.integers(1, 4000)),
    )


@given(cases())
def test_latency_is_the_least_of_all_cuts(case: Case) -> None:
    costs = [case.latency_s(cut, case.rate_bps) for cut in range(case.blocks + 1)]
    assert costs[case.chosen()] <= min(costs) * (1 + 1e-9) + 1e-12


@given(cases())
def test_energy_is_the_least_of_all_cuts(case: Case) -> None:
    costs = [case.energy_j(cut, case.rate_bps) for cut in range(case.blocks + 1)]
    assert costs[case.chosen("energy")] <= min(costs) * (1 + 1e-9) + 1e-12


def test_close_calls_and_every_cut_both_ends_included() -> None:
    """Costs of like size, so that a term that is off by a little decides wrongly somewhere."""
    chosen = set()
    rng, radios = np.random.default_rng(1), np.random.default_rng(2)
    for _ in range(2000):
        fast = rng.choice([0.05, 0.5, 2])
        device, server = (
            ListedCosts(
                list(speed * rng.random(5)),
                speed * rng.random(),
                list(speed * rng.random(5)),
                list(speed * rng.random(5)),
                speed * rng.random(),
            )
            for speed in (1.0, fast)
        )
        case = Case(
            device,
            server,
            list(rng.integers(1, 10**6, 5)),
            10 ** rng.uniform(4, 9),
            headers="tcp",
            delay_s=rng.random(),
            queued_bytes=1e5 * rng.random(),
            server_wait_s=rng.random(),
            prior_bps=10 ** rng.uniform(2, 9),
            send=TransferPower(radios.random(), 1e-6 * radios.random(), 1e-3 * radios.random()),
        )
        for objective, cost in (("latency", case.latency_s), ("energy", case.energy_j)):
            cut = case.chosen(objective)
            costs = [cost(each, case.rate_bps) for each in range(6)]
            assert costs[cut] <= min(costs) * (1 + 1e-9)
            chosen.add((objective, cut))
    assert len(chosen) == 12, "the comparison would be empty if the same cut always won"


@given(cases())
def test_without_a_rate_everything_stays_and_with_an_endless_one_the_faster_server_gets_it_all(case: Case) -> None:
    assert case.chosen(rate_bps=1e-6) == case.blocks
    device = ListedCosts([1e-3 + each for each in case.device.blocks_s], overhead_s=case.device.overhead_s)
    server = ListedCosts([each / 2 for each in device.blocks_s], overhead_s=device.overhead_s / 2)
    fast = Case(device, server, case.state_bytes, 1e15, prior_bps=1e15)
    assert fast.chosen() == 0


@given(
    blocks=st.integers(2, 9),
    here_ms=st.integers(1, 1000),
    there_ms=st.integers(1, 1000),
    image=sizes,
    state=sizes,
    rate_bps=rates,
    encode_s=seconds,
    wait_s=seconds,
)
def test_equal_blocks_and_equal_states_leave_four_cuts(
    blocks: int, here_ms: int, there_ms: int, image: int, state: int, rate_bps: float, encode_s: float, wait_s: float
) -> None:
    assume(here_ms != there_ms)
    device = ListedCosts([here_ms / 1e3] * blocks, encode_s=[0.0, *[encode_s] * (blocks - 1)])
    server = ListedCosts([there_ms / 1e3] * blocks)
    case = Case(device, server, [image, *[state] * (blocks - 1)], rate_bps, server_wait_s=wait_s)
    assert case.chosen() in {0, 1, blocks - 1, blocks}


@given(cases(), st.lists(rates, min_size=2, max_size=12), st.sampled_from(["latency", "energy"]))
def test_bytes_never_fall_as_the_rate_rises(case: Case, rising: list[float], objective: str) -> None:
    case.queued_bytes = 0.0
    sent = [*(case._wire(size) for size in case.state_bytes), 0]
    policy_bytes = [sent[case.chosen(objective, rate)] for rate in sorted(rising)]
    assert all(before <= after for before, after in pairwise(policy_bytes))


fractions = st.integers(0, 60).map(Fraction)


@given(st.lists(st.tuples(fractions, fractions), min_size=1, max_size=12), st.lists(fractions, min_size=1))
def test_the_lower_envelope_is_the_minimum(lines: list[tuple[Fraction, Fraction]], xs: list[Fraction]) -> None:
    chosen, turns = lower_envelope(lines)  # type: ignore[arg-type]
    assert len(chosen) == len(turns) + 1 and list(turns) == sorted(set(turns))
    assert all(lines[before][1] > lines[after][1] for before, after in pairwise(chosen))
    for x in [*xs, *turns]:  # type: ignore[list-item]
        intercept, slope = lines[chosen[bisect_right(turns, x)]]
        assert intercept + slope * x == min(other + steepness * x for other, steepness in lines)


def test_of_equal_lines_the_first_is_taken() -> None:
    assert lower_envelope([(2.0, 1.0), (1.0, 1.0), (1.0, 1.0)]) == ([1], [])


@pytest.mark.parametrize("headers", ["tcp", "none"])
@pytest.mark.parametrize("rate_mbps", [0.05, 2, 10, 30, 1000])
def test_a_lone_device_does_as_well_as_the_best_fixed_cut(rate_mbps: float, headers: str) -> None:
    """At a constant rate that it knows, the simulated latency is the least of all fixed cuts', request by request."""
    policies: dict[str, Any] = {
        str(cut): {"type": "fixed_cut", "cut": cut, "codec": "int8" if cut else "png"} for cut in range(5)
    }
    policies["neuro"] = {"type": "neurosurgeon", "estimator": {"type": "last"}}
    scenario = scenario_of(
        policies,
        "duration_s=30",
        "devices.camera.arrivals.rate_hz=0.2",
        f"links.access.up.rate_mbps={rate_mbps}",
        f"links.access.prior_mbps={rate_mbps}",
        f"links.access.headers={headers}",
        models={"toy": {**TOY, "state_bytes": [9000, 4000, 2500, 500]}},
    )
    assets = load_assets(scenario)
    latency_s = {name: simulated(scenario, name, assets=assets).latency_s for name in policies}
    best_s = np.min([latency_s[str(cut)] for cut in range(5)], axis=0)
    assert len(best_s) >= 5
    np.testing.assert_allclose(latency_s["neuro"], best_s, rtol=0, atol=1e-9)


def test_it_follows_the_rate_that_it_has_seen() -> None:
    scenario = scenario_of(
        {"neuro": {"type": "neurosurgeon", "estimator": {"type": "last"}}},
        "links.access.prior_mbps=50",
        links={
            "access": {
                "up": {"process": "steps", "steps": [[0, 50], [30.0, 0.2]]},
                "down": {"process": "constant", "rate_mbps": 20},
                "delay_ms": 1,
                "prior_mbps": 50,
            }
        },
    )
    ran = simulated(scenario, "neuro")
    arrivals_s = ran.column(lambda each: each.arrival_s)
    assert set(ran.cuts[arrivals_s < 30]) == {0}
    after = ran.cuts[arrivals_s > 30]
    assert after[0] == 0 and set(after[1:]) == {-1}, "one slow transfer tells it to stay"
