"""Which exits answered and which cuts were sent, as shares of the requests of each policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from edgesim.results.metrics import NOTHING
from edgesim.results.plots import style
from edgesim.results.plots.decomposition import at_deadline
from edgesim.results.summary import reference_run

Shares = dict[str, float]


def draw(summary: Mapping[str, Any]) -> Figure:
    """Two panels of stacked bars: exits (unanswered requests grey), and last cuts sent (nothing sent grey)."""
    policies = style.looks(summary)
    runs = [reference_run(summary["policies"][name], summary["compared_at_ms"]) for name in policies]
    drawing = style.figure(2.2 + 0.62 * len(policies))
    panels = drawing.subplots(2, 1)
    _panel(panels[0], [run["exits"] for run in runs], "exit that answered", exit_label, "no answer")
    _panel(panels[1], [run["cuts"] for run in runs], "last cut sent", cut_label, "nothing sent")
    for axes in panels:
        style.policy_rows(axes, policies)
        axes.set_xlim(0, 1)
    panels[1].set_xlabel("share of requests")
    style.caption(drawing, summary, *at_deadline(runs))
    return drawing


def _panel(axes: Axes, shares: list[Shares], title: str, label: Any, nothing: str) -> None:
    kinds = sorted({kind for share in shares for kind in share} - {NOTHING}, key=depth)
    colours = graded_colours(kinds)
    left = [0.0] * len(shares)
    for kind in [*kinds, NOTHING]:
        widths = [share.get(kind, 0.0) for share in shares]
        if any(widths):
            text = nothing if kind == NOTHING else label(kind)
            axes.barh(range(len(shares)), widths, 0.66, left, color=colours[kind], label=text, edgecolor="white")
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_title(title, loc="left", fontsize=9)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=7.5, ncols=1 + len(kinds) // 12)


def graded_colours(kinds: list[str]) -> dict[str, str]:
    """A colour per exit or cut, from dark (shallow) to light (deep); grey for nothing."""
    scale = colormaps["viridis"]
    graded = {kind: to_hex(scale(0.95 * place / max(len(kinds) - 1, 1))) for place, kind in enumerate(kinds)}
    return {**graded, NOTHING: style.NOTHING_COLOUR}


def exit_label(kind: str) -> str:
    """``fashion exit 2`` for ``fashion/2``."""
    model, number = kind.rsplit("/", 1)
    return f"{model} exit {number}"


def cut_label(kind: str) -> str:
    """``cut 3, int8`` for ``int8/3``, ``image, png`` for ``png/0``."""
    codec, number = kind.rsplit("/", 1)
    return f"image, {codec}" if number == "0" else f"cut {number}, {codec}"


def depth(kind: str) -> tuple[int, str]:
    """Kinds sort from shallow to deep: ``int8/3`` by its number."""
    word, number = kind.rsplit("/", 1)
    return int(number), word
