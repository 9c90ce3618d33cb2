"""Transfers in the engine's records against the integral of the rate, and the bytes on the wire (rule 23)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from little_worlds import assets_of, at_times, link, linked, run, toy, world

from edgesim.network.headers import wire_bytes


def write_trace(folder: Path, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    """A trace with uneven rows and outages; its edges (s) and rates (b/s), one loop."""
    rng = np.random.default_rng(seed)
    edges = np.concatenate([[0.0], np.cumsum(rng.uniform(0.05, 0.5, 120))])
    rates = np.round(rng.lognormal(0.5, 1.0, 120) * (rng.random(120) > 0.15), 3)
    rows = zip(edges[:-1].tolist(), rates.tolist(), strict=True)
    (folder / "trace.csv").write_text("time_s,rate_mbps\n" + "".join(f"{time!r},{rate!r}\n" for time, rate in rows))
    edges[-1] = 2 * edges[-2] - edges[-3]
    return edges, rates * 1e6


def finish(edges: np.ndarray, rates: np.ndarray, start_s: float, bits: float) -> float:
    """Inverse of the cumulative rate of the looped trace, on one long table."""
    loops = 1 + int((start_s + 1e3) // edges[-1])
    period = edges[-1]
    long_edges = np.concatenate([[0.0], *(edges[1:] + n * period for n in range(loops))])
    flown = np.concatenate([[0.0], np.cumsum(np.tile(rates, loops) * np.diff(long_edges))])
    target = np.interp(start_s, long_edges, flown) + bits
    at = np.searchsorted(flown, target)
    return long_edges[at - 1] + (target - flown[at - 1]) / np.tile(rates, loops)[at - 1]


@pytest.mark.parametrize("headers", ["tcp", "none"])
def test_transfers_end_where_the_cumulative_rate_says(tmp_path: Path, headers: str) -> None:
    edges, rates = write_trace(tmp_path)
    up = {"process": "trace", "file": "trace.csv", "offset": "none"}
    links = {"l": link(up, 50, headers=headers, delay_ms=10)}
    sizes = np.random.default_rng(2).integers(1, 40_000, 200)
    scenario = world(models={"toy": toy([0.0])}, devices={"a": linked(6)}, links=links, folder=tmp_path, duration_s=60)
    rows = run(scenario, assets_of(scenario, payload_bytes=lambda samples: sizes)).requests
    starts = rows.arrival_s + rows.uplink_wait_s
    wire = [wire_bytes(int(size), headers) for size in sizes[rows["sample"]]]
    expected = np.array([finish(edges, rates, *pair) for pair in zip(starts, 8 * np.array(wire), strict=True)])
    assert len(rows) > 300
    assert np.abs((starts + rows.uplink_s) / expected - 1).max() < 1e-9
    assert rows.uplink_wait_s.max() > 1


@pytest.mark.parametrize(
    ("payload", "wire"), [(1, 67), (1448, 1514), (1449, 1581), (6151, 6481), (151_296, 151_296 + 105 * 66)]
)
def test_header_bytes_on_the_wire(tmp_path: Path, payload: int, wire: int) -> None:
    links = {"l": link(1, 1, headers="tcp")}
    devices = {"a": linked(arrivals=at_times(tmp_path, [0.5]))}
    servers = {"edge": {"result_bytes": 1449}}
    models = {"toy": toy([0.0], state_bytes=[payload])}
    tables = run(world(models=models, devices=devices, links=links, servers=servers, folder=tmp_path))
    (row,) = tables.requests.itertuples()
    assert row.uplink_s == pytest.approx(8 * wire / 1e6, rel=1e-12)
    assert row.downlink_s == pytest.approx(8 * 1581 / 1e6, rel=1e-12)
    assert (row.bytes_up, row.bytes_down) == (payload, 1449)
    by = tables.links.set_index("direction")
    assert (by.loc["up", "bytes"], by.loc["up", "wire_bytes"]) == (payload, wire)
    assert (by.loc["down", "bytes"], by.loc["down", "wire_bytes"]) == (1449, 1581)


def test_busy_time_of_a_links_directions_lies_in_the_window() -> None:
    scenario = world(links={"l": link(0.9, 0.5)}, duration_s=30, warmup_s=9, servers={"edge": {"result_bytes": 400}})
    tables = run(scenario)
    rows = tables.requests
    starts = rows.arrival_s + rows.uplink_wait_s
    inside = np.clip(starts + rows.uplink_s, 9, 30) - np.clip(starts, 9, 30)
    by = tables.links.set_index("direction")
    assert by.loc["up", "busy_s"] == pytest.approx(inside.sum(), rel=1e-9)
    leaves = rows.arrival_s + rows.latency_s - rows.downlink_s
    inside = np.clip(leaves + rows.downlink_s, 9, 30) - np.clip(leaves, 9, 30)
    assert by.loc["down", "busy_s"] == pytest.approx(inside.sum(), rel=1e-9)
    assert 10 < by.loc["up", "busy_s"] <= 21


def test_what_is_sent_on_a_dead_link_stays_unfinished(tmp_path: Path) -> None:
    up = {"process": "steps", "steps": [[0, 1], [1, 0]], "ends": "hold"}
    devices = {"a": linked(arrivals=at_times(tmp_path, [0.5, 0.999, 1.5]))}
    scenario = world(devices=devices, links={"l": link(up)}, models={"toy": toy([1.0])}, folder=tmp_path, drain_s=5)
    rows = run(scenario).requests
    assert list(rows.end) == ["on_time", "unfinished", "unfinished"]
    assert list(rows.reason) == ["", "end of run", "end of run"]
    assert rows.uplink_s.tolist()[1:] == [0.0, 0.0]
