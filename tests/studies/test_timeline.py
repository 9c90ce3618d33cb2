"""The trace of a run says what its records say, in the form that viewers read."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_runs import BASE, read, small
from traces import check, ns

from edgesim.cli import main
from edgesim.errors import InputError
from edgesim.results.timeline import Slice, Timeline, Track, as_trace, lanes
from edgesim.scenario.load import load_scenario
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
    assert {event["ph"] for event in events} == {"M", "X", "s", "t", "f", "i", "C"}
    check(events)
    json.dumps(events, allow_nan=False)


@pytest.mark.parametrize("start_ns", [0, 7, 1001, 123_456_789, 3_600_000_000_007])
def test_viewers_read_the_nanoseconds_that_are_meant(start_ns: int):
    """Slices that follow each other by a nanosecond, whatever that is as a fraction of a microsecond."""
    track, times_s = Track("a", "b"), [1e-9 * time_ns for time_ns in range(start_ns, start_ns + 2000)]
    slices = [Slice(track, "c", start_s, stop_s) for start_s, stop_s in pairwise(times_s)]
    found = as_trace(Timeline({}, [track], slices))["traceEvents"]
    check(found)
    read_ns = [ns(event["ts"]) for event in found if event["ph"] == "X"]
    assert read_ns == list(range(start_ns, start_ns + 1999))


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


def test_arrows_are_bound_to_their_own_slices_where_others_end_there():
    """Two requests that a processor computes one behind the other: see ``traces``."""
    lives, work = Track("device", "requests"), Track("device", "processor")
    slices = []
    for name, arrival_s, start_s, stop_s in (("a", 0.1, 0.1, 0.3), ("b", 0.2, 0.3, 0.7)):
        slices += [
            Slice(lives, name, arrival_s, stop_s, {}, name, name),
            Slice(lives, f"{name} answer", stop_s, stop_s, {}, name, name),
            Slice(work, f"{name} compute", start_s, stop_s, {}, name),
        ]
    check(as_trace(Timeline({}, [lives, work], slices))["traceEvents"])


def test_what_holds_throughout_is_drawn_to_the_end(events: list[Event]):
    """A counter of one step is not drawn by chrome://tracing."""
    steps = defaultdict(list)
    for event in events:
        if event["ph"] == "C":
            steps[event["pid"], event["name"]].append(ns(event["ts"]))
    assert len(steps) > 2 and len({(each[0], each[-1]) for each in steps.values() if len(each) > 1}) == 1
    assert all(len(each) > 1 for each in steps.values())


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
    (written,) = folder.glob("timeline-*.json")
    about = json.loads(written.read_text())["otherData"]
    assert about["requests"] == "0..9"
    assert written.name == f"timeline-clairvoyant-0-{about['deadline_ms']:g}ms.json"
    written.unlink()


def test_each_deadline_has_a_file_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]):
    for deadline_ms in ("5", "15"):
        with pytest.raises(SystemExit, match="^0$"):
            main(["timeline", str(folder), "--requests", "0..9", "--policy", "clairvoyant", "--deadline", deadline_ms])
    for deadline_ms in (5, 15):
        written = folder / f"timeline-clairvoyant-0-{deadline_ms}ms.json"
        assert json.loads(written.read_text())["otherData"]["deadline_ms"] == deadline_ms
        written.unlink()


RATES = {"process": "trace", "file": "rates.csv", "offset": "none"}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario that names a file, in a folder of its own, beside its run."""
    link = {**BASE["links"]["access"], "up": RATES}
    data = {**BASE, "links": {"access": link}, "policies": {"neuro": {"type": "neurosurgeon"}}, "replications": 1}
    (tmp_path / "asked").mkdir()
    (tmp_path / "asked" / "small.yaml").write_text(json.dumps(data))
    (tmp_path / "asked" / "rates.csv").write_text("time_s,rate_mbps\n0,5\n1,1\n2,8\n")
    monkeypatch.chdir(tmp_path)
    run_scenario(load_scenario(Path("asked/small.yaml")))
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit, match="^2$"):
        main(["timeline", *arguments])
    return capsys.readouterr().err


def test_a_run_is_found_by_its_scenario(bench: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="^0$"):
        main(["timeline", "asked/small.yaml"])
    (folder,) = (bench / "runs").iterdir()
    by_scenario = (folder / "timeline-neuro-0.json").read_bytes()
    with pytest.raises(SystemExit, match="^0$"):
        main(["timeline", str(folder), "--scenario-folder", "asked", "-o", "other.json"])
    assert Path("other.json").read_bytes() == by_scenario
    file = bench / "asked" / "small.yaml"
    file.write_text(file.read_text().replace('"seed": 3', '"seed": 4'))
    assert "asked/small.yaml: as it stands it has no results in runs" in refused(capsys, "asked/small.yaml")


def test_files_that_are_gone_or_changed(bench: Path, capsys: pytest.CaptureFixture[str]):
    (folder,) = (bench / "runs").iterdir()
    said = refused(capsys, str(folder))
    assert "links.access.up" in said and "rates.csv" in said and "--scenario-folder says from where else" in said
    (bench / "asked" / "rates.csv").write_text("time_s,rate_mbps\n0,5\n1,1\n2,7\n")
    said = refused(capsys, str(folder), "--scenario-folder", "asked")
    assert "cannot be simulated again, as something is not what it was: file rates.csv" in said


def test_a_changed_scenario_is_refused(bench: Path, capsys: pytest.CaptureFixture[str]):
    """One that was changed in the run's own manifest."""
    (folder,) = (bench / "runs").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["scenario"]["links"]["access"]["delay_ms"] += 0.1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "neuro, replication 0, comes out otherwise now" in refused(capsys, str(folder), "--scenario-folder", "asked")


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
