"""``edgesim devices``."""

from __future__ import annotations

from edgesim.profiling.presets import PRESETS


def test_every_preset_is_listed_with_its_source(command) -> None:
    said = command("devices")
    assert said.code == 0
    for preset in PRESETS.values():
        line = next(line for line in said.out.splitlines() if f" {preset.name} " in line)
        assert preset.numeric_format in line and f" {preset.mark} " in line and preset.source[:12] in line
