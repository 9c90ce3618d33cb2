"""What a reader of results should know of the powers that energies were counted with."""

from __future__ import annotations

from collections.abc import Iterator

from edgesim.compute.power_presets import POWER_PRESETS
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.scenario.energy import Power, RadioPower
from edgesim.scenario.scenario import Scenario


def power_labels(scenario: Scenario) -> Iterator[str]:
    """A sentence for each preset of power or radio: what of it is measured, its source, and what overrides it."""
    for name, device in scenario.devices.items():
        power = device.power
        if power is not None and power.preset is not None:
            known = POWER_PRESETS[power.preset]
            yield f"Power of {name}: {power.preset}, {known.label} ({known.source}){_changes(power, known.values)}"
        if power is not None and power.radio is not None and power.radio.preset is not None:
            radio = RADIO_PRESETS[power.radio.preset]
            changes = _changes(power.radio, radio.values)
            yield f"Radio of {name}: {power.radio.preset}, {radio.label} ({radio.source}){changes}"


def _changes(spec: Power | RadioPower, values: dict[str, float]) -> str:
    """The keys that stand in place of the preset's, as the scenario's author gave them."""
    changes = [
        f"{key} {getattr(spec, key):g}"
        for key, field in type(spec).model_fields.items()
        if key not in ("preset", "radio") and getattr(spec, key) != values.get(key, field.default)
    ]
    return f"; but {', '.join(changes)}" if changes else ""
