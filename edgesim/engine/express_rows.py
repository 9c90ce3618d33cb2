"""From the times of requests that went the straight way to their rows, many at once."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan
from struct import Struct
from typing import NamedTuple

import numpy as np

from edgesim.compute.nodes import Device
from edgesim.engine.straight import SENT, Way
from edgesim.outcomes.scores import Scores
from edgesim.results.request_rows import Columns

KEPT = (
    ("lane", "i"),
    ("number", "i"),
    ("sample", "i"),
    ("arrival_s", "d"),
    ("deadline_at_s", "d"),
    ("decide_s", "d"),
    ("device_compute_s", "d"),
    ("encode_s", "d"),
    ("ready_s", "d"),
    ("up_start_s", "d"),
    ("up_finish_s", "d"),
    ("begin_s", "d"),
    ("served_s", "d"),
    ("down_start_s", "d"),
    ("down_finish_s", "d"),
    ("answer", "i"),
)
"""All from ``ready_s`` on are absolute: bytes ready, first and last bit up, begin and end of the service, first and
last bit down.  What is not before the end of the run does not happen, nor does what follows it.  answer: its number
in ``Way.answers``, or SENT where none was made.
"""
DTYPE = np.dtype(list(KEPT))
pack = Struct("=" + "".join(form for _, form in KEPT)).pack


class Stretch(NamedTuple):
    """What requests spent at one thing: from, to, how long; and whether it happened, for each."""

    start_s: np.ndarray
    stop_s: np.ndarray
    seconds: np.ndarray
    happened: np.ndarray

    @classmethod
    def of(cls, start_s: np.ndarray, stop_s: np.ndarray, happened: np.ndarray) -> Stretch:
        return cls(start_s, stop_s, np.where(happened, stop_s - start_s, 0.0), happened)

    def within_s(self, low: float, high: float) -> np.ndarray:
        """The part within the measured window."""
        inside = (low <= self.start_s) & (self.stop_s <= high)
        part_s = np.minimum(self.stop_s, high) - np.maximum(self.start_s, low)
        return np.where(self.happened, np.where(inside, self.seconds, np.maximum(part_s, 0.0)), 0.0)

    def ends_within(self, low: float, high: float) -> np.ndarray:
        return self.happened & (low <= self.stop_s) & (self.stop_s <= high)


class Trip:
    """What lanes that share a way have in common, as numbers: what is sent, and each answer; arrays are by sample."""

    def __init__(self, way: Way, codes: Mapping[str, int]) -> None:
        ship = way.ship
        self.server = ship and ship.server
        self.cut, self.codec = (ship.cut, codes[ship.codec]) if ship else (0, codes[""])
        self.sizes = np.array(ship.sizes) + ship.server.carried_bytes if ship else np.zeros(1, int)
        self.result_bytes = ship.server.result_bytes if ship else 0
        self.answers = [(give, codes[give.model], _columns(scores)) for give, scores in way.answers]


def _columns(scores: list[Scores]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, whether they are right, and their errors."""
    found = np.array([(each.prediction, each.correct, each.error) for each in scores])
    return found[:, 0], found[:, 1] > 0, found[:, 2]


class LaneColumns(NamedTuple):
    """What differs between lanes, by lane; device: the code of its name, trip: its number, blocks: of its model."""

    device: np.ndarray
    trip: np.ndarray
    blocks: np.ndarray
    delay_s: np.ndarray
    delay_back_s: np.ndarray
    compute_w: np.ndarray
    send_w: np.ndarray
    receive_w: np.ndarray


class Books:
    """Keeps the accounts of lanes, as the other parts of the engine keep those of single requests.

    codes: numbers for words.  window: the measured one.  end_s: when the run is over.  unfinished: why a request has no
    answer then.
    """

    def __init__(self, codes: Mapping[str, int], window: tuple[float, float], end_s: float, unfinished: str) -> None:
        self._codes, self._window, self._end_s, self._unfinished = codes, window, end_s, unfinished
        self._devices: list[Device] = []
        self._lanes: list[tuple[float, ...]] = []
        self._trips: dict[int, tuple[int, Trip]] = {}
        self._columns = np.zeros((0, 0))
        self._used: dict[str, np.ndarray] = {}

    def open(self, device: Device, way: Way) -> int:
        """The number of a new lane."""
        if id(way) not in self._trips:
            self._trips[id(way)] = len(self._trips), Trip(way, self._codes)
        delays_s = (device.uplink.delay_s, device.downlink.delay_s) if way.ship else (0.0, 0.0)
        powers_w = device.compute_w, device.send_w, device.receive_w
        blocks = device.costs[device.root.model].num_blocks
        self._lanes.append((self._codes[device.name], self._trips[id(way)][0], blocks, *delays_s, *powers_w))
        self._devices.append(device)
        return len(self._devices) - 1

    def enter(self, packed: bytes) -> Columns:
        """Book requests; what is kept of them."""
        kept = np.frombuffer(packed, DTYPE)
        if len(self._columns) < len(self._lanes):
            self._columns = np.array(self._lanes)
        lane = LaneColumns(*self._columns[kept["lane"]].T)
        with np.errstate(invalid="ignore"):  # infinite times of what does not happen
            return self._enter(kept, lane)

    def _enter(self, kept: np.ndarray, lane: LaneColumns) -> Columns:
        end_s = self._end_s
        ready_s, finish_s, begin_s, served_s = (
            kept[name] for name in ("ready_s", "up_finish_s", "begin_s", "served_s")
        )
        always = np.ones(len(kept), bool)
        seconds = kept["decide_s"] + kept["device_compute_s"] + kept["encode_s"]
        here = Stretch(ready_s - seconds, ready_s, seconds, always)
        up = Stretch.of(kept["up_start_s"], finish_s, finish_s < inf)
        reach_s = finish_s + lane.delay_s
        wait = Stretch.of(reach_s, begin_s, reach_s < end_s)
        there = Stretch.of(begin_s, served_s, served_s < end_s)
        back_finish_s = kept["down_finish_s"]
        down = Stretch.of(kept["down_start_s"], back_finish_s, there.happened & (back_finish_s < inf))
        back_s = back_finish_s + lane.delay_back_s
        local = (kept["answer"] != SENT) & (begin_s == inf)
        answered = local | (down.happened & (back_s < end_s))
        busy = Stretch.of(begin_s, np.minimum(served_s, end_s), begin_s < end_s)
        self._use(kept["lane"], here, up, wait, there, busy, down)

        energy_j = lane.compute_w * here.seconds + lane.send_w * up.seconds + lane.receive_w * down.seconds
        answered_s = np.where(local, ready_s, np.where(answered, back_s, nan))
        columns = {name: kept[name] for name in ("number", "sample", "arrival_s", "deadline_at_s")}
        columns |= self._sent(kept, lane, ~local, there.happened)
        columns |= self._answers(kept, lane, answered)
        none_s = np.zeros(len(kept))  # whoever has one answer, and in time, spends nothing behind the deadline
        return columns | {
            "device": lane.device.astype(np.int32),
            "open": ~answered,
            "reason": np.full(len(kept), self._codes[self._unfinished], np.int32),
            "answers": answered.astype(np.int32),
            "first_s": answered_s,
            "shown_s": answered_s,
            "device_wait_s": none_s,
            "decide_s": kept["decide_s"],
            "device_compute_s": kept["device_compute_s"],
            "encode_s": kept["encode_s"],
            "uplink_wait_s": np.where(up.happened, up.start_s - ready_s, 0.0),
            "uplink_s": up.seconds,
            "propagation_s": np.where(up.happened, lane.delay_s, 0.0) + np.where(down.happened, lane.delay_back_s, 0.0),
            "server_wait_s": np.where(begin_s < inf, begin_s - reach_s, 0.0),
            "server_s": there.seconds,
            "downlink_wait_s": np.where(down.happened, down.start_s - served_s, 0.0),
            "downlink_s": down.seconds,
            "energy_j": energy_j,
            "spent_s": here.seconds + there.seconds,
            "late_s": none_s,
            "late_j": none_s,
            "late_bytes": np.zeros(len(kept), np.int64),
        }

    def _sent(self, kept: np.ndarray, lane: LaneColumns, sent: np.ndarray, served: np.ndarray) -> dict[str, np.ndarray]:
        """Cuts, codecs and bytes."""
        cut, codec = lane.blocks.astype(np.int32), np.full(len(kept), self._codes[""], np.int32)
        up, down = np.zeros(len(kept), np.int64), np.zeros(len(kept), np.int64)
        for number, trip in self._trips.values():
            on = np.flatnonzero(sent & (lane.trip == number))
            if len(on):
                cut[on], codec[on] = trip.cut, trip.codec
                up[on] = trip.sizes[kept["sample"][on]]
                down[on] = np.where(served[on], trip.result_bytes, 0)
        return {"cut": cut, "codec": codec, "bytes_up": up, "bytes_down": down}

    def _answers(self, kept: np.ndarray, lane: LaneColumns, answered: np.ndarray) -> dict[str, np.ndarray]:
        """What was answered, and how right that is."""
        count = len(kept)
        model = np.full(count, self._codes[""], np.int32)
        depth, exit = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
        prediction, correct, error = np.full(count, nan), np.zeros(count, bool), np.full(count, nan)
        for number, trip in self._trips.values():
            mine = answered & (lane.trip == number)
            for which, (give, name, (predictions, corrects, errors)) in enumerate(trip.answers):
                on = np.flatnonzero(mine & (kept["answer"] == which))
                sample = kept["sample"][on]
                model[on], depth[on], exit[on] = name, give.depth, give.exit
                prediction[on], correct[on], error[on] = predictions[sample], corrects[sample], errors[sample]
        shown = {"model": model, "depth": depth, "exit": exit, "prediction": prediction}
        return shown | {"shown_correct": correct, "final_correct": correct, "answer_error": error}

    def _use(
        self,
        lane: np.ndarray,
        here: Stretch,
        up: Stretch,
        wait: Stretch,
        there: Stretch,
        busy: Stretch,
        down: Stretch,
    ) -> None:
        """Add to what nodes and links have done, by lane; busy: ``there`` up to the end of the run."""
        low, high = self._window
        done = {
            "busy_s": here.within_s(low, high),
            "served": here.ends_within(low, high),
            "up_busy_s": up.within_s(low, high),
            "down_busy_s": down.within_s(low, high),
            "server_area_s": wait.within_s(low, high),
            "server_busy_s": busy.within_s(low, high),
            "server_served": there.ends_within(low, high),
        }
        for name, values in done.items():
            total = np.bincount(lane, values, len(self._devices))
            before = self._used.get(name, total[:0])
            total[: len(before)] += before
            self._used[name] = total

    def close(self) -> None:
        """The run is over: tell the nodes what they have done."""
        trips = [trip for _, trip in self._trips.values()]
        used = zip(*(self._used.get(name, np.zeros(0)).tolist() for name in USED), strict=True)
        for device, lane, done in zip(
            self._devices, self._lanes, used, strict=False
        ):  # the last lanes may have kept nothing
            busy_s, served, up_busy_s, down_busy_s, area_s, server_busy_s, server_served = done
            device.busy_s += busy_s
            device.served += int(served)
            device.up_busy_s += up_busy_s
            device.down_busy_s += down_busy_s
            server = trips[int(lane[1])].server
            if server is not None:
                server.queue_area_s += area_s
                server.busy_s += server_busy_s
                server.served += int(server_served)
                server.batches += int(server_served)


USED = ("busy_s", "served", "up_busy_s", "down_busy_s", "server_area_s", "server_busy_s", "server_served")
