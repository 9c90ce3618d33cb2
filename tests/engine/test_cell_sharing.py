"""A cell, through the whole engine, against a brute-force simulation of processor sharing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from little_worlds import assets_of, link, linked, run, toy, world

STEPS = [[0, 6], [2, 1.5], [3, 0], [3.4, 9], [5, 3]]


def rate_bps(time_s: float, steps: list[list[float]]) -> tuple[float, float]:
    """The rate from a time on, and until when it holds; steps loop."""
    period = 2 * steps[-1][0] - steps[-2][0]
    passes, within = divmod(time_s, period)
    edges = [each[0] for each in steps] + [period]
    index = max(n for n in range(len(steps)) if edges[n] <= within)
    return steps[index][1] * 1e6, passes * period + edges[index + 1]


def shared(arrivals: np.ndarray, bits: np.ndarray, steps: list[list[float]]) -> np.ndarray:
    """When each flow ends: between any two events every flow gets an equal part of the rate."""
    finishes = np.full(len(arrivals), math.nan)
    left: dict[int, float] = {}
    now, arriving = 0.0, 0
    while left or arriving < len(arrivals):
        rate, until = rate_bps(now, steps)
        if arriving < len(arrivals):
            until = min(until, arrivals[arriving])
        if left and rate:
            until = min(until, now + min(left.values()) * len(left) / rate)
        for flow in left:
            left[flow] -= rate * (until - now) / len(left)
        now = until if until > now else math.nextafter(now, math.inf)
        for flow in [flow for flow, bits_left in left.items() if bits_left < 1e-4]:
            finishes[flow] = now
            del left[flow]
        while arriving < len(arrivals) and arrivals[arriving] <= now:
            left[arriving] = bits[arriving]
            arriving += 1
    return finishes


def test_the_uplink_of_many_devices() -> None:
    devices = {"a": linked(20, count=4), "b": linked(35, processor={"factor": 2})}
    up = {"process": "steps", "steps": STEPS, "ends": "loop"}
    links = {"l": link(up, 30, sharing="cell", delay_ms=4, headers="tcp")}
    models = {"toy": toy([2.0, 3.0], state_bytes=[1000, 4000])}
    policies = {"p": {"type": "fixed_cut", "cut": 1, "codec": "int8"}}
    scenario = world(devices=devices, links=links, models=models, policies=policies, duration_s=40)
    sizes = np.random.default_rng(5).integers(200, 6000, 200)
    tables = run(scenario, assets_of(scenario, payload_bytes=lambda samples: sizes))
    rows: pd.DataFrame = tables.requests
    rows["accepted_s"] = rows.arrival_s + rows.device_wait_s + rows.device_compute_s
    rows = rows.sort_values("accepted_s", ignore_index=True)
    wire = sizes[rows["sample"]] + 66 * -(-sizes[rows["sample"]] // 1448)
    finishes = shared(rows.accepted_s.values, 8 * wire, STEPS)
    assert len(rows) > 3500
    assert (rows.uplink_wait_s == 0).all()
    assert np.abs(rows.accepted_s + rows.uplink_s - finishes).max() < 1e-9 * finishes.max()
    up_row = tables.links[tables.links.direction == "up"].iloc[0]
    assert (up_row.wire_bytes, up_row.transfers) == (wire.sum(), len(rows))


def test_the_downlink_of_many_devices() -> None:
    devices = {"a": linked(60, count=3)}
    links = {"l": link(100, {"process": "steps", "steps": STEPS, "ends": "loop"}, sharing="cell", delay_ms=4)}
    servers = {"edge": {"workers": 3, "result_bytes": 1500}}
    rows = run(world(devices=devices, links=links, servers=servers, duration_s=20)).requests
    rows["leave_s"] = rows.arrival_s + rows.uplink_s + 0.004 + rows.server_wait_s + rows.server_s
    rows = rows.sort_values("leave_s", ignore_index=True)
    finishes = shared(rows.leave_s.values, np.full(len(rows), 12000.0), STEPS)
    assert np.abs(rows.leave_s + rows.downlink_s - finishes).max() < 1e-9 * finishes.max()
    assert np.abs(rows.arrival_s + rows.latency_s - finishes - 0.004).max() < 1e-9 * finishes.max()


@pytest.mark.parametrize("overload", [False, True])
def test_busy_time_of_a_cell_lies_in_the_window(overload: bool) -> None:
    """Against the union of the transfers; in overload the cell never empties before the run ends."""
    links = {"l": link(0.35 if overload else 1.0, sharing="cell")}
    models = {"toy": toy([0.0])}
    scenario = world(models=models, links=links, devices={"a": linked(50)}, duration_s=30, warmup_s=7, drain_s=1)
    tables = run(scenario)
    up = tables.links[tables.links.direction == "up"].iloc[0]
    if overload:
        assert (tables.requests.end == "unfinished").any()
        assert up.busy_s == pytest.approx(23, abs=0.05)
        return
    covered, until = 0.0, 7.0
    for start, stop in zip(
        tables.requests.arrival_s, tables.requests.arrival_s + tables.requests.uplink_s, strict=True
    ):
        covered += max(0.0, min(stop, 30.0) - max(start, until))
        until = max(until, min(stop, 30.0))
    assert up.busy_s == pytest.approx(covered, rel=1e-9)
