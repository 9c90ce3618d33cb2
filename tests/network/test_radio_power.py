"""Radios: published power laws at worked values, and rates that vary inside a transfer."""

from __future__ import annotations

import pytest

from edgesim.compute.build import build_radio
from edgesim.network.radio_power import Radio, TransferPower
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.network.radio_tail import RadioTail
from edgesim.network.steps import steps_table
from edgesim.network.tabled import TabledRate
from edgesim.scenario.energy import Power

DEIT_BYTES = 37_824  # of an 8-bit state of DeiT-Tiny: 302,592 bits


def radio(preset: str, idle_w: float = 0.0) -> Radio:
    return build_radio(Power.model_validate({"idle_w": idle_w, "compute_w": 9.0, "radio": {"preset": preset}}))


@pytest.mark.parametrize(
    ("preset", "rate_mbps", "seconds", "watts", "joules"),
    [
        ("lte", 6.0, 50.4e-3, 3.918, 0.198),
        ("wifi", 18.88, 16.0e-3, 5.479, 0.0878),
        ("5g-mmwave", 100.0, 3.03e-3, 6.552, 19.8e-3),
    ],
)
def test_worked_examples(preset: str, rate_mbps: float, seconds: float, watts: float, joules: float) -> None:
    send, takes_s = radio(preset).send, 8 * DEIT_BYTES / (rate_mbps * 1e6)
    energy_j = send.energy_j(DEIT_BYTES, takes_s)
    assert takes_s == pytest.approx(seconds, rel=3e-3)
    assert energy_j / takes_s == pytest.approx(watts, rel=3e-4)
    assert energy_j == pytest.approx(joules, rel=3e-3)


def test_an_isolated_transfer_over_lte_pays_mostly_for_its_tail() -> None:
    """A tail of 12.3 J beside the transfer's 0.2 J."""
    tail = RadioTail(radio("lte"))
    tail.transfer(0.0, 1.0, 1.0504)
    assert tail.energy_j(100.0) == pytest.approx(1.060 * 11.576 + 1.2107 * 0.260, rel=1e-12)


def test_feeney_and_nilsson_is_so_much_a_byte_and_so_much_a_packet() -> None:
    old = radio("wifi-2001")
    assert old.send.energy_j(1000, 5.0) == pytest.approx(1.9e-6 * 1000 + 420e-6, rel=1e-12)
    assert old.receive.energy_j(1000, 5.0) == pytest.approx(0.42e-6 * 1000 + 330e-6, rel=1e-12)
    assert old.send.energy_j(3028, 5.0) == pytest.approx(1.9e-6 * 3028 + 2 * 420e-6, rel=1e-12)
    assert old.send.energy_j(3029, 5.0) == pytest.approx(1.9e-6 * 3029 + 3 * 420e-6, rel=1e-12)


def test_the_energy_is_the_integral_of_the_power_however_the_rate_varies() -> None:
    rate, power = TabledRate(steps_table([[0, 5], [1, 0.5], [2.5, 20], [2.6, 0], [4, 8]]), "loop"), radio("lte").send
    start_s, wire_bytes = 0.3, 2_000_000
    finish_s = rate.finish(start_s, 8 * wire_bytes)
    steps = 200_000
    width_s = (finish_s - start_s) / steps
    rates_mbps = [rate.rate(start_s + (i + 0.5) * width_s) / 1e6 for i in range(steps)]
    expected = sum((438.39e-3 * each + 1288.04e-3) * width_s for each in rates_mbps)
    assert power.energy_j(wire_bytes, finish_s - start_s) == pytest.approx(expected, rel=1e-4)


def test_what_includes_idle_power_is_taken_above_it() -> None:
    whole, above = radio("5g-mmwave").send, radio("5g-mmwave", idle_w=2.0).send
    assert whole.energy_j(1e6, 3.0) - above.energy_j(1e6, 3.0) == pytest.approx(2.0 * 3.0)
    assert radio("lte", idle_w=2.0) == radio("lte")


def test_without_a_radio_the_watts_are_fixed() -> None:
    power = Power(idle_w=1.0, compute_w=2.0, send_w=0.5, receive_w=0.25)
    assert build_radio(power) == Radio(TransferPower(0.5), TransferPower(0.25))


def test_keys_beside_a_preset_override_it() -> None:
    data = {"preset": "pi5", "idle_w": 2.0, "radio": {"preset": "wifi", "tail_s": 1.5}}
    power = Power.model_validate(data)
    assert (power.idle_w, power.compute_w) == (2.0, 12.7)
    assert build_radio(power).tail_s == 1.5 and build_radio(power).tail_w == 0.119


@pytest.mark.parametrize("preset", RADIO_PRESETS)
def test_every_preset_can_be_used_and_says_where_it_is_from(preset: str) -> None:
    built = radio(preset)
    assert built.send.energy_j(10_000, 1.0) > built.receive.energy_j(10_000, 1.0) > 0
    assert RADIO_PRESETS[preset].source and "measured" in RADIO_PRESETS[preset].label
