from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_run import DURATION_S, WARMUP_S, requests_of, scenario, write_run

from edgesim.results import metrics
from edgesim.results.recorded import RecordedRun

NAN = np.nan


@pytest.fixture
def hand(tmp_path: Path) -> RecordedRun:
    """Six requests, one before the warm-up; of the five that count, two are on time and one of them right."""
    return RecordedRun(
        write_run(
            tmp_path,
            scenario(),
            requests={
                "axis_deadline_ms": NAN,
                "number": np.arange(6),
                "sample": [0, 1, 2, 3, 4, 5],
                "arrival_s": [4.0, 5.0, 20.0, 30.0, 40.0, 64.9],
                "deadline_s": 0.1,
                "counted": [False, True, True, True, True, True],
                "end": ["on_time", "on_time", "on_time", "late", "dropped", "unfinished"],
                "reason": ["", "", "", "", "queue full", "drain"],
                "latency_s": [0.01, 0.05, 0.08, 0.3, NAN, NAN],
                "used_s": [0.01, 0.05, 0.09, NAN, NAN, NAN],
                "answers": [1, 1, 2, 1, 0, 0],
                "model": ["fashion", "fashion", "deit", "fashion", "", ""],
                "exit": [0, 0, 2, 1, -1, -1],
                "correct": [True, True, False, False, False, False],
                "final_correct": [True, True, True, True, False, False],
                "cut": [6, 6, 0, 3, 6, 3],
                "codec": ["", "", "png", "int8", "", "int8"],
                "device_compute_s": [0.01, 0.05, 0.02, 0.1, 0.0, 0.2],
                "uplink_s": [0.0, 0.0, 0.06, 0.2, 0.0, 5.0],
                "bytes_up": [0, 0, 500, 6400, 0, 6400],
                "energy_j": [1.0, 0.1, 0.2, 0.3, 0.0, 0.4],
                "wasted_s": [0.0, 0.0, 0.0, 0.1, 0.0, 0.2],
            },
        )
    )


def values(measures: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(measure[0]) for name, measure in measures.items()}


def test_answers_by_hand(hand: RecordedRun) -> None:
    found = values(metrics.answers(hand.counted))
    assert found["on_time_accuracy"] == pytest.approx(1 / 5)
    assert found["miss_ratio"] == pytest.approx(3 / 5)
    assert found["answered_ratio"] == pytest.approx(3 / 5)
    assert found["answered_accuracy"] == pytest.approx(1.0)
    assert found["answers"] == pytest.approx(4 / 5)
    assert found["latency_mean_s"] == pytest.approx((0.05 + 0.08 + 0.3) / 3)
    assert found["latency_p50_s"] == pytest.approx(0.08)
    assert found["latency_p95_s"] == pytest.approx(0.08 + 0.9 * 0.22)
    assert found["used_mean_s"] == pytest.approx(0.07)


def test_rates_by_hand(hand: RecordedRun) -> None:
    """The early request is answered at 4.01 s, before the window; all others within it."""
    found = values(metrics.rates(hand.counted, hand.tables, (WARMUP_S, DURATION_S)))
    window_s = DURATION_S - WARMUP_S
    assert found == pytest.approx(
        {
            "arrivals_hz": 5 / window_s,
            "throughput_hz": 3 / window_s,
            "on_time_hz": 2 / window_s,
            "goodput_hz": 1 / window_s,
        }
    )


def test_shares_by_hand(hand: RecordedRun) -> None:
    counted = hand.counted
    assert values(metrics.ends(counted)) == pytest.approx(
        {"on_time": 0.4, "late": 0.2, "dropped": 0.2, "unfinished": 0.2}
    )
    assert values(metrics.reasons(counted)) == pytest.approx({"queue full": 0.2, "drain": 0.2})
    assert values(metrics.exit_shares(counted)) == pytest.approx(
        {"none": 0.4, "fashion/0": 0.2, "fashion/1": 0.2, "deit/2": 0.2}
    )
    assert values(metrics.cut_shares(counted)) == pytest.approx({"none": 0.4, "png/0": 0.2, "int8/3": 0.4})


def test_spending_and_stages_by_hand(hand: RecordedRun) -> None:
    found = values(metrics.spending(hand.counted))
    assert found["offload_ratio"] == pytest.approx(3 / 5)
    assert found["bytes_up"] == pytest.approx(13_300 / 5)
    assert found["energy_j"] == pytest.approx(1.0 / 5)
    assert found["wasted_s"] == pytest.approx(0.3 / 5)
    stages = values(metrics.stages(hand.counted))
    assert stages["device_compute_s"] == pytest.approx(0.17 / 3)
    assert stages["uplink_s"] == pytest.approx(0.26 / 3)


def test_quantiles_are_type_7_in_every_cell(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    replication = random.integers(4, size=900)
    latency_s = np.where(random.random(900) < 0.1, NAN, random.exponential(size=900))
    run = write_run(
        tmp_path,
        scenario(),
        requests=requests_of(900, replication=replication, latency_s=latency_s, axis_deadline_ms=NAN),
    )
    counted = RecordedRun(run).counted
    found = counted.quantiles(counted.column("latency_s"), (0.0, 0.5, 0.95, 0.99, 1.0))
    for cell in range(4):
        mine = latency_s[(replication == cell) & ~np.isnan(latency_s)]
        assert found[:, cell] == pytest.approx(np.quantile(mine, [0.0, 0.5, 0.95, 0.99, 1.0]))


def exponential_run(folder: Path, mean_s: float) -> RecordedRun:
    random = np.random.default_rng(11)
    count = 200_000
    latency_s, correct = random.exponential(mean_s, count), random.random(count) < 0.8
    arrival = {"axis_deadline_ms": NAN, "number": np.arange(count), "counted": True, "deadline_s": 0.1}
    answers = {**arrival, "time_s": latency_s, "correct": correct}
    return RecordedRun(write_run(folder, scenario(), requests={**arrival, "latency_s": latency_s}, answers=answers))


def z_scores(run: RecordedRun) -> list[float]:
    """Against 0.8 (1 - exp(-D / 100 ms)): .3148, .5057 and .7602 at 50, 100 and 300 ms."""
    expected = {50.0: 0.3148, 100.0: 0.5057, 300.0: 0.7602}
    points = [point for point in run.points("a") if point.deadline_ms is not None]
    return [
        float(point.on_time_accuracy[0] - expected[point.deadline_ms])
        / np.sqrt(expected[point.deadline_ms] * (1 - expected[point.deadline_ms]) / point.asked.sum())
        for point in points
    ]


def test_exponential_latency_gives_the_closed_form(tmp_path: Path) -> None:
    assert max(map(abs, z_scores(exponential_run(tmp_path, 0.1)))) < 3.3


def test_exponential_latency_that_is_five_percent_longer_is_found(tmp_path: Path) -> None:
    assert max(map(abs, z_scores(exponential_run(tmp_path, 0.105)))) > 3.3


def test_a_one_answer_policy_has_a_curve_that_never_falls(tmp_path: Path) -> None:
    points = exponential_run(tmp_path, 0.1).points("a")[1:]
    accuracy = [point.on_time_accuracy[0] for point in points]
    assert accuracy == sorted(accuracy)
    assert accuracy[-1] <= 0.81


def test_a_run_without_counted_requests_has_nothing_to_measure(tmp_path: Path) -> None:
    run = RecordedRun(write_run(tmp_path, scenario(), requests={"number": [0], "axis_deadline_ms": NAN}))
    assert np.isnan(metrics.answers(run.counted)["on_time_accuracy"]).all()
    assert np.isnan(run.points("a")[0].on_time_accuracy).all()
