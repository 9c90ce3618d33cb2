"""A manifest as a run writes it, for results that no run made."""

from __future__ import annotations

from typing import Any


def manifest(scenario: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """``changes`` replace keys."""
    return {
        "name": scenario["name"],
        "seed": scenario["seed"],
        "scenario": scenario,
        "created": "2026-03-01T12:00:00+00:00",
        "versions": {"edgesim": "0.1.0", "numpy": "2.0.0"},
        "python": "3.11.7",
        "profiles": {"fashion": "0123456789abcdef"},
        "machines": {"fashion": "a CPU (cpu), 1 of 4 cores, torch 2.6, 2026-01-01T00:00:00Z"},
        "outcomes": {"test": {"fashion": "aaaa"}, "validation": {"fashion": "bbbb"}},
        "files": {"rail.csv": "cccc"},
        "labels": {
            "oracles": [],
            "costs": {"fashion on camera": "measured, scaled by 6 (assumed)", "fashion on edge": "measured"},
            "outcomes": {"fashion": "executed"},
            "links": {"access up": "synthetic"},
            "assumptions": ["Connections are warm (no handshakes)"],
        },
        "warnings": [],
        **changes,
    }
