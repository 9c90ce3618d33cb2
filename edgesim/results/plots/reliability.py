"""Reliability diagrams: how often the answers of each exit are right, against how sure it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgesim.results.plots import style

COLUMNS = 4
FEW = 10
COLOUR = style.PALETTE[0]


def draw(exits: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> Figure:
    """A panel for each exit (``reliability.json``): accuracy of each bin, grey the shares of samples in the bins."""
    rows = -(-len(exits) // COLUMNS)
    columns = -(-len(exits) // rows)
    drawing = style.figure(1.3 + 1.9 * rows, max(4.6, 1.0 + 1.9 * columns))
    panels = drawing.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, each in zip(panels, exits, strict=False):
        _panel(axes, each)
    for axes in panels[len(exits) :]:
        axes.set_visible(False)
    for axes in panels[: len(exits)][-columns:]:
        axes.set_xlabel("confidence")
        axes.tick_params(labelbottom=True)
    drawing.supylabel("share right (line), share of images (grey)", fontsize=8.5)
    kinds = {f"{each['model']}: {each['samples']:,} {each['outcomes']} answers an exit" for each in exits}
    style.caption(
        drawing,
        summary,
        f"Confidence in 15 bins against accuracy where nothing was sent; {'; '.join(sorted(kinds))}",
        f"ECE: the gap to the dotted line, averaged over the images; open: fewer than {FEW} images in the bin",
    )
    return drawing


def _panel(axes: Axes, each: Mapping[str, Any]) -> None:
    confidence, count = np.array(each["confidences"]), np.array(each["counts"])
    axes.plot([0, 1], [0, 1], **style.GUIDE)
    axes.vlines(confidence, 0, count / count.sum(), color=style.NOTHING_COLOUR, linewidth=4)
    accuracy = np.array(each["accuracies"])
    axes.plot(confidence, accuracy, color=COLOUR, linewidth=1.2)
    for marked, face in ((count >= FEW, COLOUR), (count < FEW, "white")):
        axes.plot(confidence[marked], accuracy[marked], "o", color=COLOUR, markerfacecolor=face, markersize=3.5)
    axes.set_title(f"{each['model']} exit {each['exit']}: ECE {each['ece']:.3f}", loc="left", fontsize=8)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
