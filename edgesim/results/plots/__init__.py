"""Plots of a finished run.  matplotlib is imported when something is drawn, never before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgesim.results.measure import measure_of
from edgesim.results.recorded import RecordedRun
from edgesim.results.summary import read_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_all(run_folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """Draw every plot of a run into ``plots/`` as PNG, SVG and PDF; returns the files.

    run_folder: holds ``manifest.json``, ``summary.json`` and the four tables.  manifest: its ``link_rate`` (``device``,
    ``edges_s``, ``rates_bps`` of replication 0) is drawn with the decisions on it; without it that plot is left out.
    """
    from edgesim.results.plots import decomposition, headline, latency_cdf, link_rate, shares, style

    run, summary = RecordedRun(run_folder), read_summary(run_folder)
    with style.applied():
        figures: dict[str, Figure] = {
            measure_of(summary).key: headline.draw(summary),
            "decomposition": decomposition.draw(summary),
            "shares": shares.draw(summary),
            "latency_cdf": latency_cdf.draw(run, summary),
        }
        if manifest.get("link_rate"):
            figures["link_rate"] = link_rate.draw(run, summary, manifest["link_rate"])
        return [file for name, figure in figures.items() for file in style.save(figure, run_folder / "plots", name)]
