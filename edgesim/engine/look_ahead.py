"""What may be booked before its time, as nobody could see or change anything meanwhile."""

from __future__ import annotations

from collections.abc import Collection

from edgesim.compute.nodes import Device, Server
from edgesim.network.fifo import FifoLink
from edgesim.policies.steps import Answer, Exit, Run, Send


def let_devices_look_ahead(devices: Collection[Device], servers: Collection[Server]) -> None:
    """Set ``sends_ahead`` and ``ends_ahead``.

    Between a decision and the end of its work a device sends nothing else, so that its own FIFO uplink may take the
    bytes at once; unless a server that aborts makes it send a cancel message by then.  Likewise what ends a request
    for good, unless its policy learns of the end.  Decisions from outside are taken at the clock's time.  A meter
    is told of things as they happen.
    """
    aborting = any(server.aborts for server in servers)
    for device in devices:
        quiet = device.policy is not None and device.meter is None and not aborting
        device.sends_ahead = quiet and device.uplink.__class__ is FifoLink
        device.ends_ahead = quiet and not device.learns


def let_servers_look_ahead(servers: Collection[Server], devices: Collection[Device]) -> None:
    """Set ``serves_ahead``.

    A single worker without batches takes requests in the order in which they come, so that each one's service is
    settled when it comes, and its answers may be put on their devices' own FIFO downlinks; if no policy looks at
    queues, no message takes a request out of them, and no other server's answers go down the same links.
    """
    for server in servers:
        alone = server.workers == 1 and server.batching is None and not server.aborts and server.plan is not None
        server.serves_ahead = alone and all(_minds_not(device, server) for device in devices)


def _minds_not(device: Device, server: Server) -> bool:
    if device.plan is None:
        return False
    sends = {step.to for step in device.plan if isinstance(step, Send)}
    if server.name not in sends:
        return True
    plain = all(isinstance(step, Run | Exit | Answer | Send) for step in device.plan)
    return plain and len(sends) == 1 and not device.learns and device.downlink.__class__ is FifoLink
