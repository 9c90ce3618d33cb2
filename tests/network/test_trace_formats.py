"""Formats of trace files: each recognised by its content, with its traps; and every real trace that is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.tabled import TabledRate
from edgesim.network.trace import Trace
from edgesim.network.traces.base import Reading
from edgesim.network.traces.formats import FORMATS, read_all, read_trace

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
CAR = "protocol,num_tcp_conn,seq_num,Sprint_throughput_mbps,TMobile_throughput_mbps\n"
RUNS = "protocol,carrier,num_tcp_conn,server_location,run_num,seq_num,throughput_mbps\n"


def read(folder: Path, text: str, reading: Reading | None = None, name: str = "trace") -> Trace:
    (folder / name).write_text(text)
    return read_trace(folder / name, reading)


def rates(trace: Trace, *times_s: float) -> list[float]:
    """Mb/s at these times of the looped trace."""
    replay = TabledRate(trace.table(1.0), "loop")
    return [replay.rate(time_s) / 1e6 for time_s in times_s]


def test_mahimahi_counts_packets_in_their_millisecond_and_wraps_with_the_last(tmp_path: Path) -> None:
    trace = read(tmp_path, "0\n1\n1\n4\n4\n4\n10\n", name="lte.up")
    assert (trace.format, trace.direction, trace.resolution_s) == ("mahimahi", "up", 1e-3)
    assert trace.duration_s == 0.010
    replay = TabledRate(trace.table(1.0), "loop")
    packets = [replay.integral(0, end_ms / 1e3) / 12_000 for end_ms in range(0, 31)]
    a_pass = [0, 3, 3, 3, 6, 6, 6, 6, 6, 6, 7]
    expected = [count + 7 * number for number in range(3) for count in a_pass[number > 0 :]]
    assert packets == pytest.approx(expected)
    assert replay.finish(0.0, 4 * 12_000) == pytest.approx(0.003 + 1e-3 / 3)


def test_mahimahi_at_a_constant_rate(tmp_path: Path) -> None:
    trace = read(tmp_path, "".join(f"{ms}\n" for ms in range(1, 101)))
    assert trace.rates_mbps == [12.0] * 100 and trace.duration_s == 0.1 and trace.direction == "unknown"


def test_pensieve_rates_hold_up_to_their_time(tmp_path: Path) -> None:
    trace = read(tmp_path, "0.0 9.9\n1.5 2.0\n2.0\t3e0\n5 4\n")
    assert (trace.format, trace.direction, trace.duration_s, trace.resolution_s) == ("pensieve", "down", 5.0, 1.0)
    assert rates(trace, 0, 1.4, 1.6, 2.1, 4.9, 5.1) == [2, 2, 3, 4, 4, 2]


def test_sabre_entries_have_durations_of_their_own(tmp_path: Path) -> None:
    entries = (
        '[{"duration_ms": 840, "bandwidth_kbps": 1500, "latency_ms": 20}, {"duration_ms": 2000, "bandwidth_kbps": 0}]'
    )
    trace = read(tmp_path, entries)
    assert (trace.format, trace.direction, trace.duration_s) == ("sabre", "down", 2.84)
    assert rates(trace, 0, 0.83, 0.85, 2.83, 2.85) == [1.5, 1.5, 0, 0, 1.5]


def test_mets_units_change_from_line_to_line(tmp_path: Path) -> None:
    trace = read(tmp_path, "1.5,Mbits/sec\n726,Kbits/sec\n0,bits/sec\n300, bits/sec\n")
    assert (trace.format, trace.direction, trace.resolution_s) == ("mets", "unknown", 1.0)
    assert trace.rates_mbps == pytest.approx([1.5, 0.726, 0, 3e-4])


def test_5gophers_carriers_side_by_side_are_chosen_from(tmp_path: Path) -> None:
    text = CAR + "TCP,8,0,25.5,145\nTCP,8,1,65,87\nTCP,8,2,0,3\n"
    trace = read(tmp_path, text, Reading(where=(("carrier", "tmobile"),)))
    assert (trace.format, trace.direction, trace.rates_mbps) == ("5gophers", "down", [145, 87, 3])
    assert [name for name, _ in read_all(tmp_path / "trace")] == [
        (("carrier", "Sprint"), ("num_tcp_conn", "8")),
        (("carrier", "TMobile"), ("num_tcp_conn", "8")),
    ]
    with pytest.raises(InputError, match=r"holds 2 such series; choose one with where: carrier \(Sprint, TMobile\)$"):
        read(tmp_path, text)


def test_5gophers_runs_are_never_joined(tmp_path: Path) -> None:
    text = RUNS + "TCP,SPRINT,1,US-East,1,0,2\nTCP,SPRINT,1,US-East,1,2,3\nTCP,SPRINT,8,US-East,2,0,20\n"
    slow, fast = (read(tmp_path, text, Reading(where=(("num_tcp_conn", count),))) for count in ("1", "8"))
    assert (slow.times_s, slow.rates_mbps, fast.rates_mbps) == ([0, 1], [2, 3], [20])
    for where, words in (((), "2 such series; .* num_tcp_conn"), ((("run_num", "9"),), "0 such series; .* run_num")):
        with pytest.raises(InputError, match=words):
            read(tmp_path, text, Reading(where=where))
    assert [name for name, _ in read_all(tmp_path / "trace", Reading(where=(("carrier", "sprint"),)))] == [
        (("num_tcp_conn", "1"), ("run_num", "1")),
        (("num_tcp_conn", "8"), ("run_num", "2")),
    ]
    assert read_all(tmp_path / "trace", Reading(where=(("run_num", "2"),))) == [((("num_tcp_conn", "8"),), fast)]
    with pytest.raises(InputError, match="no weather to choose by; there are carrier, num_tcp_conn"):
        read(tmp_path, text, Reading(where=(("weather", "rain"),)))


def test_named_columns_with_units(tmp_path: Path) -> None:
    text = "when_ms,DL_bitrate,ul_kbps\n0,800,90\n250,0,80\n"
    named = read(tmp_path, text, Reading(time_column="when_ms", rate_column="ul_kbps"))
    assert (named.times_s, named.rates_mbps) == ([0, 0.25], [0.09, 0.08])
    said = read(tmp_path, text, Reading(time_column="when_ms", rate_column="DL_bitrate", unit="kbps"))
    assert said.rates_mbps == [0.8, 0]


@pytest.mark.parametrize(
    "dates",
    [
        ("Wed Dec 15 23:59:58 UTC 2021", "Thu Dec 16 00:00:01 UTC 2021"),
        ("2019.12.16_13.40.04", "2019.12.16_13.40.07"),
        ("2021-12-15T10:00:00", "2021-12-15T10:00:03"),
        ("2021-12-15 10:00:00+01:00", "2021-12-15 09:00:03Z"),
        ("1576500000.5", "1576500003.5"),
    ],
)
def test_times_may_be_dates(tmp_path: Path, dates: tuple[str, str]) -> None:
    text = f"Time,RATE(MBit/s)\n{dates[0]},7.5\n{dates[1]},8\n"
    trace = read(tmp_path, text, Reading(time_column="Time", rate_column="RATE(MBit/s)"))
    assert trace.resolution_s == 3 and rates(trace, 0, 3) == [7.5, 8]


@pytest.mark.parametrize(
    ("text", "reading", "words"),
    [
        ("1\n5\n4\n", None, "line 3: timestamps must not fall, found 4 after 5"),
        ("1\n2.5\n", None, "line 2: a timestamp must be a whole number of ms, found '2.5'"),
        ("0\n0\n", None, "the trace is empty"),
        ("0 1\n1 2\n1 3\n", None, "line 3: times must grow"),
        ("0 1\n2 2\n1 3\n4 4\n", None, "line 3: times must grow"),
        ("0 1\n1 -2\n", None, "line 2: rates must not be negative"),
        ("0 1\n1\n", None, "line 2: 'seconds Mb/s' is expected, found '1'"),
        ("0 1\n1 nan\n", None, "line 2: the rate must be a finite number"),
        ("0 1\n", None, "the trace is empty"),
        ("[{]", None, "cannot be read as JSON"),
        ("[]", None, "the trace is empty"),
        ('[{"duration_ms": 0, "bandwidth_kbps": 1}]', None, "entry 1: duration_ms must be above 0, found 0"),
        ('[{"duration_ms": 1000}]', None, "entry 1: bandwidth_kbps must be a finite number, found ''"),
        ('[{"duration_ms": 9, "bandwidth_kbps": true}]', None, "entry 1: bandwidth_kbps must be a finite number"),
        ("[7]", None, "entry 1: duration_ms must be a finite number"),
        ('{"duration_ms": 9}', Reading(format="sabre"), "a list of entries is expected"),
        ("1,Mbits/sec\n2,furlongs\n", None, "line 2: the unit must be bits/sec, Kbits/sec"),
        ("1,Mbits/sec\nx,Mbits/sec\n", None, "line 2: the value must be a finite number, found 'x'"),
        (CAR + "TCP,8,0,x,145\n", None, "line 2: Sprint_throughput_mbps must be a finite number, found 'x'"),
        (CAR, None, "holds 0 such series"),
        (RUNS + 2 * "TCP,A,8,B,1,4,3\n", None, "line 3: seq_num must grow, found 4 after 4"),
        ("rtt_ms,carrier,server_location\n40,SPRINT,US-East\n", None, "holds round-trip times, and no rates"),
        ("time_s,rate_mbps\n0,1\n", Reading(format="5gophers"), "line 1: no column seq_num; found time_s, rate_mbps"),
        ("", Reading(format="5gophers"), "holds 0 such series"),
        ("", Reading(format="mahimahi"), "the trace is empty"),
        ("", Reading(format="pensieve"), "the trace is empty"),
        ("", Reading(format="mets"), "the trace is empty"),
        ("1\n2\n", Reading(unit="kbps"), "is read as mahimahi, which has no use for unit"),
        ("1\n2\n", Reading(format="csv"), "line 1: no column time_s; found 1"),
        ("a,b\n", Reading(time_column="a", rate_column="c"), "line 1: no column c; found a, b"),
        ("time_s,rate_mbps\nsoon,1\n", None, "line 2: time_s must be a finite number, found 'soon'"),
    ],
)
def test_what_is_wrong_is_said_by_place(tmp_path: Path, text: str, reading: Reading | None, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read(tmp_path, text, reading)
    assert str(refused.value).startswith(f"{tmp_path / 'trace'}") and words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_named_format_is_not_second_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 1: no column time_s"):
        read(tmp_path, "0 1\n1 2\n", Reading(format="csv"))
    for name in FORMATS.keys() - {"csv"}:
        with pytest.raises(InputError):
            read(tmp_path, "time_s,rate_mbps\n0,1\n1,2\n", Reading(format=name))


FILES = sorted(path for path in TRACES.glob("*/*") if path.suffix in (".csv", ".json"))
EXPECTED = {"5gophers": "5gophers", "nyu-mets": "mets", "sabre-3g": "sabre", "sabre-4g": "sabre"}


@pytest.mark.skipif(not FILES, reason="no real traces beside the project")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_real_trace_is_read_and_replayed(path: Path) -> None:
    if "Round-Trip" in path.name:
        with pytest.raises(InputError, match="holds round-trip times, and no rates"):
            read_all(path)
        return
    for _, trace in read_all(path):
        assert trace.format == EXPECTED[path.parent.name] and 0.5 < trace.resolution_s < 1.5
        assert trace.direction == ("unknown" if trace.format == "mets" else "down")
        replay = TabledRate(trace.table(1.0), "loop")
        gaps_s = np.diff([*trace.times_s, trace.times_s[0] + trace.duration_s])
        bits = float(np.dot(trace.rates_mbps, gaps_s)) * 1e6
        assert replay.integral(0, trace.duration_s) == pytest.approx(bits, rel=1e-12)
        fast = int(np.argmax(trace.rates_mbps))
        start_s = trace.times_s[fast] - trace.times_s[0] + 0.4 * float(gaps_s[fast])
        assert replay.finish(start_s, 2 * bits) == pytest.approx(start_s + 2 * trace.duration_s, rel=1e-9)


@pytest.mark.skipif(not FILES, reason="no real traces beside the project")
def test_sprint_over_one_connection_is_ten_times_slower() -> None:
    path = TRACES / "5gophers" / "01-Throughput_data.csv"
    assert len(read_all(path)) == 120
    slow, fast = (
        np.mean([np.mean(trace.rates_mbps) for _, trace in read_all(path, Reading(where=where))])
        for where in ((("carrier", "SPRINT"), ("num_tcp_conn", count)) for count in ("1", "8"))
    )
    assert 8 < fast / slow < 12
