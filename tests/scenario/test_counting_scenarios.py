"""Where models count, what needs confidence is refused, and change is for counts alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.scenario.load import load_scenario
from edgesim.scenario.scenario import Scenario
from edgesim.studies.cells import check_needs

COUNTING = """\
name: counting
duration_s: 10
data: {source: scenes, task: count}
models:
  counter: {source: zoo, name: count_vit}
devices:
  camera:
    arrivals: {process: poisson, rate_hz: 2}
    link: radio
    server: edge
links:
  radio: {up: {process: constant, rate_mbps: 5}, down: {process: constant, rate_mbps: 5}, delay_ms: 5, prior_mbps: 5}
servers:
  edge: {}
policies:
  first: {type: device_only, exit: 0}
  early: {type: thresholds, score: change, threshold: 0.3}
  fallback: {type: exits_then_image, score: change, threshold: 0.3}
"""
USER = """\
from edgesim.policies.base import Needs, Policy

class Sure(Policy):
    needs = Needs(confidence=True)

    def next_steps(self, request, view):
        return ()

class Plain(Policy):
    def next_steps(self, request, view):
        return ()
"""


def loaded(folder: Path, old: str = "", new: str = "") -> Scenario:
    path = folder / "counting.yaml"
    path.write_text(COUNTING.replace(old, new))
    return load_scenario(path)


def test_change_is_a_score_of_counts(tmp_path: Path) -> None:
    assert loaded(tmp_path).regression


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("score: change, threshold: 0.3}\n  f", "score: entropy, threshold: 0.3}\n  f", 17, "early.score", "entropy"),
        ("score: change, threshold: 0.3}\n  f", "threshold: 0.3}\n  f", 17, "early.score", "confidence"),
        ("exits_then_image, score: change", "exits_then_image, score: margin", 18, "fallback.score", "margin"),
    ],
    ids=["entropy", "the default", "margin"],
)
def test_confidence_is_refused(tmp_path: Path, old: str, new: str, line: int, key: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, old, new)
    expected = f"policies.{key}: found {words}, allowed: change, as data asks for counts"
    place, message = str(caught.value).split(": ", 1)
    assert place.startswith(f"{tmp_path / 'counting.yaml'}:{line}:") and message == expected


def test_change_is_refused_where_answers_are_classes(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, "task: count", "task: class")
    first, second = str(caught.value).splitlines()
    assert "policies.early.score: found change, allowed: confidence, entropy, margin" in first
    assert "policies.fallback.score: found change" in second


def test_made_up_classes_are_refused_where_counts_are_asked_for(tmp_path: Path) -> None:
    toy = "{source: synthetic, blocks_ms: [1], exits: [1], state_bytes: [10], accuracy: [0.9]}"
    with pytest.raises(InputError, match="models.counter.source: found synthetic.*allowed: zoo, timm"):
        loaded(tmp_path, "{source: zoo, name: count_vit}", toy)


def test_a_plan_by_accuracy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="counting.yaml:14:.*scheduler.type: found imprecise, which plans by accuracy"):
        loaded(tmp_path, "edge: {}", "edge: {scheduler: {type: imprecise}}")


def test_a_users_policy_that_needs_confidence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(USER)
    check_needs(loaded(tmp_path, "device_only, exit: 0", "'mine.py:Plain'"))
    scenario = loaded(tmp_path, "device_only, exit: 0", "'mine.py:Sure'")
    with pytest.raises(InputError, match=r"counting.yaml:16:.*policies\.first\.type: found mine\.py:Sure, which needs"):
        check_needs(scenario)
