"""Waits, request by request, against the recursions of Lindley (1952) and of Kiefer and Wolfowitz (1955)."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from little_worlds import assets_of, device, link, linked, lucks, run, toy, world


def lindley(arrivals: np.ndarray, services: np.ndarray) -> np.ndarray:
    """W(n+1) = max(W(n) + S(n) - (A(n+1) - A(n)), 0)."""
    waits = [0.0]
    for service, gap in zip(services, np.diff(arrivals), strict=False):
        waits.append(max(waits[-1] + service - gap, 0.0))
    return np.array(waits)


def kiefer_wolfowitz(arrivals: np.ndarray, services: np.ndarray, workers: int) -> np.ndarray:
    """The workers' sorted backlogs: V(n+1) = sort(max(V(n) + S(n) e1 - gap, 0)); the wait is the least of them."""
    backlog, waits = np.zeros(workers), []
    for service, gap in zip(services, np.diff(arrivals, append=math.inf), strict=True):
        waits.append(backlog[0])
        backlog[0] += service
        backlog = np.sort(np.maximum(backlog - gap, 0.0))
    return np.array(waits)


def exponential_of(scenario, node: str, requests: pd.DataFrame, mean_s: float) -> np.ndarray:
    """Service times that the keyed draws of the requests mean, without asking the engine."""
    counts = requests.groupby("device").number.max() + 1
    drawn = {name: lucks(scenario, node or name, name, count) for name, count in counts.items()}
    pairs = zip(requests.device, requests.number, strict=True)
    return np.array([-mean_s * math.log1p(-drawn[name][number]) for name, number in pairs])


def test_waits_for_a_devices_processor() -> None:
    scenario = world(devices={"cam": device(85)}, duration_s=60, policies={"p": {"type": "device_only"}})
    rows = run(scenario).requests
    services = exponential_of(scenario, "", rows, 0.01)
    assert len(rows) > 4000 and rows.device_wait_s.max() > 0.1
    assert np.abs(rows.device_compute_s - services).max() < 1e-12
    assert np.abs(rows.device_wait_s - lindley(rows.arrival_s.values, services)).max() < 1e-9
    assert np.abs(rows.latency_s - rows.device_wait_s - services).max() < 1e-9


@pytest.mark.parametrize("workers", [1, 3])
def test_waits_for_a_server(workers: int) -> None:
    """Several devices behind links of their own, with delays, so that the server sees a mixture."""
    devices = {f"d{n}": linked(17 * workers) for n in range(5)}
    links = {"l": link(8, 8, delay_ms=7, headers="tcp")}
    scenario = world(devices=devices, links=links, servers={"edge": {"workers": workers}}, duration_s=30)
    rows = run(scenario).requests
    rows["reach_s"] = rows.arrival_s + rows.device_wait_s + rows.uplink_wait_s + rows.uplink_s + 0.007
    rows = rows.sort_values("reach_s")
    services = exponential_of(scenario, "edge", rows, 0.01)
    assert np.abs(rows.server_s - services).max() < 1e-9
    assert rows.server_wait_s.max() > 0.02
    assert np.abs(rows.server_wait_s - kiefer_wolfowitz(rows.reach_s.values, services, workers)).max() < 1e-9


def test_waits_for_an_uplink() -> None:
    """Payloads that vary by sample; a device's processor that takes no time."""
    scenario = world(models={"toy": toy([0.0])}, devices={"cam": linked(80)}, links={"l": link(0.8)}, duration_s=60)
    sizes = np.random.default_rng(3).integers(50, 2000, 200)
    rows = run(scenario, assets_of(scenario, payload_bytes=lambda samples: sizes)).requests
    services = 8 * sizes[rows["sample"]] / 0.8e6
    assert (rows.bytes_up == sizes[rows["sample"]]).all()
    assert np.abs(rows.uplink_s - services).max() < 1e-9
    assert rows.uplink_wait_s.max() > 0.1
    assert np.abs(rows.uplink_wait_s - lindley(rows.arrival_s.values, services)).max() < 1e-9


def test_waits_for_a_downlink() -> None:
    """Answers of a deterministic server are sent one after the other."""
    servers = {"edge": {"workers": 4, "result_bytes": 1000}}
    scenario = world(models={"toy": toy([20.0])}, links={"l": link(1e9, 0.9)}, servers=servers, duration_s=60)
    rows = run(scenario).requests
    leave_s = rows.arrival_s + rows.server_wait_s + rows.server_s
    services = np.full(len(rows), 8000 / 0.9e6)
    assert rows.downlink_wait_s.max() > 0.005
    assert np.abs(rows.downlink_wait_s - lindley(leave_s.values, services)).max() < 1e-9
