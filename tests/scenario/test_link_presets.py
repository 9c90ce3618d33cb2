"""Links by the name of a technology, in a scenario and in a run."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from edgesim.network.link_presets import LINK_PRESETS
from edgesim.scenario.links import Link

LINKS: TypeAdapter[Link] = TypeAdapter(Link)


def link(**keys: Any) -> Link:
    return LINKS.validate_python({"prior_mbps": 1, **keys})


@pytest.mark.parametrize("name", LINK_PRESETS)
def test_a_preset_is_a_link_but_for_the_prior(name: str) -> None:
    made, values = link(preset=name), LINK_PRESETS[name].values
    assert made.up.rate_mbps == values["up"]["rate_mbps"] and made.down.rate_mbps == values["down"]["rate_mbps"]
    assert made.delay_ms == values["delay_ms"]
    assert any(word in LINK_PRESETS[name].label for word in ("measured", "computed", "assumed"))
    assert link(**made.model_dump(mode="json")) == made, "what is resolved says the same again"
    with pytest.raises(ValidationError, match="prior_mbps"):
        LINKS.validate_python({"preset": name})


def test_keys_beside_a_preset_override_it() -> None:
    made = link(preset="lte", up={"process": "ar1", "preset": "lte-upload"}, delay_ms=20, sharing="cell")
    assert made.up.process == "ar1" and made.delay_ms == 20 and made.down.rate_mbps == 13
    assert link(preset="lora-sf9").lora.spreading_factor == 9
    assert link(preset="lora-sf9", lora={"spreading_factor": 9, "duty_cycle": 0.1}).lora.duty_cycle == 0.1


def test_without_a_preset_every_key_is_needed() -> None:
    with pytest.raises(ValidationError, match="delay_ms"):
        link(up={"process": "constant", "rate_mbps": 5}, down={"process": "constant", "rate_mbps": 5})
