"""Mean times at load 0.8 against queueing theory; and a service 5 % slower, which must be seen.

Each test runs independent copies of a queue side by side: see ``queue_estimates``.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from little_worlds import EXPONENTIAL, assets_of, device, link, linked, run, toy, world
from queue_estimates import Estimate, copies, see

LOAD, SERVICE_S = 0.8, 0.01
RATE_HZ = LOAD / SERVICE_S
WARMUP_S = 5.0


def local_copies(block_ms: object, count: int, duration_s: float, slower: float = 1.0) -> Estimate:
    """Mean latency of devices that do all themselves, one queue each."""
    scenario = world(
        models={"toy": toy([block_ms], samples=2)},
        devices={f"d{n}": device(RATE_HZ, processor={"factor": slower}) for n in range(count)},
        duration_s=duration_s + WARMUP_S,
        warmup_s=WARMUP_S,
        policies={"p": {"type": "device_only"}},
    )
    return copies(scenario, run(scenario), "latency_s", None if isinstance(block_ms, float) else "{}")


M_M_1_S = SERVICE_S / (1 - LOAD)
M_D_1_S = SERVICE_S * (1 + LOAD / (2 * (1 - LOAD)))
"""Pollaczek and Khinchine, without any spread of the service."""


def test_m_m_1() -> None:
    see(local_copies(EXPONENTIAL, 40, 65), M_M_1_S)


def test_m_d_1() -> None:
    see(local_copies(10.0, 40, 25), M_D_1_S)


@pytest.mark.parametrize(("block_ms", "theory_s"), [(EXPONENTIAL, M_M_1_S), (10.0, M_D_1_S)])
def test_a_slower_processor_is_seen(block_ms: object, theory_s: float) -> None:
    assert local_copies(block_ms, 40, 10, slower=1.05).z(theory_s) > 3.3


def server_copies(workers: int, count: int, duration_s: float, slower: float = 1.0) -> Estimate:
    """Mean time at servers with several workers, each with its own device."""
    names = [f"d{n}" for n in range(count)]
    scenario = world(
        models={"toy": toy(samples=2)},
        devices={name: linked(workers * RATE_HZ, server=f"s-{name}") for name in names},
        servers={f"s-{name}": {"workers": workers, "processor": {"factor": slower}} for name in names},
        duration_s=duration_s + WARMUP_S,
        warmup_s=WARMUP_S,
    )
    tables = run(scenario)
    tables.requests["spent_s"] = tables.requests.server_wait_s + tables.requests.server_s
    return copies(scenario, tables, "spent_s", "s-{}")


def erlang_c(workers: int) -> float:
    """Mean wait in M/M/k at the load of this file, plus the service."""
    offered = LOAD * workers
    full = offered**workers / math.factorial(workers) / (1 - LOAD)
    waits = full / (sum(offered**n / math.factorial(n) for n in range(workers)) + full)
    return SERVICE_S * (1 + waits / (workers * (1 - LOAD)))


def test_m_m_3() -> None:
    see(server_copies(3, 20, 10), erlang_c(3), 0.04)


def test_a_slower_server_is_seen() -> None:
    assert server_copies(3, 20, 4, slower=1.05).z(erlang_c(3)) > 3.3


SIZES = np.linspace(500, 1500, 100).astype(int)
"""Bytes, uniform; by sample."""


def cell_copies(count: int, duration_s: float, slower: float = 1.0) -> Estimate:
    """Mean transfer time in cells that a device's transfers share equally."""
    names = [f"d{n}" for n in range(count)]
    rate_mbps = 8 * SIZES.mean() / SERVICE_S / 1e6 / slower
    scenario = world(
        models={"toy": toy([0.0], samples=len(SIZES))},
        devices={name: linked(RATE_HZ, link=f"l-{name}") for name in names},
        links={f"l-{name}": link(rate_mbps, 1e9, sharing="cell") for name in names},
        duration_s=duration_s + WARMUP_S,
        warmup_s=WARMUP_S,
    )
    tables = run(scenario, assets_of(scenario, payload_bytes=lambda samples: SIZES))
    return copies(scenario, tables, "uplink_s", mean_bytes=SIZES.mean())


def test_m_g_1_processor_sharing() -> None:
    """E[S] / (1 - load), whatever the sizes' distribution (Kleinrock, vol. 2); a FIFO link would give 0.032 s."""
    see(cell_copies(40, 42), SERVICE_S / (1 - LOAD))


def test_a_slower_cell_is_seen() -> None:
    assert cell_copies(40, 6, slower=1.05).z(SERVICE_S / (1 - LOAD)) > 3.3
