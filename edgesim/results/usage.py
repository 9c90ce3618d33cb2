"""How much of their time nodes and links were in use, in each cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgesim.results.axis import device_class
from edgesim.results.cells import Cells
from edgesim.results.tables import Table

PerCell = np.ndarray


def node_usage(nodes: Table, cells: Cells, classes: Mapping[str, object]) -> dict[str, dict[str, PerCell]]:
    """Use of each server and each class of devices (whose devices are added up)."""
    cell = cells.of(nodes)
    names = nodes.names("node")
    groups = [device_class(word) if device_class(word) in classes else word for word in names.words]
    return {
        group: _node_group(nodes, cell, np.array([known == group for known in groups])[names.codes], len(cells))
        for group in dict.fromkeys(groups)
    }


def _node_group(nodes: Table, cell: np.ndarray, inside: np.ndarray, cells: int) -> dict[str, PerCell]:
    rows = np.flatnonzero(inside & (cell >= 0))

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(cell[rows], weights=values, minlength=cells)

    window_s, batches = nodes.column("window_s")[rows], total(nodes.column("batches")[rows])
    members, capacity_s = total(np.ones(len(rows))), total(nodes.column("workers")[rows] * window_s)
    queue_max = np.full(cells, -np.inf)
    np.maximum.at(queue_max, cell[rows], nodes.column("queue_max")[rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "utilisation": total(nodes.column("busy_s")[rows]) / capacity_s,
            "served_hz": total(nodes.column("served")[rows] / window_s),
            "batch_size": total(nodes.column("served")[rows]) / batches,
            "queue_mean": total(nodes.column("queue_mean")[rows]) / members,
            "queue_max": np.where(members > 0, queue_max, np.nan),
            "energy_idle_j": np.where(members > 0, total(nodes.column("energy_idle_j")[rows]), np.nan),
            "energy_tail_j": np.where(members > 0, total(nodes.column("energy_tail_j")[rows]), np.nan),
            "away_share": total(nodes.column("away_s")[rows]) / total(window_s),
        }


def link_usage(links: Table, cells: Cells, window_s: float) -> dict[str, dict[str, PerCell]]:
    """Use of each link's direction (``LINK/up``, ``LINK/down``), its devices added up."""
    cell = cells.of(links)
    names, directions = links.names("link"), links.names("direction")
    usage = {}
    for link, word in enumerate(names.words):
        for direction, side in enumerate(directions.words):
            inside = np.flatnonzero((names.codes == link) & (directions.codes == direction) & (cell >= 0))
            if len(inside):
                usage[f"{word}/{side}"] = _link_group(links, cell[inside], inside, len(cells), window_s)
    return usage


def _link_group(links: Table, cell: np.ndarray, rows: np.ndarray, cells: int, window_s: float) -> dict[str, PerCell]:
    def total(name: str) -> np.ndarray:
        return np.bincount(cell, weights=links.column(name)[rows], minlength=cells)

    members = np.bincount(cell, minlength=cells)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "utilisation": total("busy_s") / (members * window_s),
            "payload_bytes": total("bytes"),
            "lost_bytes": total("lost_bytes"),
            "wire_bytes": total("wire_bytes"),
            "transfers": total("transfers"),
        }
