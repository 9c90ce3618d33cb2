"""The summary in the terminal: accuracy (or error) by the deadline, what it cost, and who is distinguishably better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgesim.results.in_words import best_by_deadline, comparisons
from edgesim.results.summary_tables import cost_table, deadline_table
from edgesim.results.table import Table
from edgesim.results.trust import marks

if TYPE_CHECKING:
    from rich.console import Console

SHOWN_DEADLINES = 3
"""At least, however narrow the terminal is."""
NAME_COLUMNS, VALUE_COLUMNS = 24, 13
"""Characters that a policy's name takes, and a value with its interval."""


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print the tables, the warnings and the paired differences of a summary."""
    values = (console.width - NAME_COLUMNS) // VALUE_COLUMNS
    others = max(SHOWN_DEADLINES, values - 2)  # beside the compared one, and what images add
    print_table(deadline_table(summary, others), console, bold=1, no_wrap=True)
    if best := best_by_deadline(summary):
        console.print(f"  {best}", highlight=False, markup=False)
    print_table(cost_table(summary), console)
    print_labels(summary["labels"], console)
    for sentence in comparisons(summary):
        console.print(f"  {sentence}", highlight=False, markup=False)
    for warning in summary["warnings"]:
        console.print(f"Warning: {warning}", style="yellow", highlight=False, markup=False)


def print_labels(labels: Mapping[str, Any], console: Console, where: str = "manifest.json, or edgesim report") -> None:
    """The words that label the numbers: what is scaled, assumed or made up."""
    if found := marks(labels):
        console.print(f"  Labels: {', '.join(found)}; which is which: {where}", highlight=False)


def print_table(table: Table, console: Console, bold: int | None = None, no_wrap: bool = False) -> None:
    """bold: the number of the column that stands out.  no_wrap: rather cut a value than break it."""
    from rich import box
    from rich import table as rich

    drawn = rich.Table(title=table.title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    for number, heading in enumerate(table.headings):
        named = number < table.names
        drawn.add_column(
            heading,
            justify="left" if named else "right",
            style="bold" if number == bold else None,
            no_wrap=named or no_wrap,
        )
    for row in table.rows:
        drawn.add_row(*row)
    drawn.caption = "\n".join(table.notes)
    console.print(drawn)
