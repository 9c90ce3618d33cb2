from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic_run import requests_of, scenario, write_run

from edgesim.errors import InputError
from edgesim.results.recorded import RecordedRun

AXIS_S = (0.02, 0.05, 0.1, 0.2)


def accuracies(folder: Path) -> dict[float | None, tuple[float, float]]:
    """Deadline -> (on-time accuracy, miss ratio) of policy a in replication 0."""
    points = RecordedRun(folder).points("a")
    return {point.deadline_ms: (point.on_time_accuracy[0], point.miss_ratio[0]) for point in points}


def one_request(folder: Path, answers: list[tuple[float, int, bool]], deadline_s: float = 0.1) -> dict:
    """The curve of a single request with answers (time in s, depth, right)."""
    times_s, depths, right = zip(*answers, strict=True)
    run = write_run(
        folder,
        scenario(deadlines_ms=[50.0, 100.0, 200.0]),
        requests=requests_of(1, axis_deadline_ms=np.nan, deadline_s=deadline_s, end="late"),
        answers={
            "axis_deadline_ms": np.nan,
            "counted": True,
            "deadline_s": deadline_s,
            "time_s": times_s,
            "depth": depths,
            "correct": right,
        },
    )
    return accuracies(run)


def test_a_deeper_answer_replaces_a_shallower_one(tmp_path: Path) -> None:
    curve = one_request(tmp_path, [(0.04, 1, True), (0.09, 3, False), (0.15, 4, True)])
    assert [curve[deadline][0] for deadline in (50.0, 100.0, 200.0)] == [1.0, 0.0, 1.0]
    assert [curve[deadline][1] for deadline in (50.0, 100.0, 200.0)] == [0.0, 0.0, 0.0]


def test_a_shallower_answer_that_comes_later_is_ignored(tmp_path: Path) -> None:
    curve = one_request(tmp_path, [(0.04, 3, True), (0.09, 1, False)])
    assert curve[100.0][0] == 1.0


def test_of_two_answers_of_one_depth_the_later_counts(tmp_path: Path) -> None:
    assert one_request(tmp_path / "apart", [(0.04, 2, False), (0.09, 2, True)])[100.0][0] == 1.0
    assert one_request(tmp_path / "at once", [(0.04, 2, False), (0.04, 2, True)])[100.0][0] == 1.0


def test_rows_need_not_be_in_the_order_of_time(tmp_path: Path) -> None:
    assert one_request(tmp_path, [(0.09, 2, True), (0.04, 2, False)])[100.0][0] == 1.0


def test_an_answer_at_the_deadline_is_on_time(tmp_path: Path) -> None:
    curve = one_request(tmp_path, [(0.1 + 0.5e-9, 1, True)])
    assert curve[100.0] == (1.0, 0.0)
    assert one_request(tmp_path, [(0.1 + 2e-9, 1, True)])[100.0] == (0.0, 1.0)


def brute_force(requests: list[dict], deadline_s: float) -> tuple[float, float]:
    """On-time accuracy and miss ratio, request by request, by the rule of the slot."""
    right = missed = 0
    for request in requests:
        slot = None
        for time_s, depth, correct in sorted(request["answers"], key=lambda answer: answer[0]):
            on_time = time_s <= deadline_s * request["relative"] + 1e-9
            if on_time and (slot is None or depth >= slot[0]):
                slot = (depth, correct)
        right += slot is not None and slot[1]
        missed += slot is None
    return right / len(requests), missed / len(requests)


@pytest.mark.parametrize("seed", range(8))
def test_thresholding_equals_the_slot_rule_by_brute_force(tmp_path: Path, seed: int) -> None:
    """Random answers, several devices and replications, drawn deadlines that the axis scales."""
    random = np.random.default_rng(seed)
    means_s = {"camera": 0.08, "phone": 0.2}
    rows: dict[str, list] = {
        name: [] for name in ("device", "number", "replication", "deadline_s", "sample", "counted")
    }
    answers: dict[str, list] = {
        name: [] for name in ("device", "number", "replication", "deadline_s", "counted", "time_s", "depth", "correct")
    }
    by_cell: dict[int, list[dict]] = {0: [], 1: []}
    for replication in (0, 1):
        for device in ("camera-0", "phone-0", "phone-1"):
            for number in range(40):
                deadline_s = means_s[device.split("-")[0]] * random.exponential()
                relative = deadline_s / means_s[device.split("-")[0]]
                counted = bool(random.random() < 0.8)
                drawn = [
                    (round(random.exponential(0.08), 2), int(random.integers(4)), bool(random.random() < 0.6))
                    for _ in range(random.integers(5))
                ]
                drawn.sort(key=lambda answer: answer[0])
                known = {"device": device, "number": number, "replication": replication, "counted": counted}
                for name, value in {**known, "deadline_s": deadline_s, "sample": number % 7}.items():
                    rows[name].append(value)
                for time_s, depth, correct in drawn:
                    answer = {**known, "deadline_s": deadline_s, "time_s": time_s, "depth": depth, "correct": correct}
                    for name, value in answer.items():
                        answers[name].append(value)
                if counted:
                    by_cell[replication].append({"relative": relative, "answers": drawn})
    devices = {
        "camera": {"deadline": {"distribution": "exponential", "mean_ms": 80.0}},
        "phone": {"deadline": {"distribution": "uniform", "low_ms": 100.0, "high_ms": 300.0}},
    }
    run = write_run(
        tmp_path,
        scenario(deadlines_ms=[deadline_s * 1e3 for deadline_s in AXIS_S], devices=devices),
        requests={"axis_deadline_ms": np.nan, "end": "late", **rows},
        answers={"axis_deadline_ms": np.nan, **answers},
    )
    for point in RecordedRun(run).points("a")[1:]:
        for place, replication in enumerate(point.replications):
            accuracy, missed = brute_force(by_cell[replication], point.deadline_ms / 1e3)
            assert point.on_time_accuracy[place] == pytest.approx(accuracy, abs=1e-12)
            assert point.miss_ratio[place] == pytest.approx(missed, abs=1e-12)
            assert point.right[place].sum() == round(accuracy * len(by_cell[replication]))
            assert point.asked[place].sum() == len(by_cell[replication])


def test_a_request_without_a_deadline_of_its_own_is_judged_at_the_axis(tmp_path: Path) -> None:
    run = write_run(
        tmp_path,
        scenario(devices={"camera": {"deadline": None}}),
        requests=requests_of(2, axis_deadline_ms=np.nan, deadline_s=np.inf),
        answers={
            "axis_deadline_ms": np.nan,
            "number": [0, 1],
            "counted": True,
            "deadline_s": np.inf,
            "time_s": [0.06, 0.2],
            "correct": True,
        },
    )
    curve = accuracies(run)
    assert [curve[deadline][0] for deadline in (50.0, 100.0, 300.0)] == [0.0, 0.5, 1.0]


def test_a_policy_run_anew_for_every_deadline_is_never_thresholded(tmp_path: Path) -> None:
    """Its cells say what happened at each deadline, even where the answers' times would say otherwise."""
    axis_ms = np.array([50.0, 50.0, 100.0, 100.0])
    run = write_run(
        tmp_path,
        scenario(deadlines_ms=[50.0, 100.0]),
        requests={
            "axis_deadline_ms": axis_ms,
            "number": [0, 1, 0, 1],
            "counted": True,
            "deadline_s": axis_ms / 1e3,
            "correct": [True, False, True, True],
            "end": ["on_time", "late", "on_time", "on_time"],
        },
        answers={"axis_deadline_ms": 50.0, "number": [0, 1], "counted": True, "time_s": 0.001, "correct": True},
    )
    assert accuracies(run) == {50.0: (0.5, 0.5), 100.0: (1.0, 0.0)}


def test_answers_to_unknown_requests_are_refused(tmp_path: Path) -> None:
    run = write_run(
        tmp_path,
        scenario(),
        requests=requests_of(2, axis_deadline_ms=np.nan, deadline_s=0.1),
        answers={"axis_deadline_ms": np.nan, "number": 7, "counted": True, "time_s": [0.1], "deadline_s": 0.1},
    )
    with pytest.raises(InputError, match="answers.parquet holds requests"):
        accuracies(run)
