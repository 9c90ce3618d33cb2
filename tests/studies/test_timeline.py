"""The trace of a run says what its records say, in the form that viewers read."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_runs import read, small

from edgesim.cli import main
from edgesim.errors import InputError
from edgesim.results.timeline import Slice, Track, as_trace, lanes
from edgesim.studies.run import run_scenario
from edgesim.studies.timeline import timeline_of

ALL = range(0, 10_000)
Event = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_scenario(small(replications=2), tmp_path_factory.mktemp("runs")).folder


@pytest.fixture(scope="module")
def events(folder: Path) -> list[Event]:
    found: list[Event] = as_trace(timeline_of(folder, ALL, "anytime", 1))["traceEvents"]
    return found


def test_it_is_of_the_form_that_viewers_read(events: list[Event]):
    named = {(event["pid"], event.get("tid")) for event in events if event["ph"] == "M"}
    times = [event["ts"] for event in events if event["ph"] != "M"]
    assert times == sorted(times) and times[0] >= 0
    assert {event["ph"] for event in events} == {"M", "X", "s", "t", "f", "i", "C"}
    for event in events:
        assert event["name"] and (event["pid"], None if event["ph"] == "C" else event.get("tid")) in named
        if event["ph"] == "X":
            assert event["dur"] >= 0
    json.dumps(events, allow_nan=False)


def test_slices_of_a_track_are_nested_or_apart(events: list[Event]):
    tracks = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for found in tracks.values():
        open_until: list[float] = []
        for start, stop in sorted(found, key=lambda each: (each[0], -each[1])):
            while open_until and open_until[-1] <= start + 1e-6:
                open_until.pop()
            assert not open_until or stop <= open_until[-1] + 1e-6
            open_until.append(stop)


def test_arrows_begin_at_the_arrival_and_end_at_the_last_answer(folder: Path, events: list[Event]):
    flows = defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            flows[event["name"]].append(event)
    requests, answers = (read(folder, table) for table in ("requests", "answers"))
    cell = "policy == 'anytime' and replication == 1"
    last_s = answers.query(cell).groupby(["device", "number"], observed=True)["time_s"].max()
    rows = requests.query(cell)
    assert len(rows) == len(flows) > 20
    for row in rows.itertuples():
        first, *_, last = flows[f"{row.device}/{row.number}"]
        assert (first["ph"], last["ph"]) == ("s", "f")
        assert first["ts"] == pytest.approx(1e6 * row.arrival_s, abs=1e-2)
        if (row.device, row.number) in last_s:
            assert last["ts"] == pytest.approx(1e6 * (row.arrival_s + last_s[row.device, row.number]), abs=1e-2)


def test_what_a_request_is_told_of_is_its_row(folder: Path, events: list[Event]):
    rows = read(folder, "requests").query("policy == 'anytime' and replication == 1")
    lives = {event["name"]: event for event in events if event["ph"] == "X" and event["cat"] == "requests"}
    for row in rows.itertuples():
        said = lives[f"{row.device}/{row.number}"]["args"]
        assert (said["end"], said["sample"], said["exit"], said["cut"]) == (row.end, row.sample, row.exit, row.cut)
        assert said["latency_ms"] == pytest.approx(1e3 * row.latency_s)


def test_a_lone_request_takes_what_its_costs_are(tmp_path: Path):
    """2 ms + 3 ms + 5 ms of blocks and 0.5 ms of branch: cut 1 sent at 8 Mb/s, 1 ms of propagation, a server that is
    twice as fast."""
    model = {"source": "synthetic", "blocks_ms": [2, 3, 5], "branch_ms": 0.5, "exits": [3], "state_bytes": [4000] * 3,
             "accuracy": [0.9], "samples": 10}  # fmt: skip
    camera = {"count": 1, "arrivals": {"process": "periodic", "rate_hz": 1}, "link": "access", "server": "edge"}
    link = {"up": {"process": "constant", "rate_mbps": 8}, "down": {"process": "constant", "rate_mbps": 8},
            "delay_ms": 1, "headers": "none", "prior_mbps": 8}  # fmt: skip
    scenario = small(models={"toy": model}, devices={"camera": camera}, links={"access": link}, duration_s=1.5,
                     warmup_s=0, replications=1, deadlines_ms=[], servers={"edge": {"processor": {"factor": 0.5}}},
                     policies={"split": {"type": "fixed_cut", "cut": 1, "codec": "fp32"}})  # fmt: skip
    folder = run_scenario(scenario, tmp_path).folder
    slices = {
        event["name"]: (event["ts"], event["dur"])
        for event in as_trace(timeline_of(folder, range(1)))["traceEvents"]
        if event["ph"] == "X"
    }
    arrival_us = slices["camera-0/0"][0]
    row = read(folder, "requests").iloc[0]
    computed_us = 1e6 * row.device_compute_s
    assert computed_us == pytest.approx(2000)
    assert slices["camera-0/0 compute"] == pytest.approx((arrival_us, 2000))
    sent_us = 8 * row.bytes_up / 8  # bits at 8 bits a microsecond
    assert slices["camera-0/0 send"] == pytest.approx((arrival_us + 2000, sent_us))
    assert slices["camera-0/0 serve"] == pytest.approx((arrival_us + 2000 + sent_us + 1000, 0.5 * 8500))
    assert slices["camera-0/0"][1] == pytest.approx(1e6 * row.latency_s)


def test_slices_that_overlap_get_lanes_of_their_own():
    track = Track("server", "worker")
    slices = [Slice(track, name, start, stop) for name, start, stop in (("a", 0, 2), ("b", 1, 3), ("c", 2, 4))]
    assert [[each.name for each in lane] for lane in lanes(slices)] == [["a", "c"], ["b"]]


BAD: dict[str, tuple[list[str], str]] = {
    "backwards": (["--requests", "5..1"], "--requests 5..1: allowed: a..b"),
    "no range": (["--requests", "5"], "--requests 5: allowed: a..b"),
    "beyond the last": (["--requests", "99999..100000"], "--requests 99999..100000: there are"),
    "unknown policy": (["--policy", "nobody"], "--policy nobody: the run has local, "),
    "unknown replication": (["--replication", "7"], "--replication 7: the run has 0..1"),
    "unknown deadline": (["--policy", "clairvoyant", "--deadline", "7"], "--deadline 7: clairvoyant was run at 5, 15"),
}


@pytest.mark.parametrize("name", BAD)
def test_the_error_says_what_to_mend(folder: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]):
    asked, message = BAD[name]
    with pytest.raises(SystemExit) as stop:
        main(["timeline", str(folder), *asked, "-o", str(tmp_path / "t.json")])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_file_beside_the_run(folder: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        main(["timeline", str(folder), "--requests", "0..9", "--policy", "clairvoyant"])
    assert stop.value.code == 0
    written = folder / "timeline-clairvoyant-0.json"
    assert json.loads(written.read_text())["otherData"]["requests"] == "0..9"
    written.unlink()


def test_a_run_that_comes_out_otherwise_is_refused(folder: Path, tmp_path: Path):
    other = copytree(folder, tmp_path / "other")
    rows = pq.read_table(other / "requests.parquet")
    place = rows.schema.get_field_index("latency_s")
    latency_s = rows["latency_s"].to_numpy().copy()
    latency_s[3] += 1e-3
    pq.write_table(rows.set_column(place, "latency_s", pa.array(latency_s)), other / "requests.parquet")
    policy, replication = (rows[name][3].as_py() for name in ("policy", "replication"))
    with pytest.raises(InputError, match="comes out otherwise now .latency_s in requests.parquet differs"):
        timeline_of(other, ALL, policy, replication)
