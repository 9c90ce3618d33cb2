"""Simulating reads profiles without torch."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("costs", "profile", "presets", "report", "differences", "importing", "fit", "lock", "machine")
HEAVY = ("torch", "timm", "pandas", "matplotlib", "scipy")


def test_costs_and_profiles_import_nothing_heavy() -> None:
    imports = "; ".join(f"import edgesim.profiling.{name}" for name in MODULES)
    check = f"import sys; {imports}; sys.exit(', '.join(set({HEAVY}) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
