"""``edgesim init``."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console

from edgesim.errors import InputError
from edgesim.scenario.init import starter


def init_command(file: Path) -> None:
    """Write the starter scenario, named like its file, into a new file."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-_") or "starter"
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(starter(name))
    except FileExistsError:
        raise InputError(f"{file} is there already; name another file") from None
    Console().print(f"{file} written; run it with: edgesim run {file}", highlight=False, soft_wrap=True)
