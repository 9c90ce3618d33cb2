"""Tables and live answers of a model with one output, on float targets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.data.scenes import shipped_scenes
from edgesim.errors import InputError
from edgesim.models.backbones.vit import small_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.cache import Origin, OutcomeCache
from edgesim.outcomes.execute import Executed, execute
from edgesim.outcomes.live import LiveExecutor
from edgesim.outcomes.scores import judge, read_out

PREPROCESS = Preprocess((0.16,), (0.17,), (1, 64, 64))
PATH = ((1, "int8"),)


@pytest.fixture(scope="module")
def scenes() -> Dataset:
    return shipped_scenes("count", "test").take(slice(20))


@pytest.fixture(scope="module")
def counter(sharpen: Callable[[MultiExit, int], MultiExit]) -> MultiExit:
    """Untrained; its answers lie about the targets."""
    torch.manual_seed(3)
    backbone = small_vit(64, 1, 1, width=16, depth=2, heads=2, stem_channels=(4, 4, 8))
    model = sharpen(MultiExit(backbone, {2: MLPBranch(16, 1)}), 3)
    with torch.no_grad():
        backbone.vit.head.bias.fill_(5.5)
    return model


@pytest.fixture(scope="module")
def executed(counter: MultiExit, scenes: Dataset) -> Executed:
    return execute(counter, scenes, PREPROCESS, [PATH], batch_size=8)


def test_a_table_holds_values_and_errors(executed: Executed, counter: MultiExit, scenes: Dataset) -> None:
    with torch.inference_mode():
        values = counter.all_exits(PREPROCESS(scenes.images))[..., 0].double().numpy()
    table = executed.tables[()]
    assert table.is_regression and table.prediction.dtype == np.float64 and table.error.dtype == np.float64
    assert np.allclose(table.prediction, values, atol=1e-4)
    assert len(np.unique(table.prediction[-1])) == len(scenes)
    assert np.array_equal(table.error, np.abs(table.prediction - scenes.labels))
    assert np.array_equal(table.correct, table.error <= 0.5)
    assert 0 < table.correct[-1].sum() < len(scenes)
    assert all(np.isnan(scores).all() for scores in (table.confidence, table.entropy, table.margin))


def test_a_lossy_hop_changes_values(executed: Executed) -> None:
    assert (executed.tables[PATH].prediction != executed.tables[()].prediction).any()


def test_live_answers_agree_with_the_tables(executed: Executed, counter: MultiExit, scenes: Dataset) -> None:
    live, table = LiveExecutor(counter, scenes, PREPROCESS), executed.tables[()]
    handles = [live.begin(row) for row in range(3)]
    live.run(handles, 3)
    for row, scores in enumerate(live.exit(handles, 1)):
        assert scores.prediction == pytest.approx(table.prediction[1, row], abs=1e-4)
        assert scores.correct is bool(table.correct[1, row])
        assert np.isnan(scores.confidence) and np.isnan(scores.entropy) and np.isnan(scores.margin)


def test_errors_are_kept_in_the_cache(executed: Executed, counter: MultiExit, scenes: Dataset, tmp_path) -> None:
    def made(_: object) -> Executed:
        return executed

    def nothing(_: object) -> Executed:
        raise AssertionError("it is in the cache")

    cache = OutcomeCache(Origin("counter", counter.exits, "w", scenes.hash, "test", "p"), tmp_path, "code")
    cache.outcomes([PATH], made)
    again = cache.outcomes([PATH], nothing)
    assert np.array_equal(again.table(PATH).error, executed.tables[PATH].error)
    assert again.table(PATH).prediction.dtype == np.float64


def test_the_model_must_answer_with_one_value(counter: MultiExit, scenes: Dataset, small_model: MultiExit) -> None:
    for refused in (
        lambda: execute(small_model, scenes, PREPROCESS, []),
        lambda: LiveExecutor(small_model, scenes, PREPROCESS),
    ):
        with pytest.raises(InputError, match="answers with 10 values, scenes-count/test has one target"):
            refused()
    named = shipped_scenes("class", "test").take(slice(4))
    with pytest.raises(InputError, match="answers with 1 classes, scenes-class/test has 10"):
        execute(counter, named, PREPROCESS, [])


def test_judging_by_hand() -> None:
    found = read_out(np.array([[1.4], [2.5], [9.0]], np.float32), "regression")
    correct, error = judge(found.prediction, np.array([1.0, 2.0, 7.0], np.float32), "regression")
    assert error is not None and error.tolist() == pytest.approx([0.4, 0.5, 2.0])
    assert correct.tolist() == [True, True, False]
    correct, error = judge(np.array([1, 2]), np.array([1, 3]), "classification")
    assert correct.tolist() == [True, False] and error is None
