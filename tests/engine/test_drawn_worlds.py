"""Whatever a world is made of, its timeline is a trace that viewers read, and says what the records say."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from little_worlds import Tables, assets_of, device, link, linked, run, toy, world
from random_worlds import Data, worlds
from test_random_worlds import close
from traces import check

from edgesim.engine.observed import ObservedWorld
from edgesim.results.timeline import Timeline, Track, as_trace, lanes
from edgesim.scenario.load import build_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.timeline_tracks import draw

ALL = range(10**6)
Steps = list[tuple[float, float]]


def drawn(scenario: Scenario, chosen: range = ALL) -> tuple[Timeline, Tables]:
    seen = run(scenario, assets_of(scenario), kind=ObservedWorld)
    rows = {name: np.array(seen.requests[name].tolist()) for name in seen.requests.columns}
    return draw(seen.world, rows, chosen, {}), seen  # type: ignore[arg-type]


def steps(timeline: Timeline, owner: str, name: str) -> Steps:
    """Of a counter; none where there is no such counter."""
    found = [each.steps for each in timeline.counters if (each.owner, each.name) == (owner, name)]
    assert len(found) <= 1
    return list(found[0]) if found else []


def area(found: Steps, low: float, high: float) -> float:
    ends = [time_s for time_s, _ in found[1:]] + [max(high, found[-1][0])]
    return sum(
        value * max(min(stop, high) - max(start, low), 0.0) for (start, value), stop in zip(found, ends, strict=True)
    )


def queues_are_as_long_as_recorded(timeline: Timeline, seen: Tables) -> None:
    names = {each.name: f"device {each.name}" for each in seen.world.devices}
    names |= {each.name: f"server {each.name}" for each in seen.world.engine.serving}
    for node in seen.nodes.itertuples():
        found = steps(timeline, names[node.node], "queue length")
        waited_s = area(found, *seen.world.window) if found else 0.0
        assert close(waited_s, node.queue_mean * node.window_s), f"{node.node}: {waited_s} s"


def requests_are_marked_as_recorded(timeline: Timeline, seen: Tables) -> None:
    marks: dict[str, list[str]] = {}
    for each in timeline.slices:
        if each.track.name == "requests" and each.name != each.flow:
            assert each.start_s == each.stop_s
            marks.setdefault(each.flow, []).append(each.name.rpartition(" ")[2])
    for row in seen.requests.itertuples():
        found = marks[f"{row.device}/{row.number}"]
        assert len(found) == max(row.answers, 1)
        best = min(found, key=["on_time", "late", "dropped", "unfinished"].index)
        assert best == row.end, f"{row.device}/{row.number} is marked {found}"


def arrows_go_from_the_arrival_to_the_last_answer(timeline: Timeline, seen: Tables) -> None:
    begun: dict[str, list[float]] = {}
    for each in timeline.slices:
        if each.flow:
            begun.setdefault(each.flow, []).append(each.start_s)
    last_s = seen.answers.groupby(["device", "number"]).time_s.max()
    for row in seen.requests.itertuples():
        name = f"{row.device}/{row.number}"
        assert close(min(begun[name]), row.arrival_s)
        if row.answers:
            assert close(max(begun[name]), row.arrival_s + last_s[row.device, row.number]), name


def all_that_is_done_for_a_request_lies_in_its_life(timeline: Timeline) -> None:
    lives = {each.name: each for each in timeline.slices if each.track.name == "requests" and each.name == each.flow}
    for each in timeline.slices:
        life = lives.get(each.name.split(" ")[0])
        if life is not None:
            assert life.start_s - 1e-9 <= each.start_s <= each.stop_s <= life.stop_s + 1e-9, each.name


def processors_do_one_thing_at_a_time(timeline: Timeline, seen: Tables) -> None:
    for each in seen.world.devices:
        track = Track(f"device {each.name}", "processor")
        assert len(lanes(found for found in timeline.slices if found.track == track)) <= 1


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=30)
@given(worlds() | worlds(dying=True))
def test_random_worlds_are_drawn_as_they_are(data: Data) -> None:
    scenario = build_scenario(data)
    if run(scenario, assets_of(scenario)).requests.empty:
        return
    timeline, seen = drawn(scenario)
    check(as_trace(timeline)["traceEvents"])
    queues_are_as_long_as_recorded(timeline, seen)
    requests_are_marked_as_recorded(timeline, seen)
    arrows_go_from_the_arrival_to_the_last_answer(timeline, seen)
    processors_do_one_thing_at_a_time(timeline, seen)
    all_that_is_done_for_a_request_lies_in_its_life(timeline)


def test_what_a_link_carries_is_what_its_rate_lets_through() -> None:
    """No headers, one transfer after the other, at a rate that changes within transfers."""
    up = {"process": "steps", "steps": [[0, 0.4], [0.07, 1], [0.13, 0.1]], "ends": "loop"}
    timeline, seen = drawn(world(devices={"cam": linked(20)}, links={"l": link(up)}, duration_s=3))
    rate = steps(timeline, "device cam-0", "l up rate")
    sent = [each for each in timeline.slices if each.name.endswith(" send")]
    assert len(sent) > 30
    for each in sent:
        assert close(1e6 * area(rate, each.start_s, each.stop_s), 8 * each.args["bytes"])
    waits = {each.flow: each.stop_s - each.start_s for each in timeline.slices if each.track.name == "l up queue"}
    assert waits
    for row in seen.requests.itertuples():
        assert close(waits.get(f"{row.device}/{row.number}", 0.0), row.uplink_wait_s)


def test_what_a_battery_holds() -> None:
    """1 W all the time, and 2 W more for 10 ms of each request."""
    power = {"power": {"idle_w": 1, "compute_w": 3, "send_w": 0, "receive_w": 0}, "battery": {"capacity_j": 50}}
    spec = device(arrivals={"process": "periodic", "rate_hz": 2}, **power)
    scenario = world(devices={"cam": spec}, models={"toy": toy([10])}, policies={"p": {"type": "device_only"}})
    timeline, seen = drawn(scenario, range(5, 20))
    found = steps(timeline, "device cam-0", "battery")
    begun_s = seen.requests.arrival_s.to_numpy()
    assert len(found) >= 15 and found[0][0] == begun_s[5]
    for time_s, level_j in found:
        worked_s = np.clip(time_s - begun_s, 0, 0.01).sum()
        assert close(level_j, 50 - time_s - 2 * worked_s)


def test_of_others_nothing_is_drawn_but_counters_count_them() -> None:
    """Each takes 100 ms, and they come every 50 ms: when the last three come, others wait."""
    arrivals = {"process": "periodic", "rate_hz": 20}
    one: dict[str, Any] = {"models": {"toy": toy([100])}, "devices": {"cam": device(arrivals=arrivals)}}
    scenario = world(**one, policies={"p": {"type": "device_only"}}, duration_s=1)
    timeline, seen = drawn(scenario, range(10, 13))
    assert {each.flow for each in timeline.slices} == {f"cam-0/{number}" for number in (10, 11, 12)}
    (arrival_s, waiting), *_ = steps(timeline, "device cam-0", "queue length")
    assert arrival_s == seen.requests.arrival_s[10]
    before = seen.requests[seen.requests.number <= 10]
    assert waiting == (before.arrival_s + before.device_wait_s > arrival_s).sum() == 5


def test_a_request_ends_with_the_last_work_on_it() -> None:
    """A fast server answers while the device, whose end of work is booked ahead, still computes."""
    servers = {"edge": {"processor": {"factor": 0.1}}}
    policies = {"p": {"type": "little_policies:Hedge"}}
    timeline, seen = drawn(
        world(devices={"cam": linked(2)}, models={"toy": toy([30])}, servers=servers, policies=policies)
    )
    assert seen.world.devices[0].ends_ahead
    assert (seen.requests.answers == 2).all()
    all_that_is_done_for_a_request_lies_in_its_life(timeline)
