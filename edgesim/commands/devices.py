"""``edgesim devices``."""

from __future__ import annotations

from rich.table import Table

from edgesim.commands.console import output
from edgesim.profiling.report import DEVICE_COLUMNS, device_rows


def devices_command() -> None:
    table = Table(
        *DEVICE_COLUMNS, title="Device presets", caption="[V] read in the source, [D] derived from such numbers"
    )
    table.columns[0].no_wrap = True  # the name is what a scenario's `preset` takes
    for row in device_rows():
        table.add_row(*row)
    output().print(table)
