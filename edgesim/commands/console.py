"""Where commands print."""

from __future__ import annotations

import sys

from rich.console import Console

PIPED_WIDTH = 160


def output() -> Console:
    """Standard output; where it is no terminal, wide enough that tables and sentences stay on their lines."""
    return Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH)
