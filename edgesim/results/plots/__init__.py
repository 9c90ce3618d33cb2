"""Plots of a finished run.  matplotlib is imported when something is drawn, never before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesim.results.measure import measure_of
from edgesim.results.recorded import RecordedRun, read_json
from edgesim.results.summary import read_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RELIABILITY = "reliability.json"
"""Of a run of classifiers: accuracy against confidence of each exit (``edgesim.outcomes.reliability``)."""


def draw_all(run_folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """Draw every plot of a run into ``plots/`` as PNG, SVG and PDF; returns the files.

    run_folder: holds ``manifest.json``, ``summary.json`` and the four tables.  manifest: its ``link_rate`` (``device``,
    ``edges_s``, ``rates_bps`` of replication 0) is drawn above that device's requests.  Reliability is drawn where the
    folder holds ``reliability.json``.
    """
    from edgesim.results.plots import (
        decomposition,
        fronts,
        headline,
        latency_cdf,
        regret,
        reliability,
        shares,
        style,
        time_series,
    )

    run, summary = RecordedRun(run_folder), read_summary(run_folder)
    with style.applied():
        figures: dict[str, Figure] = {
            measure_of(summary).key: headline.draw(summary),
            "decomposition": decomposition.draw(summary),
            "shares": shares.draw(run, summary),
            "latency_cdf": latency_cdf.draw(run, summary),
            "fronts": fronts.draw(summary),
            "regret": regret.draw(run, summary),
            "time_series": time_series.draw(run, summary, manifest.get("link_rate")),
        }
        if (run_folder / RELIABILITY).exists():
            exits = read_json(run_folder / RELIABILITY)["exits"]
            figures["reliability"] = reliability.draw(exits, summary)
        return [file for name, figure in figures.items() for file in style.save(figure, run_folder / "plots", name)]
