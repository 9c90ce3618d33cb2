"""Run folders made by hand or by a small random world, with exactly the columns that a run writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from edgesim.results.columns import BOOL, NAME, TABLES, arrow_schema

DEFAULTS = {NAME: "", BOOL: False, "int32": 0, "int64": 0, "float64": 0.0}
NAMED = {"policy": "a", "device": "camera-0", "error": np.nan, "missed_error": np.nan}
WARMUP_S, DURATION_S = 5.0, 65.0


def scenario(**changes: Any) -> dict[str, Any]:
    """A resolved scenario with what the results read of one."""
    return {
        "name": "hand",
        "seed": 1,
        "duration_s": DURATION_S,
        "warmup_s": WARMUP_S,
        "replications": 1,
        "deadlines_ms": [50.0, 100.0, 300.0],
        "devices": {"camera": {"deadline": {"distribution": "fixed", "ms": 100.0}}},
        "models": {"fashion": {}},
        "policies": {"a": {}},
        **changes,
    }


def write_run(folder: Path, manifest_scenario: dict[str, Any], **tables: dict[str, Any]) -> Path:
    """Write a manifest and the four tables; columns not given hold a plain default."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"scenario": manifest_scenario}))
    for stem in TABLES:
        write_table(folder / f"{stem}.parquet", stem, tables.get(stem, {}))
    return folder


def write_table(path: Path, stem: str, given: dict[str, Any], row_group: int = 4096) -> None:
    rows = max((np.size(values) for values in given.values()), default=0)
    columns = {}
    for column in TABLES[stem]:
        default = NAMED.get(column.name, DEFAULTS[column.kind])
        columns[column.name] = np.broadcast_to(np.asarray(given.get(column.name, default)), rows)
    unknown = given.keys() - columns.keys()
    assert not unknown, unknown
    schema = arrow_schema(TABLES[stem])
    arrays = []
    for field, values in zip(schema, columns.values(), strict=True):
        words = pa.types.is_dictionary(field.type)
        arrays.append(
            pa.array(values.tolist(), pa.string()).dictionary_encode() if words else pa.array(values, field.type)
        )
    pq.write_table(pa.table(arrays, schema=schema), path, row_group_size=row_group)


def requests_of(counted: np.ndarray | int, **columns: Any) -> dict[str, Any]:
    """Requests numbered from 0 that are all counted, on one device."""
    return {"number": np.arange(counted), "counted": np.ones(counted, bool), **columns}


class World:
    """A small random world: the same arrivals and images for every policy, made-up latencies and answers."""

    def __init__(self, folder: Path, policies: list[str], replications: int, devices: int, rate_hz: float, seed: int):
        self.folder, self.policies, self.replications = folder, policies, replications
        self.devices, self.rate_hz, self.seed = devices, rate_hz, seed
        self.images = 2000
        self.difficulty = np.random.default_rng(0).random(self.images)
        self.axis_ms = [10.0, 20.0, 35.0, 50.0, 75.0, 100.0, 150.0, 200.0, 400.0]

    def write(self, labels: dict[str, Any]) -> Path:
        parts: dict[str, list[dict[str, Any]]] = {stem: [] for stem in TABLES}
        for policy in self.policies:
            for axis_ms in self.axis_ms if policy == "anytime" else [np.nan]:
                for replication in range(self.replications):
                    for stem, table in self._cell(policy, axis_ms, replication).items():
                        rows = max(np.size(values) for values in table.values())
                        cell = {"policy": policy, "axis_deadline_ms": axis_ms, "replication": replication}
                        whole = {name: np.broadcast_to(values, rows) for name, values in {**cell, **table}.items()}
                        parts[stem].append(whole)
        tables = {
            stem: {name: np.concatenate([table[name] for table in found]) for name in found[0]}
            for stem, found in parts.items()
        }
        world = scenario(
            name="quickstart",
            replications=self.replications,
            deadlines_ms=self.axis_ms,
            policies={policy: {} for policy in self.policies},
        )
        write_run(self.folder, world, **tables)
        manifest = {"scenario": world, "labels": labels, "link_rate": self._link_rate()}
        (self.folder / "manifest.json").write_text(json.dumps(manifest))
        return self.folder

    def _link_rate(self) -> dict[str, Any]:
        edges_s = np.arange(0.0, DURATION_S + 1, 1.0)
        random = np.random.default_rng(self.seed)
        rates = 5e6 * np.exp(np.cumsum(random.normal(0, 0.3, len(edges_s))) * 0.7)
        return {"device": "camera-0", "edges_s": edges_s.tolist(), "rates_bps": rates[:-1].tolist()}

    def _cell(self, policy: str, axis_ms: float, replication: int) -> dict[str, dict[str, Any]]:
        world = np.random.default_rng([self.seed, replication])
        per_device = round(self.rate_hz * DURATION_S)
        count = per_device * self.devices
        arrival_s = np.sort(world.random((self.devices, per_device)) * DURATION_S).ravel()
        sample = world.integers(self.images, size=count)
        number = np.tile(np.arange(per_device), self.devices)
        device = np.repeat([f"camera-{i}" for i in range(self.devices)], per_device)
        depth = self.policies.index(policy) + 1
        random = np.random.default_rng([self.seed, replication, depth])
        stages = self._stages(policy, random, count)
        latency_s = sum(stages.values())
        offloaded = np.full(count, policy != "device_only") & (random.random(count) < 0.9)
        right = self.difficulty[sample] < 0.55 + 0.05 * depth
        deadline_s = 0.1 if np.isnan(axis_ms) else axis_ms / 1e3
        dropped = random.random(count) < 0.01
        on_time = (latency_s <= deadline_s) & ~dropped
        counted = arrival_s >= WARMUP_S
        exits = np.where(offloaded, 5, random.integers(1, 4, size=count))
        answered = ~dropped
        requests = {
            "device": device,
            "number": number,
            "sample": sample,
            "arrival_s": arrival_s,
            "deadline_s": deadline_s,
            "counted": counted,
            "end": np.where(dropped, "dropped", np.where(on_time, "on_time", "late")),
            "reason": np.where(dropped, "queue full", ""),
            "latency_s": np.where(answered, latency_s, np.nan),
            "used_s": np.where(on_time, latency_s, np.nan),
            "answers": answered.astype(int),
            "model": np.where(answered, "fashion", ""),
            "exit": np.where(answered, exits, -1),
            "correct": right & on_time,
            "final_correct": right & answered,
            "cut": np.where(offloaded, random.choice([0, 1, 3], size=count), 6),
            "codec": np.where(offloaded, np.where(random.random(count) < 0.5, "int8", "png"), ""),
            "bytes_up": np.where(offloaded, 3000, 0),
            "energy_j": 0.02 + 0.03 * random.random(count),
            **stages,
        }
        answers = {
            "device": device[answered],
            "number": number[answered],
            "counted": counted[answered],
            "time_s": latency_s[answered],
            "deadline_s": deadline_s,
            "model": "fashion",
            "depth": exits[answered],
            "exit": exits[answered],
            "correct": right[answered],
        }
        window_s = DURATION_S - WARMUP_S
        nodes = {
            "node": ["edge", *(f"camera-{i}" for i in range(self.devices))],
            "busy_s": np.r_[0.6 * window_s, np.full(self.devices, 0.3 * window_s)],
            "workers": np.r_[1, np.ones(self.devices, int)],
            "served": np.r_[count, np.full(self.devices, per_device)],
            "batches": np.r_[count // 2, np.full(self.devices, per_device)],
            "window_s": np.full(self.devices + 1, window_s),
        }
        links = {
            "link": "access",
            "device": [f"camera-{i}" for i in range(self.devices)],
            "direction": "up",
            "busy_s": np.full(self.devices, 0.4 * window_s),
            "bytes": 3000 * per_device,
            "delivered_bytes": 3000 * per_device,
            "lost_bytes": 0,
            "cancelled_bytes": 0,
            "wire_bytes": 3200 * per_device,
            "transfers": per_device,
        }
        return {"requests": requests, "answers": answers, "nodes": nodes, "links": links}

    def _stages(self, policy: str, random: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        share = {"device_only": 1.0, "server_only": 0.1}.get(policy, 0.4)
        compute, transfer = 0.06 * share, 0.05 * (1 - share)
        return {
            "device_wait_s": random.exponential(compute / 3, count),
            "decide_s": np.full(count, 5e-5),
            "device_compute_s": compute * random.lognormal(0, 0.1, count),
            "encode_s": np.full(count, 0.001 if transfer else 0.0),
            "uplink_wait_s": random.exponential(transfer / 5, count) if transfer else np.zeros(count),
            "uplink_s": transfer * random.lognormal(0, 0.6, count),
            "propagation_s": np.full(count, 0.01 if transfer else 0.0),
            "server_wait_s": random.exponential(transfer / 4, count) if transfer else np.zeros(count),
            "server_s": np.full(count, 0.012 * (1 - share)),
            "downlink_wait_s": np.zeros(count),
            "downlink_s": np.full(count, 0.0005 if transfer else 0.0),
        }
