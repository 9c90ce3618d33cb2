"""Pictures of a study.  matplotlib is imported when something is drawn, never before.

What is drawn follows from the design: curves along every axis, a map over two axes of a grid, clouds where there is no
grid.  A study of many cells gets as many pictures as one of few.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.studies.findings import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = {
    "contrasts": "The differences that were asked for",
    "along": "On-time accuracy, misses and latency along",
    "deadline": "Accuracy against the deadline, by",
    "best": "Which policy is best over",
    "shares": "Which exits answered and which cuts were sent along",
    "fronts": "What accuracy costs: latency, energy, bytes",
}
"""By the beginning of a picture's name; what follows it there are the axes."""


def draw_study(findings: Findings) -> list[Path]:
    """Draw every picture that the study's design allows into ``plots/`` as PNG, SVG and PDF; returns the files.

    Before anything has been measured there are none.
    """
    from edgesim.results.plots import style
    from edgesim.studies.plots.measured import Measured

    measured = Measured(findings)
    if not measured.policies:
        return []
    with style.applied():
        return [
            file for name, figure in _figures(measured) for file in style.save(figure, findings.folder / "plots", name)
        ]


def captions_of(folder: Path) -> dict[str, str]:
    """What each picture in a study's folder shows, by its name, in the order in which to look at them."""
    names = {path.stem for path in (folder / "plots").glob("*.png")}
    ranks = {kind: rank for rank, kind in enumerate(CAPTIONS)}
    known = sorted((name for name in names if _kind(name) in CAPTIONS), key=lambda name: (ranks[_kind(name)], name))
    return {name: f"{CAPTIONS[_kind(name)]} {name.partition('-')[2]}".strip() for name in known}


def _kind(name: str) -> str:
    return name.partition("-")[0]


def _figures(measured: Measured) -> Iterator[tuple[str, Figure]]:
    from edgesim.studies.plots import along, best_map, contrast_intervals, deadlines, fronts, shares

    if measured.findings.study.contrasts:
        yield "contrasts", contrast_intervals.draw(measured)
    for axis in measured.axes:
        yield f"along-{axis}", along.draw(measured, axis)
    for axis in measured.lined_axes:
        if measured.deadlines_ms:
            yield f"deadline-{axis}", deadlines.draw(measured, axis)
        yield f"shares-{axis}", shares.draw(measured, axis)
    for first, second in measured.crossed_axes:
        yield f"best-{first}-{second}", best_map.draw(measured, first, second)
    yield "fronts", fronts.draw(measured)


if TYPE_CHECKING:
    from edgesim.studies.plots.measured import Measured
