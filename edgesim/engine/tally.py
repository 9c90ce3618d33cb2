"""What links and nodes did in a cell, booked when its run has ended."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import Any

from edgesim.compute.nodes import Device, Node
from edgesim.engine.tiers import TieredEngine
from edgesim.engine.world import World

Row = tuple[Any, ...]
NO_BATTERY = (nan,) * 5


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
    """Rows of nodes.parquet.  A device idles within the measured window when it is not away."""
    window_s = world.window[1] - world.window[0]
    for device, spec in zip(world.devices, world.classes, strict=True):
        idle_w = spec.power.idle_w if spec.power else 0.0
        tail_j = device.meter.tail_j(world.clock.now) if device.meter else 0.0
        idle_j = idle_w * (window_s - device.away_s)
        yield (*_node(device, 1, device.served, window_s), idle_j, tail_j, device.away_s, *_battery(device))
    for server in world.engine.serving:
        yield (*_node(server, server.workers, server.batches, window_s), 0.0, 0.0, server.away_s, *NO_BATTERY)


def _battery(device: Device) -> Row:
    """What it held at the window's start and end, and what came, was spilled and was drawn within."""
    if device.meter is None or not device.meter.readings:
        return NO_BATTERY
    first, last = device.meter.readings
    return (first.level_j, *(after - before for before, after in zip(first[1:], last[1:], strict=True)), last.level_j)


def _node(node: Node, workers: int, batches: int, window_s: float) -> Row:
    queue_mean = node.queue_area_s / window_s
    return (node.name, node.busy_s, workers, node.served, batches, node.queue_max, queue_mean, window_s)
