"""The plots of a model's card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from edgesim.data.dataset import Dataset
from edgesim.models.checkpoint import Log
from edgesim.models.evaluation import Score
from edgesim.models.reliability import reliability
from edgesim.models.zoo import ModelCard

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLUTTER_BINS = 5
LABEL_WIDTH = 0.12
"""Of an exit's name in the picture of scores, as a share of the axis."""


def draw_scores(folder: Path, title: str, card: ModelCard, scores: Sequence[Score]) -> None:
    """Test accuracy (or mean absolute error) of each exit with its 95 % interval, over the work up to that exit."""
    counting = card.task == "regression"
    factor, unit = (1, "mean absolute test error [items]") if counting else (100, "test accuracy [%]")
    figure, axes = _figure(1)
    work = [count / 1e6 for count in card.macs]
    value, low, high = (factor * np.array(part) for part in zip(*scores, strict=True))
    axes[0].errorbar(work, value, [value - low, high - value], marker="o", markersize=4, capsize=3, color="#0072B2")
    for exit, above in enumerate(_raised(work, value)):
        text = f"exit {exit}\n{value[exit]:.2f}" if counting else f"exit {exit}\n{value[exit]:.1f} %"
        end, shift, side = (high, 4, "bottom") if above else (low, -4, "top")
        place = (work[exit], end[exit])
        axes[0].annotate(text, place, (0, shift), textcoords="offset points", ha="center", va=side, fontsize=8)
    axes[0].margins(x=0.1, y=0.2)
    axes[0].set(title=title, xlabel="work up to the exit [million MACs]", ylabel=unit)
    _save(figure, folder / "scores")


def _raised(work: Sequence[float], value: np.ndarray) -> list[bool]:
    """Which exits are named above their intervals: of two with nearly the same work, the one with the larger value."""
    near = LABEL_WIDTH * (max(work) - min(work))
    raised = [False] * len(work)
    below: int | None = None
    for exit in np.argsort(work, kind="stable").tolist():
        if below is not None and work[exit] - work[below] < near:
            up, below = (exit, below) if value[exit] >= value[below] else (below, exit)
            raised[up] = True
        else:
            below = exit
    return raised


def draw_training(folder: Path, title: str, log: Log) -> None:
    """Training loss, and validation accuracy or error of each exit, by epoch."""
    from matplotlib.ticker import MaxNLocator

    figure, (losses, values) = _figure(2)
    epochs = [row["epoch"] for row in log]
    losses.plot(epochs, [row["train_loss"] for row in log], color="black")
    losses.set(title=title, xlabel="epoch", ylabel="training loss")
    columns = [name for name in log[0] if name.startswith("validation_")]
    counting = columns[0].startswith("validation_error")
    for exit, column in enumerate(columns):
        points = [(1 if counting else 100) * row[column] for row in log]
        values.plot(epochs, points, color=_colour(exit, len(columns)), label=f"exit {exit}")
    unit = "mean absolute error [items]" if counting else "accuracy [%]"
    values.set(title="validation images", xlabel="epoch", ylabel=unit)
    values.legend(frameon=False)
    for axes in (losses, values):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _save(figure, folder / "training")


def draw_calibration(folder: Path, title: str, card: ModelCard, logits: np.ndarray, test: Dataset) -> None:
    """Reliability of each exit: accuracy over confidence, without and with its temperature."""
    figure, panels = _figure(2)
    for axes, what in zip(panels, ("as trained", "with temperatures"), strict=True):
        axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
        for exit, (values, each) in enumerate(zip(logits, card.calibration, strict=True)):
            temperature = 1.0 if what == "as trained" else each.temperature
            colour = _colour(exit, len(logits))
            axes.plot(*_reliability(values / temperature, test.labels), marker=".", color=colour, label=f"exit {exit}")
        axes.set(
            title=f"{title}, {what}", xlabel="mean confidence of a bin", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1)
        )
    panels[0].legend(frameon=False, fontsize=8)
    _save(figure, folder / "calibration")


def draw_attributes(folder: Path, title: str, card: ModelCard, outputs: np.ndarray, test: Dataset) -> None:
    """Error of the first and the last exit by number of items and by clutter, with 95 % intervals."""
    counting = card.task == "regression"
    figure, panels = _figure(2)
    clutter = np.minimum((test.attributes["clutter"] * CLUTTER_BINS).astype(int), CLUTTER_BINS - 1)
    for axes, groups, label in (
        (panels[0], test.attributes["count"].astype(int), "items in the scene"),
        (panels[1], (clutter + 0.5) / CLUTTER_BINS, "clutter (0 to 1, bins)"),
    ):
        for exit in sorted({0, len(outputs) - 1}):
            wrong = _errors(outputs[exit], test) * (1 if counting else 100)
            kinds = np.unique(groups)
            means = np.array([wrong[groups == kind].mean() for kind in kinds])
            halves = [1.96 * wrong[groups == kind].std() / np.sqrt((groups == kind).sum()) for kind in kinds]
            colour = _colour(exit, len(outputs))
            axes.errorbar(kinds, means, halves, marker="o", markersize=4, capsize=3, color=colour, label=f"exit {exit}")
        axes.set(title=title, xlabel=label, ylabel="mean absolute error [items]" if counting else "wrong [%]")
        axes.set_xticks(kinds)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
    _save(figure, folder / "attributes")


def _reliability(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean confidence, accuracy) of each of the bins of equal width that are not empty."""
    confidence = softmax(logits.astype(np.float64), axis=-1).max(-1)
    return reliability(confidence, logits.argmax(-1) == labels)[1:]


def _errors(outputs: np.ndarray, test: Dataset) -> np.ndarray:
    if test.task == "regression":
        return np.abs(outputs[:, 0] - test.labels)
    return (outputs.argmax(-1) != test.labels).astype(float)


def _colour(exit: int, exits: int) -> tuple[float, ...]:
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * exit / max(1, exits - 1))


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * panels, 3.8), layout="constrained")
    axes = [figure.add_subplot(1, panels, 1 + panel) for panel in range(panels)]
    for each in axes:
        each.grid(alpha=0.3)
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Figure, path: Path) -> None:
    from matplotlib import rc_context

    # Fixed ids and no date: the same numbers give the same files.
    with rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=120)
