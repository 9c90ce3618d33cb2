"""Routes between servers, and requests that go on from server to server."""

import pytest
from little_worlds import at_times, device, link, run, toy, world

from edgesim.engine.routes import Hop, Routes
from edgesim.errors import InputError
from edgesim.network.constant import ConstantRate
from edgesim.network.fifo import FifoLink

MB = {"process": "constant", "rate_mbps": 8}  # 1,000 bytes take 1 ms


def three_tiers(folder, times=(1.0,), count=1, **changes):
    """A device, an edge server and a cloud behind it; every block takes 10 ms, every cut 1,000 bytes."""
    parts = {
        "models": {"toy": toy([10, 10, 10], exits=[1, 2, 3], accuracy=[0.6, 0.7, 0.8])},
        "devices": {"cam": device(count=count, link="l", server="edge", arrivals=at_times(folder, list(times)))},
        "links": {"l": link(MB, MB, delay_ms=2), "fibre": link(MB, MB, delay_ms=30)},
        "servers": {"edge": {"result_bytes": 1000}, "cloud": {"result_bytes": 1000}},
        "connections": {"back": {"between": ["edge", "cloud"], "link": "fibre"}},
        "policies": {"p": {"type": "tiers", "cuts": [1, 2], "servers": ["edge", "cloud"]}},
    }
    return world(folder=folder, **{**parts, **changes})


def hop(start, stop):
    return Hop("fibre", "up", start, stop, FifoLink(ConstantRate(1.0), 0.0, "none"))


def test_a_route_has_the_fewest_hops():
    hops = [hop(*ends) for ends in ("ab", "ba", "bc", "cb", "cd", "dc", "ad", "da")]
    routes = Routes(hops)
    assert [each.stop for each in routes.between("a", "d")] == ["d"]
    assert [each.stop for each in routes.between("b", "d")] in (["a", "d"], ["c", "d"])
    assert routes.between("a", "a") == () and routes.between("a", "x") is None
    assert routes.back(hops[2]) is hops[3]


def test_a_lone_request_takes_the_sum_of_its_ways(tmp_path):
    row = run(three_tiers(tmp_path)).requests.iloc[0]
    # 10 on the device, 1 + 2 up, 10 at the edge, 1 + 30 up, 10 in the cloud, 1 + 30 back to the edge, 1 + 2 down
    assert row.latency_s == pytest.approx(0.098, abs=1e-12)
    assert row.uplink_s == pytest.approx(0.002) and row.downlink_s == pytest.approx(0.002)
    assert row.propagation_s == pytest.approx(0.064) and row.server_s == pytest.approx(0.020)
    assert (row.cut, row.codec, row.exit) == (2, "int8", 2)
    assert row.bytes_up == row.bytes_down == 1000


def test_stages_add_up_to_the_latency(tmp_path):
    found = run(three_tiers(tmp_path, [1 + 0.004 * number for number in range(50)], count=3)).requests
    stages = [name for name in found.columns if name.endswith("_s") and name not in (
        "arrival_s", "deadline_s", "latency_s", "used_s", "wasted_s")]  # fmt: skip
    assert (found.server_wait_s > 0).any() and (found.device_wait_s > 0).any()
    assert found[stages].sum(axis=1).to_numpy() == pytest.approx(found.latency_s.to_numpy(), abs=1e-9)


def test_hops_are_counted_as_links(tmp_path):
    links = run(three_tiers(tmp_path, [1.0, 1.5])).links.set_index(["link", "device"])
    up, down = links.loc[("fibre", "edge>cloud")], links.loc[("fibre", "cloud>edge")]
    assert (up.bytes, up.direction, up.busy_s) == (2000, "up", pytest.approx(0.002))
    assert (down.bytes, down.direction, down.busy_s) == (2000, "down", pytest.approx(0.002))


def test_a_sure_exit_at_the_edge_spares_the_cloud(tmp_path):
    scenario = three_tiers(tmp_path, [1.0], policies={
        "p": {"type": "tiers", "cuts": [1, 2], "servers": ["edge", "cloud"], "threshold": 0.0},
        "edge": {"type": "tiers", "cuts": [0, 2], "servers": ["edge", "cloud"], "threshold": 0.0, "image_codec": "raw"},
    })  # fmt: skip
    first, edge = (run(scenario, policy=name).requests.iloc[0] for name in ("p", "edge"))
    assert (first.exit, first.latency_s) == (0, pytest.approx(0.010))
    assert edge.exit == 0 and edge.server_s == pytest.approx(0.010)
    assert edge.latency_s == pytest.approx(0.010 + 0.001 + 2 * 0.002 + edge.uplink_s)


def test_what_a_device_sends_to_the_cloud_passes_the_edge(tmp_path):
    scenario = three_tiers(tmp_path, policies={"p": {"type": "tiers", "cuts": [1], "servers": ["cloud"]}})
    row = run(scenario).requests.iloc[0]
    assert row.latency_s == pytest.approx(0.010 + 2 * (0.001 + 0.002) + 2 * (0.001 + 0.030) + 0.020, abs=1e-12)


def test_a_dead_server_on_the_way_lets_pass_and_one_at_the_end_does_not(tmp_path):
    down = {"what": "down", "at_s": 0.9, "for_s": 0.2}
    image = {"p": {"type": "tiers", "cuts": [0], "servers": ["cloud"]}}
    way = run(three_tiers(tmp_path, policies=image, events={"crash": {"node": "edge", **down}}))
    end = run(three_tiers(tmp_path, policies=image, events={"crash": {"node": "cloud", **down}}))
    assert way.requests.end.tolist() == ["on_time"]
    assert end.requests.reason.tolist() == ["server down"]


def test_batches_send_on_too(tmp_path):
    scenario = three_tiers(tmp_path, [1.0] * 4)
    servers = {name: {"result_bytes": 1000, "batch": {"max_size": 4, "max_wait_ms": 50}} for name in ("edge", "cloud")}
    found = run(three_tiers(tmp_path, [1.0] * 4, servers=servers)).requests
    assert (found.exit == 2).all() and (found.end == "on_time").all()
    assert found.latency_s.max() > run(scenario).requests.latency_s.min()


def test_a_server_without_a_way_is_refused(tmp_path):
    scenario = three_tiers(tmp_path, connections={})
    with pytest.raises(InputError, match="edge: a server cannot send a request to cloud: no connections lead there"):
        run(scenario)


def test_a_hop_that_is_dead_for_good_keeps_what_it_got(tmp_path):
    dead = {"process": "steps", "steps": [[0, 8], [1.005, 0]]}
    for up, down in ((dead, MB), (MB, dead)):
        found = run(three_tiers(tmp_path, links={"l": link(MB, MB), "fibre": link(up, down)})).requests
        assert found.end.tolist() == ["unfinished"]
        assert found[["uplink_wait_s", "uplink_s", "downlink_wait_s", "downlink_s"]].max(axis=None) < 0.1
