"""Named powers of devices, in the keys of a scenario's ``power``.

Three kinds of numbers, which each preset's label tells apart: *measured*, the power of the whole board while it runs
High Performance Linpack on all cores (a model that keeps fewer of them busy draws less); *budget*, the highest power
mode that the vendor names, which nobody measured; *assumed*, not read in a source.
"""

from __future__ import annotations

from dataclasses import dataclass

HPL = "geerlingguy/top500-benchmark @be7b67813493 (MIT), power at HPL"
VENDOR = "NVIDIA, highest power mode"
NOBODY = "no source at hand"


@dataclass(frozen=True)
class PowerPreset:
    """Power when idle, where anything is known of it, total power while computing, and what these numbers are."""

    idle_w: float | None
    compute_w: float
    source: str
    label: str

    @property
    def values(self) -> dict[str, float]:
        """The keys of ``power`` that it stands for."""
        idle = {} if self.idle_w is None else {"idle_w": self.idle_w}
        return {**idle, "compute_w": self.compute_w}


def _hpl(compute_w: float, idle_w: float | None = None) -> PowerPreset:
    idle = "unknown" if idle_w is None else "assumed"
    return PowerPreset(idle_w, compute_w, HPL, f"compute_w measured, idle_w {idle}")


def _budget(compute_w: float) -> PowerPreset:
    return PowerPreset(None, compute_w, VENDOR, "compute_w a budget, idle_w unknown")


POWER_PRESETS = {
    "pi-zero-2w": _hpl(2.1),
    "pi3b-plus": PowerPreset(1.9, 5.5, NOBODY, "both assumed"),
    "pi4": _hpl(7.2, 2.7),
    "pi400": _hpl(6.4),
    "cm4": _hpl(5.2),
    "pi5": _hpl(12.7, 3.0),  # idle: middle of 2.5 to 3.5
    "pi5-16gb": _hpl(13.8, 3.0),
    "cm5": _hpl(9.2),
    "orange-pi-5": _hpl(11.5),
    "n100": _hpl(25.0),
    "ryzen-5600x": _hpl(196.0),
    "m4-mac-mini": _hpl(39.6),
    "jetson-nano": _budget(10.0),
    "jetson-tx2": _budget(15.0),
    "xavier-nx": _budget(20.0),
    "agx-xavier": _budget(30.0),
    "orin-nano": _budget(15.0),
    "orin-nx": _budget(25.0),
    "agx-orin": _budget(60.0),
}
