"""Runs without their plots, which take longer than the runs."""

from __future__ import annotations

import pytest


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgesim.results.plots.draw_all", lambda folder, manifest: [])
