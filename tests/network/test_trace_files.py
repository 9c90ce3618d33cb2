"""Plain CSV traces: what is read, what is refused, and the integral of real ones where they are at hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.network.tabled import TabledRate
from edgesim.network.trace import random_offset_s
from edgesim.network.traces.formats import read_trace

TRACES = Path(__file__).resolve().parents[3] / "shared" / "traces"
MBITS = {"bits": 1e-6, "Kbits": 1e-3, "Mbits": 1.0}


def written(folder: Path, text: str) -> Path:
    path = folder / "trace.csv"
    path.write_text(text)
    return path


def test_rows_hold_until_the_next_and_the_last_as_long_as_the_one_before(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, "# from a test\nrate_mbps,time_s,note\n1,10,a\n\n2,11,b\n0,11.5,c\n"))
    assert trace.times_s == [10, 11, 11.5] and trace.rates_mbps == [1, 2, 0]
    assert trace.resolution_s == 0.75 and trace.duration_s == 2.0
    table = trace.table(scale=0.5)
    assert table.edges_s == [0, 1, 1.5, 2] and table.rates_bps == [5e5, 1e6, 0]
    assert [TabledRate(table, "loop").rate(t) for t in (0, 1.2, 1.9, 2.1)] == [5e5, 1e6, 0, 5e5]
    assert [TabledRate(table, "hold").rate(t) for t in (0, 1.2, 1.9, 2.1)] == [5e5, 1e6, 0, 0]
    assert TabledRate(table, "loop", offset_s=1.1).rate(0.0) == 1e6


def test_a_single_row_is_a_constant_rate(tmp_path: Path) -> None:
    trace = read_trace(written(tmp_path, "time_s,rate_mbps\n0,4\n"))
    assert trace.resolution_s == math.inf
    assert TabledRate(trace.table(1.0), "loop").finish(12.25, 8e6) == pytest.approx(14.25)


def test_offsets_are_uniform_and_keyed(tmp_path: Path) -> None:
    offsets = np.array([random_offset_s(20.0, 1, "access", f"camera-{n}") for n in range(2000)])
    assert offsets.min() >= 0 and offsets.max() < 20
    assert abs(offsets.mean() - 10) < 3.3 * 20 / math.sqrt(12 * 2000)
    assert (
        random_offset_s(20.0, 1, "access", "camera-7") == offsets[7] != random_offset_s(20.0, 2, "access", "camera-7")
    )


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", None, "empty"),
        ("time_s,rate_mbps\n", None, "empty"),
        ("time_s,rate\n0,1\n", 1, "no column rate_mbps"),
        ("0,1\n1,2\n", 1, "no column time_s; found 0, 1"),
        ("time_s,rate_mbps\n0,1\n2,1\n1,1\n", 4, "must grow"),
        ("time_s,rate_mbps\n0,1\n0,1\n", 3, "must grow"),
        ("time_s,rate_mbps\n0,1\n\n1,-2\n", 4, "negative"),
        ("time_s,rate_mbps\n0,1\n1,nan\n", 3, "rate_mbps must be a finite number, found 'nan'"),
        ("time_s,rate_mbps\n0,1\n1,inf\n", 3, "finite"),
        ("time_s,rate_mbps\n0,1\ninf,1\n", 3, "time_s must be a finite number"),
        ("time_s,rate_mbps\n0,fast\n", 2, "found 'fast'"),
        ("time_s,rate_mbps\n0\n", 2, "rate_mbps must be a finite number, found ''"),
        ("time_s,rate_mbps\n0,0\n1,0\n", None, "every rate is 0"),
    ],
)
def test_a_bad_trace_is_refused_by_file_and_line(tmp_path: Path, text: str, line: int | None, word: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_trace(path)
    message = str(refused.value)
    assert message.startswith(f"{path}, line {line}: " if line else f"{path}: ")
    assert word in message and "\n" not in message


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    for path in (tmp_path / "missing.csv", tmp_path, binary):
        with pytest.raises(InputError, match="cannot be read as a trace"):
            read_trace(path)


@pytest.mark.skipif(not (TRACES / "nyu-mets").is_dir(), reason="no real traces beside the project")
@pytest.mark.parametrize("name", ["Long_Island_Rail_Road", "QTrain", "bus62"])
def test_a_real_trace_is_integrated(name: str) -> None:
    """A value and its unit each second; units are mixed."""
    rows = [line.split(",")[:2] for line in (TRACES / "nyu-mets" / f"{name}.csv").read_text().split()]
    rates = [float(value) * MBITS[unit.split("/")[0]] for value, unit in rows]
    trace = read_trace(TRACES / "nyu-mets" / f"{name}.csv")
    assert trace.duration_s == len(rates) and trace.resolution_s == 1
    rate = TabledRate(trace.table(1.0), "loop")
    bits = np.concatenate([[0], np.cumsum(np.array(rates + rates, dtype=np.longdouble) * 1e6)]).astype(float)
    seconds = np.arange(2 * len(rates) + 1, dtype=float)
    draws = np.random.default_rng(1)
    for start_s, size in zip(draws.uniform(0, len(rates), 3000), 8 * draws.integers(500, 151_296, 3000), strict=True):
        target = float(np.interp(start_s, seconds, bits) + size)
        expected = np.interp(target, bits, seconds)
        assert rate.finish(float(start_s), int(size)) == pytest.approx(expected, rel=1e-9)
