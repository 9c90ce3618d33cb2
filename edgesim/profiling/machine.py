"""What a measurement must say of the machine it ran on."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

BOARD = Path("/proc/device-tree/model")
"""Where single-board computers say what they are."""


def cpu_name() -> str:
    """The processor's name (with the board's, where there is one) as the system tells it."""
    names = [BOARD.read_text().strip("\0\n ")] if BOARD.is_file() else []
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names += [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("model name")][:1]
    return ", ".join(names) or platform.processor() or platform.machine()


def describe(threads: int, device: str) -> dict[str, object]:
    """The fields of :class:`edgesim.profiling.profile.Machine`, at this moment."""
    return {
        "cpu": cpu_name(),
        "device": device,
        "cores": os.cpu_count() or 1,
        "threads": threads,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "torch": version("torch"),
        "platform": f"{platform.system()} {platform.machine()}",
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
