"""``edgesim outcomes``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from edgesim.outcomes.importing import import_outcomes
from edgesim.outcomes.path import parse_path


def import_command(source: Path, folder: Path, split: str, path: str) -> None:
    table = import_outcomes(source, folder, split, parse_path(path))
    said = f"{table.samples} samples, {len(table.exits)} exits into {folder / split}"
    Console().print(said, highlight=False, soft_wrap=True)
