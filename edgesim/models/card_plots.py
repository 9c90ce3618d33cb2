"""The plots of a model's card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgesim.models.checkpoint import Log
from edgesim.models.evaluation import Accuracy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_accuracy(folder: Path, title: str, macs: Sequence[int], accuracies: Sequence[Accuracy]) -> None:
    """Test accuracy of each exit with its 95 % interval, over the work up to that exit."""
    figure, axes = _figure(1)
    work = [count / 1e6 for count in macs]
    share = [100 * accuracy.share for accuracy in accuracies]
    errors = [
        [100 * (accuracy.share - accuracy.low) for accuracy in accuracies],
        [100 * (accuracy.high - accuracy.share) for accuracy in accuracies],
    ]
    axes[0].errorbar(work, share, errors, marker="o", markersize=4, capsize=3, color="#0072B2")
    for exit, (x, y, below) in enumerate(zip(work, share, errors[0], strict=True)):
        place, low = (0, -4), (x, y - below)
        text = f"exit {exit}\n{y:.1f} %"
        axes[0].annotate(text, low, place, textcoords="offset points", ha="center", va="top", fontsize=8)
    axes[0].margins(x=0.1, y=0.2)
    axes[0].set(title=title, xlabel="work up to the exit [million MACs]", ylabel="test accuracy [%]")
    _save(figure, folder / "accuracy")


def draw_training(folder: Path, title: str, log: Log) -> None:
    """Training loss, and validation accuracy of each exit, by epoch."""
    from matplotlib import colormaps
    from matplotlib.ticker import MaxNLocator

    figure, (losses, accuracies) = _figure(2)
    epochs = [row["epoch"] for row in log]
    losses.plot(epochs, [row["train_loss"] for row in log], color="black")
    losses.set(title=title, xlabel="epoch", ylabel="joint training loss [nats]")
    columns = [name for name in log[0] if name.startswith("validation_accuracy_exit_")]
    for exit, column in enumerate(columns):
        colour = colormaps["viridis"](0.9 * exit / max(1, len(columns) - 1))
        accuracies.plot(epochs, [100 * row[column] for row in log], color=colour, label=f"exit {exit}")
    accuracies.set(title="5,000 validation images", xlabel="epoch", ylabel="accuracy [%]")
    accuracies.legend(frameon=False)
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _save(figure, folder / "training")


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
