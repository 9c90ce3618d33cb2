"""A scenario that uses most keys, and ways to spoil it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import load_scenario

GOOD = """\
name: good
seed: 3
duration_s: 60
warmup_s: 5
drain_s: 1e1
deadlines_ms: [10, 20.5, 5e1]
models:
  toy:
    source: synthetic
    blocks_ms: [1.0, {distribution: exponential, mean_ms: 10}, 3]
    branch_ms: [0.1, 0.2]
    exits: [1, 3]
    state_bytes: [1000, 500, 500]
    accuracy: [0.7, 0.9]
    correlation: 0.5
    samples: 100
devices:
  camera:
    count: 2
    processor: {factor: 2}
    queue: {order: newest, bound: 9}
    after_deadline: continue
    link: access
    server: edge
    arrivals: {process: poisson, rate_hz: 2}
    deadline: {distribution: fixed, ms: 150, known: none}
    power: {idle_w: 2.7, compute_w: 6, send_w: 1.0}
  sensor:
    arrivals: {process: periodic, rate_hz: 2, jitter_ms: 3}
    deadline: {distribution: uniform, low_ms: 10, high_ms: 20}
    link: access
    server: edge
links:
  access:
    sharing: cell
    up: {process: steps, steps: [[0, 5], [10, 0]], ends: loop}
    down: {process: ar1, mean_mbps: 20, cv: 0.5, correlation_1s: 0.8, outage_share: 0.1, outage_mean_s: 2}
    delay_ms: 15
    headers: none
    prior_mbps: 5
servers:
  edge:
    workers: 2
    batch: {max_size: 4, max_wait_ms: 1}
policies:
  local: {type: device_only, exit: 0}
  remote: {type: server_only, codec: jpeg75}
  split: {type: fixed_cut, cut: 2, codec: int8+zlib}
  early: {type: thresholds, threshold: [0.5]}
  rand: {type: random, codecs: [png, int8], cuts: [0, 1]}
  fallback: {type: exits_then_image, exits: [0]}
  neuro: {type: neurosurgeon, estimator: {type: harmonic, window: 3}}
  best: {type: static_best, calibration_seed: 1000}
"""


class Bench:
    """Writes scenarios into a folder and loads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "good.yaml"
        self.text = GOOD

    def load(self, text: str = GOOD, overrides: tuple[str, ...] = ()):
        self.text = text
        self.path.write_text(text, encoding="utf-8")
        return load_scenario(self.path, overrides)

    def changed(self, old: str, new: str):
        assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times in the text"
        return self.load(GOOD.replace(old, new))

    def refused(self, old: str, new: str) -> str:
        with pytest.raises(InputError) as caught:
            self.changed(old, new)
        return str(caught.value)

    def where(self, marker: str) -> str:
        """``FILE:LINE:`` of the first line of the last text that holds ``marker``."""
        number = next(n for n, line in enumerate(self.text.splitlines(), start=1) if marker in line)
        return f"{self.path}:{number}:"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
