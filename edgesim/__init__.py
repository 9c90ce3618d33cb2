"""edgesim: what accuracy do I get by my deadline, with which policy, on which network?

Importing the package imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgesim.scenario.scenario import Scenario

__version__ = "0.1.0"


def load(path: str | Path, overrides: Sequence[str] = ()) -> Scenario:
    """The scenario in a YAML file, with overrides such as ``seed=2`` or ``links.access.delay_ms=30``.

    Raises InputError naming file, line and key where it is wrong.
    """
    from edgesim.scenario.load import load_scenario

    return load_scenario(Path(path), overrides)
