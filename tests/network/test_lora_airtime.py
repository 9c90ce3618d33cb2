"""LoRa's time on air, its frames and their silence."""

from __future__ import annotations

import math

import pytest

from edgesim.engine.carried import Carried
from edgesim.engine.fifo_port import FifoPort
from edgesim.errors import InputError
from edgesim.network.constant import ConstantRate
from edgesim.network.lora import bit_rate_bps, frame_bytes, time_on_air_s
from edgesim.network.lora_frames import LoraFrames
from edgesim.network.transport import Transport, packets_of


@pytest.mark.parametrize(
    ("nbytes", "factor", "ms"), [(13, 9, 164.864), (51, 7, 102.656), (51, 12, 2465.792), (222, 7, 348.416)]
)
def test_known_times_on_air(nbytes: int, factor: int, ms: float) -> None:
    assert 1e3 * time_on_air_s(nbytes, factor) == pytest.approx(ms, rel=1e-12)


def test_known_bit_rates() -> None:
    assert bit_rate_bps(7) == pytest.approx(5468.75)
    assert bit_rate_bps(12) == pytest.approx(292.97, abs=0.005)


def test_a_tensor_in_frames() -> None:
    """The int8 states of a DeiT-Tiny: a minute of air at SF7, and 99 min under a duty cycle of 1 %."""
    sizes = frame_bytes(37_824, 7)
    assert len(sizes) == 171 and sum(sizes) == 37_824 and set(sizes[:-1]) == {222}
    air_s = sum(time_on_air_s(nbytes, 7) for nbytes in sizes)
    assert air_s == pytest.approx(170 * 0.348416 + time_on_air_s(84, 7)) == pytest.approx(59.38, abs=0.005)
    assert air_s / 0.01 / 60 == pytest.approx(98.97, abs=0.005)


class Clock:
    now = 0.0


def sent(*messages: tuple[float, int], factor: int = 7, duty_cycle: float = 0.01) -> list[tuple[float, ...]]:
    """(start, finish, seconds on the air) of messages (accepted, bytes)."""
    clock, found = Clock(), []
    transport = Transport("none", 0.0, connection=LoraFrames(factor, duty_cycle))
    port = FifoPort(clock, ConstantRate(bit_rate_bps(factor)), transport, Carried(math.inf))  # type: ignore[arg-type]
    for now_s, nbytes in messages:
        clock.now = now_s
        port.send(None, nbytes, lambda *done: found.append((done[2], done[3], done[6])))
    return found


def test_a_message_of_one_frame_takes_its_time_on_air() -> None:
    ((start_s, finish_s, air_s),) = sent((2.0, 51))
    assert (start_s, finish_s, air_s) == pytest.approx((2.0, 2.102656, 0.102656))


def test_the_next_message_waits_for_the_silence() -> None:
    first, second, third = sent((0.0, 51), (1.0, 51), (30.0, 51))
    assert first[1] == pytest.approx(0.102656)
    assert second[1] == pytest.approx(10.2656 + 0.102656) and second[2] == pytest.approx(0.102656)
    assert third[1] == pytest.approx(30.102656), "20.53 s after the second began, the channel was free again"


def test_frames_of_a_message_are_apart_by_the_duty_cycle() -> None:
    ((_, finish_s, air_s),) = sent((0.0, 222 + 51))
    assert finish_s == pytest.approx(34.8416 + 0.102656)
    assert air_s == pytest.approx(0.348416 + 0.102656)
    ((_, at_once_s, _),) = sent((0.0, 222 + 51), duty_cycle=1.0)
    assert at_once_s == pytest.approx(0.348416 + 0.102656)


def test_an_empty_message_is_a_frame() -> None:
    ((_, finish_s, _),) = sent((0.0, 0))
    assert finish_s == pytest.approx(time_on_air_s(0, 7))


def test_all_bytes_are_in_the_flights() -> None:
    for nbytes in (1, 51, 52, 1448, 1449, 4000):
        flights = LoraFrames(12, 0.01).flights(0.0, packets_of(nbytes, "none"))
        assert sum(flight.wire_bytes for flight in flights) == nbytes and len(flights) == math.ceil(nbytes / 51)


@pytest.mark.parametrize(("factor", "duty_cycle"), [(6, 0.01), (13, 0.01), (7, 0.0), (7, 1.5)])
def test_bad_settings(factor: int, duty_cycle: float) -> None:
    with pytest.raises(InputError, match="spreading factor from 7 to 12"):
        LoraFrames(factor, duty_cycle)
