"""``edgesim trace``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

CARS = "protocol,num_tcp_conn,seq_num,A_throughput_mbps,B_throughput_mbps\n" + "".join(
    f"TCP,8,{second},{second % 7},{second % 5 + 1}\n" for second in range(40)
)


@pytest.fixture
def rail(tmp_path: Path) -> Path:
    path = tmp_path / "rail.csv"
    path.write_text("ms,kbit\n" + "".join(f"{500 * step},{1000 * (step // 4 % 4)}\n" for step in range(240)))
    return path


COLUMNS = ("--format", "csv", "--time-column", "ms", "--rate-column", "kbit", "--unit", "kbps")


def test_show_says_what_a_trace_looks_like(command, rail: Path) -> None:
    rail.write_text(rail.read_text().replace("ms,kbit", "t_ms,x_kbps"))
    said = command("trace", "show", rail, "--time-column", "t_ms", "--rate-column", "x_kbps")
    assert said.code == 0 and "rail.csv, read as csv; direction: unknown" in said.out
    row = next(line for line in said.out.splitlines() if "Mb/s" in line and "Outage" not in line).split("  ")
    assert [cell.strip() for cell in row if cell.strip()] == [
        "120 s", "500 ms", "1.5 Mb/s", "0.75", "0.42", "-0.42", "25.0%", "2.0 s",
    ]  # fmt: skip


def test_show_prints_json(command, rail: Path) -> None:
    rail.write_text("0 1\n1 2\n2 2\n")
    (found,) = json.loads(command("trace", "show", rail, "--json").out)
    assert (found["format"], found["direction"], found["duration_s"], found["bin_s"]) == ("pensieve", "down", 2, 1)
    assert (found["mean_bps"], found["cv"], found["correlation_1s"], found["outage_mean_s"]) == (2e6, 0, None, None)


def test_show_has_a_row_for_each_series(command, rail: Path) -> None:
    rail.write_text(CARS)
    said = command("trace", "show", rail)
    assert said.code == 0 and [name in said.out for name in ("carrier", "  A  ", "  B  ")] == [True] * 3
    found = json.loads(command("trace", "show", rail, "--json", "--where", "carrier=b").out)
    assert [each["series"] for each in found] == [{"num_tcp_conn": "8"}] and found[0]["mean_bps"] == 3e6


def test_show_draws(command, rail: Path, tmp_path: Path) -> None:
    said = command("trace", "show", rail, *COLUMNS, "--plot", tmp_path / "rail.png")
    assert said.code == 0
    with Image.open(tmp_path / "rail.png") as picture:
        assert min(picture.size) > 500 and len(picture.convert("RGB").getcolors(1 << 20)) > 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rail.csv", "rail.png"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("gone.csv",), "gone.csv: cannot be read as a trace"),
        (("rail.csv", "--format", "pcap"), "--format: found 'pcap', allowed: sabre, 5gophers"),
        (("rail.csv", "--unit", "furlongs"), "--unit: found 'furlongs', allowed: bps"),
        (("rail.csv", "--where", "carrier"), "--where: found 'carrier', allowed: COLUMN=VALUE"),
        (("rail.csv",), "line 1: no column time_s; found ms, kbit"),
        (("rail.csv", *COLUMNS, "--where", "cell=3"), "line 1: no column cell"),
        (("rail.csv", *COLUMNS, "--plot", "rail.txt"), "rail.txt: a picture's name ends in"),
        (("rail.csv", *COLUMNS, "--plot", "gone/rail.png"), "gone/rail.partial.png: No such file"),
        (("cars.csv", "--plot", "cars.png"), "holds 2 such series; choose one with where: carrier (A, B)"),
    ],
)
def test_show_refuses_in_one_line(command, rail: Path, monkeypatch, options: tuple[str, ...], words: str) -> None:
    monkeypatch.chdir(rail.parent)
    Path("cars.csv").write_text(CARS)
    said = command("trace", "show", *options)
    assert said.code == 2 and said.out == "" and said.err.startswith("error: ") and said.err.count("\n") == 1
    assert words in said.err and sorted(path.name for path in Path().iterdir()) == ["cars.csv", "rail.csv"]


def test_fit_prints_processes_to_paste(command, rail: Path) -> None:
    said = command("trace", "fit", rail, *COLUMNS, "--states", "3", "--step-ms", "1000")
    assert said.code == 0, said
    assert "rail.csv, steps of 1000 ms" in said.out and "95 % interval" in said.out
    ar1, markov = said.out[said.out.index("process: ar1") :].split("\n\n")
    assert YAML(typ="safe").load(ar1)["step_ms"] == 1000
    found = YAML(typ="safe").load(markov)
    assert found["states_mbps"][0] == 0 and len(found["matrix"]) == len(found["states_mbps"])


def test_fit_prints_json(command, rail: Path) -> None:
    found = json.loads(command("trace", "fit", rail, *COLUMNS, "--seed", 5, "--json").out)
    assert found["step_s"] == 0.5 and found["ar1"]["moments"]["mean_bps"] == 1.5e6
    low, high = found["ar1"]["intervals"]["mean_bps"]
    assert low < 1.5e6 < high
    names = [each["name"] for each in found["markov"]["reproduces"]]
    assert names == [each["name"] for each in found["ar1"]["reproduces"]] and "q95_bps" in names


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("cars.csv",), "holds 2 such series; choose one with where: carrier (A, B)"),
        (("rail.csv", *COLUMNS, "--step-ms", "60000"), "rail.csv: found 2 steps of 60 s, allowed: at least 30"),
        (("rail.csv", *COLUMNS, "--states", "1"), "Invalid value for '--states'"),
        (("rail.csv", *COLUMNS, "--step-ms", "0"), "Invalid value for '--step-ms'"),
    ],
)
def test_fit_refuses(command, rail: Path, monkeypatch, options: tuple[str, ...], words: str) -> None:
    monkeypatch.chdir(rail.parent)
    Path("cars.csv").write_text(CARS)
    said = command("trace", "fit", *options)
    assert said.code == 2 and said.out == "" and words in said.err
