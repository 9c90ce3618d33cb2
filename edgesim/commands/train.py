"""``edgesim train``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.models.export import export_zoo
from edgesim.models.training_run import train


def train_command(config: Path, export: Path | None) -> None:
    console = output()
    with progress_bars(Console(stderr=True)) as report:
        trained = train(config, lambda epoch, batch, batches, _: report(f"epoch {epoch + 1}", batch, batches))
    console.print(f"checkpoint and log in {trained}", highlight=False)
    if export is not None:
        console.print(f"model exported to {export_zoo(trained, config, export)}", highlight=False)
