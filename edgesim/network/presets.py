"""Named synthetic mobile links: moments measured on published traces, for the AR(1) process with outages.

Each row was computed from the trace in 1 s bins: mean, CV and autocorrelation at 1 s of the rate, outages
included; an outage is a bin below max(0.1 Mb/s, 2 % of the median).  A path generated from a row shares these
moments with the trace and nothing else: it is **synthetic, moment-matched**, and no trace is contained in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgesim.errors import InputError
from edgesim.network.ar1 import Ar1Moments

LABEL = "synthetic, moment-matched"

METS = "NYU-METS, LTE in New York: Mei et al., PAM 2019 (iPerf to a server, direction not stated)"
GOPHERS = "5Gophers v1.0, US carriers: Narayanan et al., WWW 2020"
NORWAY = "3G in Norway: Riiser et al., MMSys 2013, as prepared for Sabre"
GHENT = "4G in Ghent: van der Hooft et al., IEEE Comm. Letters 2016, as prepared for Sabre"
MAHIMAHI = "Saturator: Winstein et al., NSDI 2013, as kept in mahimahi"
MTU = "MTU-Insectt Measurements5G, 3 s samples (its autocorrelation is read as the one at 1 s: unconfirmed)"


@dataclass(frozen=True)
class Preset:
    """A row: what the rate looks like, which way the bits went, and where the numbers are from."""

    moments: Ar1Moments
    direction: Literal["up", "down", "unknown"]
    source: str


def _row(
    direction: Literal["up", "down", "unknown"],
    source: str,
    mean_mbps: float,
    cv: float,
    correlation_1s: float,
    outage_share: float = 0.0,
    outage_mean_s: float = 1.0,
) -> Preset:
    return Preset(Ar1Moments(mean_mbps * 1e6, cv, correlation_1s, outage_share, outage_mean_s), direction, source)


PRESETS: dict[str, Preset] = {
    "lte-subway-7": _row("unknown", f"{METS}, 7Train1", 6.81, 0.81, 0.88, 0.011, 1.4),
    "lte-subway-q": _row("unknown", f"{METS}, QTrain", 8.50, 0.75, 0.92, 0.069, 3.4),
    "lte-rail": _row("unknown", f"{METS}, Long Island Rail Road", 4.29, 0.91, 0.83, 0.103, 2.7),
    "lte-bus-57": _row("unknown", f"{METS}, bus57", 7.21, 0.59, 0.89, 0.012, 2.0),
    "lte-bus-62": _row("unknown", f"{METS}, bus62", 2.64, 0.46, 0.78, 0.020, 3.0),
    "lte-upload": _row("up", f"{MAHIMAHI}, TMobile-LTE-short.up", 13.3, 0.60, 0.91),
    "3g-norway": _row("down", f"{NORWAY}, report.2010-09-28_1003CEST", 1.39, 0.64, 0.935, 0.068, 5.1),
    "4g-bicycle": _row("down", f"{GHENT}, report_bicycle_0001", 31.5, 0.38, 0.77),
    "4g-bus": _row("down", f"{GHENT}, report_bus_0006", 32.5, 0.395, 0.72),
    "4g-car": _row("down", f"{GHENT}, report_car_0002", 29.6, 0.45, 0.82),
    "4g-tram": _row("down", f"{GHENT}, report_tram_0004", 45.9, 0.28, 0.65),
    "5g-walk": _row("down", f"{GOPHERS}, walking (mmWave and 4G)", 333.0, 0.82, 0.93, 0.008, 1.2),
    "5g-car-sprint": _row("down", f"{GOPHERS}, car 1, Sprint", 265.0, 0.39, 0.89),
    "5g-car-verizon": _row("down", f"{GOPHERS}, car 1, Verizon", 275.0, 1.73, 0.97, 0.025, 1.0),
    "5g-car-tmobile": _row("down", f"{GOPHERS}, car 1, T-Mobile", 97.0, 0.86, 0.86, 0.15, 9.0),
    "5g-upload": _row("up", f"{MTU}, driving", 35.6, 0.73, 0.96),
}


def find_preset(name: str) -> Preset:
    """The preset of that name; InputError with the names there are."""
    if name not in PRESETS:
        raise InputError(f"ar1: no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]
