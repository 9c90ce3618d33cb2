"""Outcomes by the source that a scenario names, and that a cached run needs no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edgesim.models.zoo as zoo
from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes import obtain as obtaining
from edgesim.outcomes.execute import execute
from edgesim.outcomes.importing import import_outcomes
from edgesim.outcomes.obtain import live_executor, obtain, weights_digest
from edgesim.scenario.data import NoData, ShippedData
from edgesim.scenario.models import ImportedModel, SyntheticModel, TimmModel, ZooModel

PATH = ((2, "int8"),)
EXITS = (1, 2, 3, 4)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGESIM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def zoo_model(
    small_model: MultiExit, images: Dataset, preprocess: Preprocess, monkeypatch: pytest.MonkeyPatch
) -> ZooModel:
    """A zoo model that is the small one, on a few images."""
    monkeypatch.setattr(obtaining, "load_data", lambda data, split: images)
    monkeypatch.setattr(obtaining, "weights_digest", lambda model: "weights")
    monkeypatch.setattr(obtaining, "_preprocessing_key", lambda model: "preprocessing")
    monkeypatch.setattr("edgesim.models.build.create_model", lambda *_: small_model)
    monkeypatch.setattr("edgesim.models.build.preprocessing", lambda model: preprocess)
    return ZooModel(source="zoo", name="small")


def test_a_real_model_is_executed_once(
    zoo_model: ZooModel, small_model: MultiExit, images: Dataset, preprocess: Preprocess
) -> None:
    steps: list[tuple[int, int]] = []
    arguments = ("small", zoo_model, ShippedData(), "test", [PATH], EXITS, (), 1, lambda *step: steps.append(step))
    first = obtain(*arguments)
    executed = len(steps)
    assert executed > 0
    assert obtain(*arguments).hash == first.hash
    assert len(steps) == executed
    expected = execute(small_model, images, preprocess, [PATH]).tables[PATH]
    assert np.array_equal(first.table(PATH).confidence, expected.confidence)


def test_a_profile_of_another_model_is_refused(zoo_model: ZooModel) -> None:
    with pytest.raises(InputError, match=r"'small' has exits after \(1, 2, 3, 4\) blocks, its profile after \(2, 4\)"):
        obtain("small", zoo_model, ShippedData(), "test", [], (2, 4), (), 1)


def test_a_live_executor_runs_the_same_model(zoo_model: ZooModel) -> None:
    table = obtain("small", zoo_model, ShippedData(), "test", [], EXITS, (), 1).table(())
    live = live_executor(zoo_model, ShippedData(), "test")
    handle = live.begin(3)
    live.run([handle], 4)
    assert live.exit([handle], 3)[0].confidence == pytest.approx(table.scores(3, 3).confidence, abs=1e-5)


def test_synthetic_and_imported_models_need_no_data(tmp_path: Path) -> None:
    toy = SyntheticModel(
        source="synthetic", blocks_ms=(1.0, 2.0), exits=(1, 2), state_bytes=(9, 5), accuracy=(0.5, 0.9)
    )
    made = obtain("toy", toy, NoData(source="none"), "test", [((1, "fp32"),)], (1, 2), (), 1)
    assert (made.label, made.samples, made.payload(((1, "fp32"),))[0]) == ("synthetic", 2_000, 5)
    np.savez(tmp_path / "a.npz", blocks=[1, 2], logits=np.eye(3)[None].repeat(2, 0), labels=[0, 1, 2])
    import_outcomes(tmp_path / "a.npz", tmp_path / "theirs", "test")
    (tmp_path / "profile.json").touch()
    theirs = ImportedModel.model_construct(source="outcomes", folder=tmp_path / "theirs", profile=tmp_path)
    assert obtain("theirs", theirs, NoData(source="none"), "test", [], (1, 2), (), 1).label == "imported"
    with pytest.raises(InputError, match="its profile after"):
        obtain("theirs", theirs, NoData(source="none"), "test", [], (2, 3), (), 1)


def test_a_real_model_without_data_is_refused() -> None:
    with pytest.raises(InputError, match="source is none"):
        obtain("m", ZooModel(source="zoo", name="m"), NoData(source="none"), "test", [], (1,), (), 1)


def test_the_digest_of_a_timm_model_sees_what_changes_its_weights(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"one")

    def digest(**changes) -> str:
        values = {"source": "timm", "name": "vit", "pretrained": True, "weights": None, "exits": (), **changes}
        return weights_digest(TimmModel.model_construct(**values))

    seen = [digest(), digest(name="deit"), digest(pretrained=False), digest(exits=(3,)), digest(merge=8)]
    seen.append(digest(weights=tmp_path / "weights"))
    (tmp_path / "weights").write_bytes(b"two")
    seen.append(digest(weights=tmp_path / "weights"))
    assert len(set(seen)) == len(seen)
    with pytest.raises(InputError, match="gone"):
        digest(weights=tmp_path / "gone")


@pytest.mark.skipif(not zoo.zoo_names(), reason="no model has been put into the zoo")
def test_cached_outcomes_of_a_zoo_model_import_no_torch(cache: Path) -> None:
    code = """
import sys
from edgesim.models.zoo import model_card
from edgesim.outcomes.obtain import obtain
from edgesim.scenario.data import ShippedData
from edgesim.scenario.models import ZooModel
name = "fashion_vit"
card = model_card(name)
model, paths = ZooModel(source="zoo", name=name), [((2, "int8"),)]
made = obtain(name, model, ShippedData(), "test", paths, card.exits, card.cuts, 1)
print(made.hash, "torch" in sys.modules, "timm" in sys.modules)
"""
    run = [sys.executable, "-c", code]
    first, second = (
        subprocess.run(run, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout.split()
        for _ in range(2)
    )
    assert first[1:] == ["True", "True"]
    assert second == [first[0], "False", "False"]
