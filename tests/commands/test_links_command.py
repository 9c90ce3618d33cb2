"""``edgesim links``."""

from __future__ import annotations

from edgesim.network.link_presets import LINK_PRESETS
from edgesim.network.presets import PRESETS


def line(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if f" {name} " in line)


def test_every_preset_is_listed_with_its_numbers_and_source(command) -> None:
    said = command("links")
    assert said.code == 0
    links, rates = said.out.split("Rates, as")
    for name, preset in LINK_PRESETS.items():
        for told in (f"{preset.rate_mbps('up'):.4g}", f"{preset.values['delay_ms']:g}", preset.label, preset.source):
            assert told[:30] in line(links, name)
    for name, row in PRESETS.items():
        for told in (f"{row.moments.cv:g}", f"{row.moments.correlation_1s:g}", row.direction, row.source[:30]):
            assert told in line(rates, name)
