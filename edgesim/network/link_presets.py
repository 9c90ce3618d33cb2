"""Named links: typical rates and delays by technology, in the keys of a scenario's link.

Rates are constant, means or peaks of what is cited; for a rate that varies, override ``up`` and ``down``.  ``measured``
numbers were read in a published measurement, ``computed`` ones follow from a formula or from published traces,
``assumed`` ones are usual values that were not read in a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgesim.network.lora import MOST_BYTES, bit_rate_bps

DADS = "DADS: Hu et al., INFOCOM 2019 (uplink of 3G, 4G and Wi-Fi)"
HUANG = "Huang et al., MobiSys 2012 (medians of LTE)"
SEMTECH = "Semtech AN1200.13, 125 kHz, coding 4/5; 1 % duty cycle, largest payloads of EU868"
GLASGOW = "AhrenHart/Glasgow5GDataset2025, speed tests, CC BY 4.0 (means)"


@dataclass(frozen=True)
class LinkPreset:
    """The keys that it stands for, their source, and what of them is measured, computed or assumed."""

    values: dict[str, Any]
    source: str
    label: str

    def rate_mbps(self, direction: str) -> float:
        return float(self.values[direction]["rate_mbps"])


def _link(up_mbps: float, down_mbps: float, delay_ms: float, **more: Any) -> dict[str, Any]:
    up, down = ({"process": "constant", "rate_mbps": rate_mbps} for rate_mbps in (up_mbps, down_mbps))
    return {"up": up, "down": down, "delay_ms": delay_ms, **more}


def _lora(spreading_factor: int) -> LinkPreset:
    rate_mbps = bit_rate_bps(spreading_factor) / 1e6
    lora = {"spreading_factor": spreading_factor}
    values = _link(rate_mbps, rate_mbps, 50.0, headers="none", lora=lora)
    return LinkPreset(values, SEMTECH, "rate and airtime computed; delay assumed")


LINK_PRESETS: dict[str, LinkPreset] = {
    "3g": LinkPreset(
        _link(1.1, 1.15, 50.0),
        f"{DADS}; down: mean of 3G traces in Norway (Riiser et al., MMSys 2013)",
        "up measured; down computed from traces; delay assumed (round trip of 100 ms)",
    ),
    "lte": LinkPreset(_link(6.0, 13.0, 35.0), HUANG, "rates measured; delay assumed (round trip of 70 ms)"),
    "5g": LinkPreset(_link(165.0, 671.0, 10.8), GLASGOW, "rates and round trip (21.6 ms) measured"),
    "wifi": LinkPreset(
        _link(18.88, 18.88, 2.5), DADS, "up measured; down assumed alike; delay assumed (round trip of 5 ms)"
    ),
    "ble-1m": LinkPreset(
        _link(0.7, 0.7, 15.0, headers="none"),
        "Bluetooth LE, 1M PHY with data length extension, what an application gets",
        "assumed; delay: of connection intervals",
    ),
    "ble-2m": LinkPreset(
        _link(1.4, 1.4, 15.0, headers="none"),
        "Bluetooth LE, 2M PHY with data length extension, what an application gets",
        "assumed; delay: of connection intervals",
    ),
    "nb-iot": LinkPreset(
        _link(0.0625, 0.026, 800.0, headers="none"),
        "NB-IoT, 3GPP Rel-13 category NB1, half duplex: about the peak rates, multi-tone up",
        "assumed; a peak, and seconds of delay in poor coverage",
    ),
    **{f"lora-sf{spreading_factor}": _lora(spreading_factor) for spreading_factor in MOST_BYTES},
}
