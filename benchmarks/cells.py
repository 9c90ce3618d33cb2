"""What an event in a cell costs, by how many transfers are under way.

    python benchmarks/cells.py [--events N] [--markdown FILE]

With a common rate: a transfer ends and another joins, with 1, 100 and 1,000 under way; a logarithm is what is to be
seen.  With rates of their own: a change of one transfer's rate.  Round robin: a packet.  State machines alone, without
the engine's events, in microseconds.  Let nothing else run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from edgesim.network.ar1 import Ar1Moments, Ar1Rate, match
from edgesim.network.cell import Share, SharedCell
from edgesim.network.constant import ConstantRate
from edgesim.network.csma import contention
from edgesim.network.own_rates import OwnRatesCell
from edgesim.network.round_robin import RoundRobinCell

FLOWS = (1, 100, 1000)
LAW = match(Ar1Moments(5e6, 0.8, 0.5), 0.01)
"""Rates that change every 10 ms."""

Add = Callable[[float, float, int], None]


def shared(weight: float, efficiency: Callable[[int], float] | None = None) -> tuple[Any, Add]:
    cell: SharedCell[int] = SharedCell(ConstantRate(1e8), efficiency)
    return cell, lambda now_s, bits, flow: cell.add(now_s, bits, flow, Share(weight, weight))


def left(stations: int) -> float:
    return contention(stations).throughput


def round_robin() -> tuple[Any, Add]:
    cell: RoundRobinCell[int] = RoundRobinCell(ConstantRate(1e8), 1514)
    return cell, cell.add


def own_rates(turns: Any) -> tuple[Any, Add]:
    cell: OwnRatesCell[int] = OwnRatesCell(turns)
    rates = [Ar1Rate(LAW, 1, number) for number in range(FLOWS[-1])]
    return cell, lambda now_s, bits, flow: cell.add_with_rate(now_s, bits, flow, rates[flow % len(rates)])


def event_us(cell: Any, add: Add, flows: int, events: int, bits: Callable[[], float]) -> float:
    """Mean time of an event with ``flows`` under way: each that ends is followed by another."""
    for flow in range(flows):
        add(0.0, bits(), flow)
    began = perf_counter()
    for _ in range(events):
        now_s = cell.next_event_s()
        flow = cell.pop(now_s)
        if flow is not None:
            add(now_s, bits(), flow)
    return (perf_counter() - began) / events * 1e6


def table(events: int) -> str:
    draws = Random(1)
    endless = 1e15
    kinds: dict[str, tuple[Callable[[], tuple[Any, Add]], Callable[[], float]]] = {
        "common rate, a join and an end": (lambda: shared(1.0), lambda: draws.uniform(1e5, 2e6)),
        "common rate by weights": (lambda: shared(3.0), lambda: draws.uniform(1e5, 2e6)),
        "common rate, contention": (lambda: shared(1.0, left), lambda: draws.uniform(1e5, 2e6)),
        "round robin, a packet": (round_robin, lambda: endless),
        "own rates by time, a change": (lambda: own_rates("time"), lambda: endless),
        "own rates by frames, a change": (lambda: own_rates("frames"), lambda: endless),
    }
    lines = [
        "| event, us | " + " | ".join(f"{flows:,} under way" for flows in FLOWS) + " |",
        "|---|" + "---|" * len(FLOWS),
    ]
    for name, (make, bits) in kinds.items():
        cells = [f"{event_us(*make(), flows, events, bits):.2f}" for flows in FLOWS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000, help="events of each measurement")
    parser.add_argument("--markdown", type=Path, help="write the table to this file as well")
    given = parser.parse_args()
    text = table(given.events)
    print(text)
    if given.markdown:
        given.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
