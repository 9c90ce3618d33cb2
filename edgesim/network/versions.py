"""Telling a changed file from the one that was read."""

from __future__ import annotations

from pathlib import Path


def version(path: Path) -> tuple[int, int]:
    """Changes with the file, so that what is kept of it is not stale; a missing file is its reader's to report."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
