"""What links and nodes did in a cell, booked when its run has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgesim.compute.nodes import Node
from edgesim.engine.tiers import TieredEngine
from edgesim.engine.world import World

Row = tuple[Any, ...]


def link_rows(world: World) -> Iterator[Row]:
    """Rows of links.parquet: cells once, own links by device."""
    for name, cell in world.links.cells.items():
        for direction, link in zip(("up", "down"), cell, strict=True):
            yield (name, "", direction, link.busy_s(world.clock.now), *_carried(link.carried))
    if isinstance(world.engine, TieredEngine):
        for hop in world.routes.hops:
            yield (
                hop.link,
                f"{hop.start}>{hop.stop}",
                hop.direction,
                world.engine.hop_busy_s[hop],
                *_carried(hop.fifo),
            )
    for device, spec in zip(world.devices, world.classes, strict=True):
        if spec.link is not None and spec.link not in world.links.cells:
            for direction, link, busy_s in (
                ("up", device.uplink, device.up_busy_s),
                ("down", device.downlink, device.down_busy_s),
            ):
                yield (spec.link, device.name, direction, busy_s, *_carried(getattr(link, "carried", link)))


def _carried(link: Any) -> Row:
    return (
        link.bytes,
        link.delivered_bytes,
        link.lost_bytes,
        link.cancelled_bytes,
        link.wire_bytes,
        link.transfers,
    )


def node_rows(world: World) -> Iterator[Row]:
    """Rows of nodes.parquet.  A device's idle energy is its idle power over the measured window."""
    window_s = world.window[1] - world.window[0]
    for device, spec in zip(world.devices, world.classes, strict=True):
        idle_w = spec.power.idle_w if spec.power else 0.0
        yield (*_node(device, 1, device.served, window_s), idle_w * window_s)
    for server in world.engine.serving:
        yield (*_node(server, server.workers, server.batches, window_s), 0.0)


def _node(node: Node, workers: int, batches: int, window_s: float) -> Row:
    queue_mean = node.queue_area_s / window_s
    return (node.name, node.busy_s, workers, node.served, batches, node.queue_max, queue_mean, window_s)
