"""The command line as a function, and a scenario that runs in a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from edgesim.cli import main

TOY = """\
name: toy
seed: 3
duration_s: 4
warmup_s: 0.5
drain_s: 5
replications: 2
deadlines_ms: [20, 50, 100]
data: {source: none}
models:
  toy:
    source: synthetic
    blocks_ms: [2.0, {distribution: exponential, mean_ms: 4}, 3.0]
    exits: [1, 2, 3]
    state_bytes: [3000, 2000, 1000]
    accuracy: [0.6, 0.8, 0.9]
    samples: 200
devices:
  camera:
    count: 2
    after_deadline: continue
    link: access
    server: edge
    arrivals: {process: poisson, rate_hz: 10}
    deadline: {distribution: fixed, ms: 100, known: none}
links:
  access:
    up: {process: trace, file: rates.csv, offset: none}
    down: {process: constant, rate_mbps: 20}
    delay_ms: 2
    prior_mbps: 5
servers:
  edge: {processor: {factor: 0.2}}
policies:
  local: {type: device_only}
  remote: {type: server_only, codec: raw}
  split: {type: fixed_cut, cut: 1, codec: int8}
"""
RATES = "time_s,rate_mbps\n0,5\n1,1\n2,8\n"


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """``command("run", path)``: what ``edgesim run path`` does."""
    monkeypatch.setenv("COLUMNS", "250")

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return call


class Bench:
    """A folder with a scenario and its trace, and a place for results that is not there yet."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder, self.command = folder, command
        self.path, self.rates, self.out = folder / "toy.yaml", folder / "rates.csv", folder / "out" / "runs"
        self.path.write_text(TOY)
        self.rates.write_text(RATES)

    def run(self, *options: object) -> Said:
        return self.command("run", self.path, "--out", self.out, "--jobs", 1, *options)

    def edit(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the scenario"
        self.path.write_text(text.replace(old, new))

    def refused(self, *options: object) -> str:
        """The one message of a run that must be refused and leave nothing behind."""
        before = sorted(self.folder.rglob("*"))
        said = self.run(*options)
        assert said.code == 2, said
        assert said.err.count("error: ") == 1 and "Traceback" not in said.err
        assert sorted(self.folder.rglob("*")) == before
        return said.err.partition("error: ")[2]

    def line(self, marker: str) -> str:
        """``FILE:LINE:`` of the first line that holds ``marker``."""
        number = next(n for n, line in enumerate(self.path.read_text().splitlines(), start=1) if marker in line)
        return f"{self.path}:{number}:"


@pytest.fixture
def bench(tmp_path: Path, command: Command) -> Bench:
    return Bench(tmp_path, command)
