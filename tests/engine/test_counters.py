"""What nodes report over the measured window, against the rows; Little's law."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from little_worlds import EXPONENTIAL, Tables, link, linked, run, toy, world

LOW, HIGH = 20.0, 220.0


def server_run(**changes: Any) -> Tables:
    spec = linked(24, count=3)
    policies = {"p": {"type": "fixed_cut", "cut": 0, "codec": "raw"}}
    return run(world(devices={"cam": spec}, policies=policies, duration_s=HIGH, warmup_s=LOW, **changes))


def inside(start: Any, stop: Any) -> float:
    return float((np.clip(stop, LOW, HIGH) - np.clip(start, LOW, HIGH)).sum())


@pytest.mark.parametrize("batch", [{"max_size": 1}, {"max_size": 4, "max_wait_ms": 10}])
def test_littles_law_at_the_server(batch: dict[str, float]) -> None:
    """Mean queue = rate x mean wait; the exact overlap of every wait with the window besides."""
    tables = server_run(servers={"edge": {"batch": batch}})
    rows, node = tables.requests, tables.node("edge")
    counted = rows[rows.counted]
    rate_hz = len(counted) / (HIGH - LOW)
    assert node.queue_mean == pytest.approx(rate_hz * counted.server_wait_s.mean(), rel=0.03)
    joins = rows.arrival_s + rows.device_wait_s + rows.uplink_wait_s + rows.uplink_s
    assert node.queue_mean == pytest.approx(inside(joins, joins + rows.server_wait_s) / (HIGH - LOW), rel=1e-6)
    assert node.queue_mean > 0.3


def test_busy_time_services_and_batches_lie_in_the_window() -> None:
    tables = server_run()
    rows, node = tables.requests, tables.node("edge")
    ends = rows.arrival_s + rows.latency_s
    assert node.busy_s == pytest.approx(inside(ends - rows.server_s, ends), rel=1e-6)
    assert node.served == node.batches == ((ends >= LOW) & (ends <= HIGH)).sum()
    assert node.window_s == HIGH - LOW
    assert node.busy_s < HIGH - LOW


def test_a_devices_queue_and_busy_time() -> None:
    policies = {"p": {"type": "device_only"}}
    tables = run(world(devices={"cam": linked(80)}, policies=policies, duration_s=HIGH, warmup_s=LOW))
    rows, node = tables.requests, tables.node("cam-0")
    begins = rows.arrival_s + rows.device_wait_s
    assert node.queue_mean == pytest.approx(inside(rows.arrival_s, begins) / (HIGH - LOW), rel=1e-6)
    assert node.busy_s == pytest.approx(inside(begins, begins + rows.device_compute_s), rel=1e-6)
    joined, left = (each[rows.device_wait_s > 0].values for each in (rows.arrival_s, begins))
    assert node.queue_max == (1 + np.arange(len(joined)) - np.searchsorted(left, joined)).max()


def test_a_queue_that_is_never_emptied_counts_to_the_windows_end() -> None:
    """One request is in service from the first moment to the cap: all the others wait, to the end of the window."""
    models = {"toy": toy([1e6])}
    policies = {"p": {"type": "device_only"}}
    tables = run(world(models=models, devices={"cam": linked(20)}, policies=policies, duration_s=10, drain_s=5))
    waiting = tables.requests.arrival_s[1:]
    assert tables.node("cam-0").queue_mean == pytest.approx((10 - waiting).sum() / 10, rel=1e-9)
    assert set(tables.requests.end) == {"unfinished"}


def test_utilisation_of_several_workers() -> None:
    tables = server_run(servers={"edge": {"workers": 2}}, models={"toy": toy([EXPONENTIAL])})
    rows, node = tables.requests, tables.node("edge")
    assert node.workers == 2
    assert node.busy_s == pytest.approx(rows.server_s[rows.counted].sum(), rel=0.01)


def test_links_count_what_they_carry() -> None:
    tables = server_run(links={"l": link(10, 10, headers="tcp")})
    rows = tables.requests
    for direction, column, wire in (("up", "bytes_up", 1066), ("down", "bytes_down", 74)):
        own = tables.links[tables.links.direction == direction]
        assert own.bytes.sum() == rows[column].sum()
        assert own.transfers.sum() == len(rows)
        assert own.wire_bytes.sum() == wire * len(rows)
        assert own.device.tolist() == ["cam-0", "cam-1", "cam-2"]


@pytest.mark.parametrize(
    "server", [{}, {"workers": 2}, {"batch": {"max_size": 2}}, {"scheduler": {"type": "imprecise"}}]
)
def test_what_is_in_service_when_the_run_is_over_has_kept_its_worker_busy(server: dict[str, Any]) -> None:
    if "scheduler" in server:
        server = {**server, "queue": {"order": "edf"}}
    deadline = {"distribution": "fixed", "ms": 1e7, "known": "exact"}
    spec = {"cam": linked(20, deadline=deadline)}
    tables = run(world(models={"toy": toy([1e6])}, devices=spec, servers={"edge": server}, duration_s=10, drain_s=5))
    starts = tables.requests.arrival_s[: server.get("workers", 1)]
    assert tables.node("edge").busy_s == pytest.approx((10 - starts).sum(), rel=1e-6)


@pytest.mark.parametrize("server", [{}, {"scheduler": {"type": "imprecise"}, "queue": {"order": "edf"}}])
def test_what_is_in_service_when_the_run_is_over_does_not_wait(server: dict[str, Any]) -> None:
    deadline = {"distribution": "fixed", "ms": 1e7, "known": "exact"}
    spec = {"cam": linked(20, deadline=deadline)}
    tables = run(world(models={"toy": toy([1e6])}, devices=spec, servers={"edge": server}, duration_s=10, drain_s=5))
    assert tables.node("edge").queue_mean == pytest.approx((10 - tables.requests.arrival_s[1:]).sum() / 10, rel=1e-6)
