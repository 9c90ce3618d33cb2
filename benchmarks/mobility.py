"""Time and memory of many devices that move among base stations.

    python benchmarks/mobility.py [--devices 10000] [--minutes 60] [--quick]

Every device walks as a random waypoint among seven base stations (3GPP UMi, shadowing, Rayleigh fading of 10 ms,
handover by event A3).  As in a simulation, time goes on for all together: every rate of every uplink is made once, and
nothing of it kept beyond what the links themselves keep.  Let nothing else run.
"""

from __future__ import annotations

import argparse
import math
import resource
import sys
from time import perf_counter

from edgesim.network.build_radio import build_radio
from edgesim.scenario.mobility import WaypointMobility
from edgesim.scenario.radio import RadioRate, RayleighFading, Site, UmiLoss

COHERENCE_MS = 10.0
ANGLES = [i * math.pi / 3 for i in range(6)]
POSITIONS_M = [(500.0, 500.0), *((500 + 300 * math.cos(angle), 500 + 300 * math.sin(angle)) for angle in ANGLES)]
LINK = RadioRate(
    process="radio",
    path_loss=UmiLoss(type="umi"),
    sites=tuple(Site(position_m=position_m) for position_m in POSITIONS_M),
    mobility=WaypointMobility(type="random_waypoint", area_m=(1000.0, 1000.0), low_mps=1.0, high_mps=15.0, pause_s=5.0),
    carrier_ghz=3.5,
    bandwidth_mhz=20.0,
    fading=RayleighFading(type="rayleigh", coherence_ms=COHERENCE_MS),
)


def measure(devices: int, minutes: int) -> tuple[float, int, float]:
    """Seconds, bytes by which the peak of memory grew, mean rate in b/s at the start of each chunk."""
    before = peak_bytes()
    began = perf_counter()
    links = [build_radio(LINK, 1, "rate", "cell", f"device-{number}", "up") for number in range(devices)]
    span_s = links[0].chunk(0)[0][-1]
    chunks = math.ceil(60 * minutes / span_s)
    rates_bps = sum(link.rate((k + 0.5) * span_s) for k in range(chunks) for link in links)
    return perf_counter() - began, peak_bytes() - before, rates_bps / (chunks * devices)


def peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--quick", action="store_true", help="100 devices, 10 minutes")
    arguments = parser.parse_args()
    devices, minutes = (100, 10) if arguments.quick else (arguments.devices, arguments.minutes)
    seconds, grown, mean_bps = measure(devices, minutes)
    paths = devices * minutes * 60e3 / COHERENCE_MS * 8
    print(f"{devices:,} devices, {minutes} min, {COHERENCE_MS:g} ms: mean rate {mean_bps / 1e6:.1f} Mb/s")
    print(f"{seconds:.1f} s; {seconds / devices * 60 / minutes:.3f} s for an hour of a device")
    print(
        f"memory grew by {grown / 1e6:.0f} MB ({grown / devices / 1e3:.1f} kB a device); "
        f"the paths as arrays would be {paths / 1e6:,.0f} MB"
    )


if __name__ == "__main__":
    main()
