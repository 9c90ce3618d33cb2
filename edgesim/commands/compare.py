"""``edgesim compare``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from edgesim.commands.console import output
from edgesim.errors import InputError
from edgesim.results.compare import Comparison, compare
from edgesim.results.compare_words import comparison_table, frame, sentences
from edgesim.results.terminal import print_table


def compare_command(runs: Sequence[Path], metric: str, deadline: str | None, export: Path | None) -> None:
    if export is not None and export.suffix != ".csv":
        raise InputError(f"--export {export}: found {export.suffix or 'no ending'}, allowed: .csv")
    found = compare(runs, metric, _deadline_ms(deadline))
    console = output()
    print_table(comparison_table(found), console)
    for sentence in sentences(found):
        console.print(f"  {sentence}", highlight=False, markup=False)
    for note in found.notes:
        console.print(f"Note: {note}", style="yellow", highlight=False, markup=False)
    if export is not None:
        _write(found, export)
        console.print(f"{len(found.entries)} rows written to {export}", highlight=False, soft_wrap=True)


def _deadline_ms(text: str | None) -> float | Literal["own"] | None:
    if text is None or text == "own":
        return text  # type: ignore[return-value]
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--deadline {text}: allowed: milliseconds, or own") from None


def _write(found: Comparison, path: Path) -> None:
    """The table, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        frame(found).to_csv(partial, index=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
