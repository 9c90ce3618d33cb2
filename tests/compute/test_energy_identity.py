"""Requests + idle + tails = what the battery gave: the account, the radio and the battery of one device together."""

from __future__ import annotations

import random

import pytest

from edgesim.compute.battery import Battery, BatteryLaw
from edgesim.compute.build import build_radio
from edgesim.compute.energy import EnergyAccount
from edgesim.compute.harvest import Harvest
from edgesim.network.fifo import FifoLink
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.network.radio_tail import RadioTail
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.scenario.energy import Power

END_S = 500.0


class Device:
    """Computes, sends and receives; tells its account, its radio and its battery.  ``factor`` spoils what it draws."""

    def __init__(self, preset: str, factor: float = 1.0) -> None:
        radio = {"preset": preset, "promotion_w": 3.0, "promotion_s": 0.3, "tail_w": 2.5, "tail_s": 1.0}
        power = Power.model_validate({"idle_w": 2.0, "compute_w": 6.0, "radio": radio})
        self.account = EnergyAccount(power.idle_w, power.compute_w - power.idle_w, build_radio(power))
        self.tail = RadioTail(self.account.radio)
        self.battery = Battery(BatteryLaw(1e6, 9e5, 0.0, 1.0), Harvest.constant(0.5), power.idle_w)
        rate = TabledRate(steps_table([[0, 5], [2, 0.5], [2.5, 1], [4, 9]]), "loop")
        self.up, self.down = FifoLink(rate, 0.0, "tcp"), FifoLink(rate, 0.0, "tcp")
        self.factor = factor

    def request(self, now_s: float, compute_s: float, sent: int, received: int) -> float:
        """Its energy above idle."""
        self.battery.level_j(now_s)
        joules = self.account.compute(compute_s)
        self.battery.draw(now_s, now_s + compute_s, self.factor * self.account.compute_w)
        for link, size, charge in ((self.up, sent, self.account.send), (self.down, received, self.account.receive)):
            before_bytes = link.wire_bytes
            start_s, stop_s = link.send(now_s, size)
            spent_j = charge(link.wire_bytes - before_bytes, stop_s - start_s)
            self.battery.draw(start_s, stop_s, spent_j / (stop_s - start_s))
            for draw in self.tail.transfer(now_s, start_s, stop_s):
                self.battery.draw(*draw)
            joules += spent_j
        return joules


def day(device: Device) -> float:
    """The sum over requests; they come in bursts, so that the radio sleeps in between."""
    draws, now_s, requests_j = random.Random(8), 0.0, 0.0
    while now_s < 0.8 * END_S:
        requests_j += device.request(
            now_s, draws.uniform(0.01, 0.2), draws.randrange(1, 90_000), draws.randrange(1, 99)
        )
        now_s += draws.choice([0.1, 9.0]) * draws.random()
    return requests_j


@pytest.mark.parametrize("preset", RADIO_PRESETS)
def test_requests_idle_and_tails_make_the_total_which_the_battery_gave(preset: str) -> None:
    device = Device(preset)
    requests_j = day(device)
    level_j, tail_j = device.battery.level_j(END_S), device.tail.energy_j(END_S)
    total_j = device.account.total_j(END_S, tail_j)
    assert requests_j + 2.0 * END_S + tail_j == pytest.approx(total_j, rel=1e-12)
    assert device.battery.drawn_j == pytest.approx(total_j, rel=1e-9)
    assert level_j == pytest.approx(9e5 + 0.5 * END_S - total_j, rel=1e-9)
    account = device.account
    assert min(account.compute_j, account.send_j, account.receive_j, tail_j) > 0


def test_one_state_five_percent_off_is_seen() -> None:
    device = Device("lte", factor=1.05)
    day(device)
    device.battery.level_j(END_S)
    total_j = device.account.total_j(END_S, device.tail.energy_j(END_S))
    assert device.battery.drawn_j != pytest.approx(total_j, rel=1e-9)


def test_without_traffic_only_idling_costs() -> None:
    device = Device("lte")
    device.battery.level_j(END_S)
    assert device.account.total_j(END_S, device.tail.energy_j(END_S)) == device.battery.drawn_j == 2.0 * END_S
