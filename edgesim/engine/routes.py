"""Ways between servers: links that belong to no device, joined to routes of the fewest hops."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from edgesim.network.fifo import FifoLink


class Hop(NamedTuple):
    """One direction of a connection, shared by all that passes it.  link: its name in the scenario."""

    link: str
    direction: str
    start: str
    stop: str
    fifo: FifoLink


Route = tuple[Hop, ...]


class Routes:
    """Static routes over a graph of hops (there is one for each direction)."""

    def __init__(self, hops: Sequence[Hop] = ()) -> None:
        self.hops = hops
        self._back = {(hop.start, hop.stop): hop for hop in hops}
        self._found: dict[tuple[str, str], Route] = {}

    def between(self, start: str, stop: str) -> Route | None:
        """The hops from one server to another, none for a server to itself; None where no connections join them."""
        if (start, stop) not in self._found:
            route = self._search(start, stop)
            if route is None:
                return None
            self._found[start, stop] = route
        return self._found[start, stop]

    def back(self, hop: Hop) -> Hop:
        """The other direction of the same connection."""
        return self._back[hop.stop, hop.start]

    def _search(self, start: str, stop: str) -> Route | None:
        """Breadth first; among routes of equal length the one whose connections stand first in the scenario."""
        routes: dict[str, Route] = {start: ()}
        todo = deque([start])
        while todo:
            here = todo.popleft()
            for hop in self.hops:
                if hop.start == here and hop.stop not in routes:
                    routes[hop.stop] = (*routes[here], hop)
                    todo.append(hop.stop)
        return routes.get(stop)
