from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_run import requests_of, scenario, write_run

from edgesim.results.recorded import RecordedRun
from edgesim.results.usage import link_usage, node_usage


@pytest.fixture
def run(tmp_path: Path) -> RecordedRun:
    """Two replications; one server with two workers, two cameras and their uplinks."""
    replication = np.repeat([0, 1], 3)
    return RecordedRun(
        write_run(
            tmp_path,
            scenario(),
            requests=requests_of(2, replication=[0, 1], axis_deadline_ms=np.nan),
            nodes={
                "axis_deadline_ms": np.nan,
                "replication": replication,
                "node": ["edge", "camera-0", "camera-1"] * 2,
                "busy_s": [60.0, 6.0, 18.0, 120.0, 0.0, 0.0],
                "workers": [2, 1, 1] * 2,
                "served": [120, 60, 0, 60, 0, 0],
                "batches": [60, 60, 0, 60, 0, 0],
                "queue_max": [5, 1, 3, 7, 0, 0],
                "queue_mean": [1.0, 0.2, 0.4, 3.0, 0.0, 0.0],
                "window_s": 60.0,
                "energy_idle_j": [100.0, 10.0, 12.0, 100.0, 0.0, 0.0],
                "energy_tail_j": [0.0, 1.0, 2.0, 0.0, 3.0, 4.0],
                "away_s": [0.0, 6.0, 0.0, 0.0, 60.0, 60.0],
            },
            links={
                "axis_deadline_ms": np.nan,
                "replication": [0, 0, 0],
                "link": "access",
                "device": ["camera-0", "camera-1", "camera-0"],
                "direction": ["up", "up", "down"],
                "busy_s": [30.0, 6.0, 3.0],
                "bytes": [1000, 500, 8],
                "delivered_bytes": [1000, 300, 8],
                "lost_bytes": [0, 200, 0],
                "cancelled_bytes": [0, 0, 0],
                "wire_bytes": [1066, 566, 74],
                "transfers": [1, 1, 1],
            },
        )
    )


def test_servers_stand_alone_and_devices_are_added_up_by_class(run: RecordedRun) -> None:
    usage = node_usage(run.tables.nodes, run.cells, run.axis.means_s)
    assert list(usage) == ["edge", "camera"]
    assert usage["edge"]["utilisation"] == pytest.approx([0.5, 1.0])
    assert usage["edge"]["batch_size"] == pytest.approx([2.0, 1.0])
    assert usage["camera"]["utilisation"] == pytest.approx([0.2, 0.0])
    assert usage["camera"]["served_hz"] == pytest.approx([1.0, 0.0])
    assert usage["camera"]["queue_max"] == pytest.approx([3.0, 0.0])
    assert usage["camera"]["queue_mean"] == pytest.approx([0.3, 0.0])
    assert usage["camera"]["energy_idle_j"] == pytest.approx([22.0, 0.0])
    assert usage["camera"]["energy_tail_j"] == pytest.approx([3.0, 7.0])
    assert usage["camera"]["away_share"] == pytest.approx([0.05, 1.0])
    assert np.isnan(usage["camera"]["batch_size"][1])


def test_links_are_added_up_by_direction(run: RecordedRun) -> None:
    usage = link_usage(run.tables.links, run.cells, 60.0)
    assert list(usage) == ["access/up", "access/down"]
    assert usage["access/up"]["utilisation"][0] == pytest.approx(0.3)
    assert usage["access/up"]["payload_bytes"][0] == 1500
    assert usage["access/up"]["lost_bytes"][0] == 200
    assert usage["access/up"]["wire_bytes"][0] == 1632
    assert usage["access/down"]["transfers"][0] == 1
    assert np.isnan(usage["access/up"]["utilisation"][1])
