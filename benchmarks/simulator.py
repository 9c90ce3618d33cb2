"""Speed and memory of the simulator beside plain simpy, in one run.

    python benchmarks/simulator.py [--quick] [--markdown FILE]

(a) plain simpy: a process for each task and a ``Resource``: Poisson arrivals, transfer, FIFO server, result; nothing
is recorded.
(b) edgesim on the same load: fixed-cut policy, trace-driven uplinks, sampled costs, all records written to Parquet.
Every measurement is a process of its own; (a) and (b) take turns.  Beside them other policies on the same load, and
the time of one decision.  Let nothing else run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

LOAD_HZ = 70.0
SIZE_BYTES = 100_000
RATE_MBPS = 20.0
SERVICE_S = 0.01
RESULT_BYTES = 1000
BLOCKS = 7
BASELINE, EDGESIM = "simpy", "fixed_cut"
POLICIES: dict[str, dict[str, Any]] = {
    "fixed_cut": {"type": "fixed_cut", "cut": 1, "codec": "int8"},
    "neurosurgeon": {"type": "neurosurgeon", "codec": "int8"},
    "thresholds": {"type": "thresholds", "threshold": 0.9, "cut": 3, "codec": "int8"},
    "anytime": {"type": "anytime", "cut": 3, "codec": "int8"},
}


def run_simpy(devices: int, requests: int) -> dict[str, float]:
    """One process a task, as the field writes it."""
    import random

    import simpy

    environment = simpy.Environment()
    server = simpy.Resource(environment)
    draw = random.Random(1)
    done = 0
    transfer_s = 8 * SIZE_BYTES / (RATE_MBPS * 1e6)
    result_s = 8 * RESULT_BYTES / (RATE_MBPS * 1e6)

    def task() -> Any:
        nonlocal done
        yield environment.timeout(transfer_s)
        with server.request() as turn:
            yield turn
            yield environment.timeout(draw.expovariate(1 / SERVICE_S))
        yield environment.timeout(result_s)
        done += 1

    def device() -> Any:
        while True:
            yield environment.timeout(draw.expovariate(LOAD_HZ / devices))
            environment.process(task())

    for _ in range(devices):
        environment.process(device())
    before = peak_bytes()
    began = perf_counter()
    while done < requests:
        environment.step()
    seconds = perf_counter() - began
    return {"requests": done, "seconds": seconds, "bytes": peak_bytes() - before}


def scenario_of(devices: int, requests: int, policy: str, trace: Path) -> dict[str, Any]:
    block_ms = {"distribution": "exponential", "mean_ms": 1e3 * SERVICE_S / (BLOCKS - 1)}
    uplink = {"process": "trace", "file": trace.name}
    return {
        "name": "benchmark",
        "duration_s": requests / LOAD_HZ,
        "replications": 1,
        "data": {"source": "none"},
        "models": {
            "model": {
                "source": "synthetic",
                "blocks_ms": [0.01, *[block_ms] * (BLOCKS - 1)],
                "exits": [2, 4, 6, 7],
                "state_bytes": [SIZE_BYTES] * BLOCKS,
                "accuracy": [0.7, 0.8, 0.9, 0.92],
            }
        },
        "devices": {
            "camera": {
                "count": devices,
                "queue": {"bound": None},
                "after_deadline": "continue",
                "arrivals": {"process": "poisson", "rate_hz": LOAD_HZ / devices},
                "link": "radio",
                "server": "edge",
            }
        },
        "links": {
            "radio": {
                "up": uplink,
                "down": {"process": "constant", "rate_mbps": RATE_MBPS},
                "delay_ms": 0,
                "headers": "none",
                "prior_mbps": RATE_MBPS,
            }
        },
        "servers": {"edge": {"result_bytes": RESULT_BYTES}},
        "policies": {policy: POLICIES[policy]},
    }


def run_edgesim(devices: int, requests: int, policy: str) -> dict[str, float]:
    """The engine with its records, from the first event to the closed files; building the world is not counted."""
    from edgesim.engine.assets import missed_errors
    from edgesim.engine.simpy_clock import SimpyClock
    from edgesim.engine.world import Cell, World
    from edgesim.results.recorder import RunRecorder
    from edgesim.scenario.load import build_scenario
    from edgesim.studies.load import load_assets

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rates = [RATE_MBPS * (1 + 0.5 * (-1) ** second) for second in range(600)]
        rows = "".join(f"{second},{rate}\n" for second, rate in enumerate(rates))
        (folder / "trace.csv").write_text("time_s,rate_mbps\n" + rows)
        scenario = build_scenario(scenario_of(devices, requests, policy, folder / "trace.csv"), folder)
        assets = load_assets(scenario, decisions={})
        recorder = RunRecorder(folder, (0.0, scenario.duration_s), {"model": BLOCKS}, missed_errors(assets.test))
        recorder.begin((policy, float("nan"), 0))
        clock = SimpyClock()
        world = World(scenario, assets, Cell(policy, scenario.policies[policy], None, 0), clock, recorder, assets.test)
        before = peak_bytes()
        began = perf_counter()
        clock.run_until(scenario.end_s)
        world.engine.finish()
        recorder.close()
        seconds = perf_counter() - began
        events = next(clock._eid)
        done = sum(device.arrived for device in world.devices)
        stored = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    return {
        "requests": done,
        "seconds": seconds,
        "bytes": peak_bytes() - before,
        "peak": peak_bytes(),
        "events": events / done,
        "stored": stored / done,
    }


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(what: str, devices: int, requests: int) -> dict[str, float]:
    """One measurement, in a process of its own."""
    command = [sys.executable, __file__, "--one", what, str(devices), str(requests)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def compare(devices: int, requests: int, repeats: int) -> str:
    """A row: rates of (a) and (b) in turns, the median of their ratios, events, memory."""
    pairs = [(measure(BASELINE, devices, requests), measure(EDGESIM, devices, requests)) for _ in range(repeats)]
    rate_a, rate_b = (median(each["requests"] / each["seconds"] for each in side) for side in zip(*pairs, strict=True))
    ratio = median(b["requests"] / b["seconds"] / (a["requests"] / a["seconds"]) for a, b in pairs)
    last = pairs[-1][1]
    per_request = max(0.0, last["bytes"]) / last["requests"]
    return (
        f"| {devices:,} | {requests:,} | {rate_a:,.0f} | {rate_b:,.0f} | {ratio:.2f} | {last['events']:.1f} "
        f"| {per_request:.0f} | {last['stored']:.0f} |"
    )


def other_policies(requests: int, repeats: int) -> list[str]:
    rows = []
    for policy in POLICIES:
        pairs = [(measure(BASELINE, 100, requests), measure(policy, 100, requests)) for _ in range(repeats)]
        ratio = median(b["requests"] / b["seconds"] / (a["requests"] / a["seconds"]) for a, b in pairs)
        rate = median(b["requests"] / b["seconds"] for _, b in pairs)
        rows.append(f"| {policy} | {rate:,.0f} | {ratio:.2f} | {pairs[-1][1]['events']:.1f} |")
    return rows


def memory_growth() -> str:
    """Bytes of peak memory that each further request costs, from 100,000 to 1,000,000 requests."""
    small, large = (measure(EDGESIM, 100, requests) for requests in (100_000, 1_000_000))
    growth = (large["bytes"] - small["bytes"]) / (large["requests"] - small["requests"])
    return f"Peak memory grows by {growth:.1f} bytes a request between 1e5 and 1e6 requests (100 devices)."


def many_devices() -> str:
    """1,000,000 requests of 1,000 devices in one run: time, and all the memory that the process ever held."""
    found = measure(EDGESIM, 1000, 1_000_000)
    return (
        f"{found['requests']:,} requests of 1,000 devices in one run take {found['seconds']:.1f} s and a peak of "
        f"{found['peak'] / 1e6:.0f} MB, Python and libraries included."
    )


def tables(quick: bool) -> str:
    sizes = [10_000, 100_000] if quick else [10_000, 100_000, 1_000_000]
    lines = [
        "| devices | requests | (a) simpy, requests/s | (b) edgesim, requests/s | b / a | events a request "
        "| peak growth, B a request | stored, B a request |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for devices in (1, 100, 10_000):
        for requests in sizes:
            lines.append(compare(devices, requests, 1 if requests > 100_000 else 3))
            print(lines[-1], flush=True)
    lines += ["", "| policy, 100 devices, 1e5 requests | requests/s | to (a) | events a request |", "|---|---|---|---|"]
    lines += other_policies(100_000, 3)
    if not quick:
        lines += ["", memory_growth(), "", many_devices()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="up to 1e5 requests")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file as well")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        what, devices, requests = given.one[0], int(given.one[1]), int(given.one[2])
        found = run_simpy(devices, requests) if what == BASELINE else run_edgesim(devices, requests, what)
        print(json.dumps(found))
        return
    text = tables(given.quick)
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
