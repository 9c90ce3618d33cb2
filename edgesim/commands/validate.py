"""``edgesim validate``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.studies.validation import MOST_RELATIVE_ERROR, MOST_STANDARD_ERRORS, REPLICATIONS, Row, all_cases


def theory_command(requests: int, seed: int) -> None:
    """Print theory beside simulation; exit code 1 where they disagree."""
    errors = Console(stderr=True)
    errors.print(f"{requests:,} requests a case: a minute or two", highlight=False)
    rows = []
    with TemporaryDirectory() as folder, progress_bars(errors) as report:
        cases = all_cases(requests, Path(folder))
        for number, case in enumerate(cases):
            report("simulating", number, len(cases))
            rows.append(case.compare(seed))
        report("simulating", len(cases), len(cases))
    output().print(table_of(rows))
    if not all(row.ok for row in rows):
        raise typer.Exit(1)


def table_of(rows: list[Row]) -> Table:
    caption = (
        f"±: 95 % over {REPLICATIONS} replications, ok within {MOST_STANDARD_ERRORS} standard errors; "
        f"others: largest relative error of any request, ok up to {MOST_RELATIVE_ERROR:g}"
    )
    table = Table(title="Simulation beside theory", caption=caption, box=box.SIMPLE_HEAD, caption_justify="left")
    for heading in ("case", "what"):
        table.add_column(heading)
    for heading in ("theory, ms", "simulated, ms", "error"):
        table.add_column(heading, justify="right")
    table.add_column("ok?")
    for row in rows:
        margin = f"{row.relative_error:.1e}" if row.half_width_s is None else f"± {row.half_width_s * 1e3:.3f}"
        verdict = "yes" if row.ok else "[bold red]NO[/bold red]"
        table.add_row(row.name, row.what, f"{row.theory_s * 1e3:.4f}", f"{row.simulated_s * 1e3:.4f}", margin, verdict)
    return table
