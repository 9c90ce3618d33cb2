"""Live execution inside the simulation against the tables (SEMANTICS: equality)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from small_runs import BASE, read  # noqa: E402

from edgesim.data.dataset import Dataset  # noqa: E402
from edgesim.data.fashion_mnist import MEAN, STD, shipped_split  # noqa: E402
from edgesim.data.images import Preprocess  # noqa: E402
from edgesim.engine.assets import Assets  # noqa: E402
from edgesim.errors import InputError  # noqa: E402
from edgesim.models.backbones.vit import small_vit  # noqa: E402
from edgesim.models.branches import MLPBranch  # noqa: E402
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.outcomes.execute import execute  # noqa: E402
from edgesim.outcomes.live import LiveExecutor  # noqa: E402
from edgesim.outcomes.table import Outcomes  # noqa: E402
from edgesim.policies.base import ModelShape  # noqa: E402
from edgesim.profiling.synthetic_costs import SyntheticCosts, constant  # noqa: E402
from edgesim.scenario.load import build_scenario  # noqa: E402
from edgesim.studies import run as room  # noqa: E402
from edgesim.studies.cells import check_needs  # noqa: E402
from edgesim.studies.load import declared_paths  # noqa: E402
from edgesim.studies.run import run_scenario  # noqa: E402

IMAGES, WIDTH = 60, 32
POLICIES: dict[str, Any] = {
    "local": {"type": "device_only"},
    "early": {"type": "thresholds", "threshold": 0.4},
    "image": {"type": "exits_then_image", "exits": [0, 1], "codec": "png"},
    "jpeg": {"type": "server_only", "codec": "jpeg40"},
    "cut": {"type": "fixed_cut", "cut": 2, "codec": "fp32"},
    "int8": {"type": "fixed_cut", "cut": 2, "codec": "int8"},
    "anytime": {"type": "anytime", "cut": 1, "codec": "fp16"},
    "early cut": {"type": "thresholds", "threshold": 0.4, "cut": 2, "codec": "int8_token+zlib"},
}
LOSSY = {"int8", "anytime", "early cut"}


def random_model(seed: int, depth: int) -> MultiExit:
    """Weights large enough that answers differ from image to image."""
    torch.manual_seed(seed)
    backbone = small_vit(28, 1, 10, width=WIDTH, depth=depth, heads=2, stem_channels=(8, 16))
    model = MultiExit(backbone, {after: MLPBranch(WIDTH, 10) for after in range(1, depth + 1)})
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 1.5 * parameter[0].numel() ** -0.5)
    return model.eval()


class Bench:
    """Assets of small random models, and live executors of the same models."""

    def __init__(self) -> None:
        self.models = {"small": random_model(11, 3), "large": random_model(12, 4)}
        self.images: Dataset = shipped_split("test").take(slice(IMAGES))
        self.preprocess = Preprocess((MEAN,), (STD,), (1, 28, 28))

    def assets(self, scenario: Any) -> Assets:
        shapes, costs, made = {}, {}, {}
        for name in scenario.models:
            model = self.models[name]
            cuts = tuple(model.backbone.cut_spec(cut) for cut in range(model.num_blocks + 1))
            shapes[name] = ModelShape(name, model.num_blocks, model.exits, cuts)
            blocks, branches = [constant(0.002)] * model.num_blocks, [0.0002] * len(model.exits)
            costs[name] = SyntheticCosts(blocks, model.exits, branches, [1] * model.num_blocks)
            done = execute(model, self.images, self.preprocess, declared_paths(scenario, shapes[name]), batch_size=16)
            made[name] = Outcomes(name, "test", "executed", model.exits, done.tables, done.payloads)
        return Assets(shapes, costs, made, made, {"user": [0.0]})

    def executors(self, scenario: Any, split: str = "test") -> dict[str, LiveExecutor]:
        return {name: LiveExecutor(self.models[name], self.images, self.preprocess) for name in scenario.models}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def scenario_of(policies: dict[str, Any], execution: str, *overrides: str, models: tuple[str, ...] = ("small",)) -> Any:
    named = {name: {"source": "zoo", "name": name} for name in models}
    policies = {name.replace(" ", "_"): spec for name, spec in policies.items()}
    world = {**BASE, "models": named, "policies": policies, "data": {"source": "shipped"}, "execution": execution}
    world |= {"deadlines_ms": [], "replications": 1, "duration_s": 4, "warmup_s": 0}
    return build_scenario(world, overrides=overrides)


@pytest.fixture
def both(no_plots: None, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a scenario tabled and live."""
    monkeypatch.setattr(room, "load_assets", lambda scenario, *_: bench.assets(scenario))
    monkeypatch.setattr(room, "live_executors", bench.executors)

    def runs(policies: dict[str, Any], *overrides: str, **more: Any) -> list[Any]:
        return [
            run_scenario(scenario_of(policies, execution, *overrides, **more), tmp_path)
            for execution in ("tabled", "live")
        ]

    return runs


BATCHES = ("servers.edge.batch={max_size: 8, max_wait_ms: 30}", "devices.camera.count=5")


@pytest.mark.parametrize("overrides", [(), BATCHES], ids=["alone", "batches"])
def test_live_is_tabled(both: Any, overrides: tuple[str, ...]) -> None:
    """Requests, exits, bytes and times agree; where a state was rounded, but for scores within reach of a threshold."""
    tabled, live = both(POLICIES, *overrides)
    assert tabled.manifest["live_agreement"] is None
    agreement = live.manifest["live_agreement"]
    one, other = read(tabled.folder, "requests"), read(live.folder, "requests")
    assert agreement["answers"] >= len(other) and agreement["predictions_differ"] <= 0.01 * agreement["answers"]
    if overrides:
        batches = read(live.folder, "nodes").query("node == 'edge'")
        assert (batches.batches < batches.served).any(), "some were served together"
    for name in POLICIES:
        name = name.replace(" ", "_")
        by = ["device", "number"]
        left, right = (rows[rows.policy == name].sort_values(by, ignore_index=True) for rows in (one, other))
        assert len(left) == len(right) > 15
        exact = name not in {each.replace(" ", "_") for each in LOSSY}
        for column in ("device", "number", "sample", "arrival_s", "cut", "exit", "prediction", "correct", "bytes_up"):
            same = (left[column] == right[column]).mean()
            assert same == 1 if exact else same > 0.9, (name, column)
        if exact:
            np.testing.assert_array_equal(left.latency_s, right.latency_s)
    assert len(one.prediction.unique()) >= 2, "the answers are not all alike"


def test_lossless_paths_agree_in_every_score(both: Any) -> None:
    names = ("local", "image", "cut", "jpeg")
    _, live = both({name: POLICIES[name] for name in names}, *BATCHES)
    agreement = live.manifest["live_agreement"]
    assert agreement["answers"] > 60
    assert agreement["predictions_differ"] == agreement["scores_differ"] == 0


def test_a_small_model_here_and_a_large_one_there(both: Any) -> None:
    models = {"device": "small", "server": "large"}
    policies = {
        "image": {**POLICIES["image"], "models": models},
        "raw": {"type": "fixed_cut", "cut": 0, "codec": "raw", "models": models},
    }
    tabled, live = both(policies, models=("small", "large"))
    one, other = read(tabled.folder, "answers"), read(live.folder, "answers")
    for column in ("device", "number", "time_s", "model", "depth", "exit", "prediction", "correct"):
        np.testing.assert_array_equal(one[column].to_numpy(), other[column].to_numpy())
    assert set(one.model) == {"small", "large"}
    assert live.manifest["live_agreement"]["scores_differ"] == 0


def test_another_model_would_be_noticed(both: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"small": LiveExecutor(random_model(5, 3), bench.images, bench.preprocess)}
    monkeypatch.setattr(room, "live_executors", lambda scenario, split: wrong)
    _, live = both({"local": POLICIES["local"]})
    agreement = live.manifest["live_agreement"]
    assert agreement["scores_differ"] == agreement["answers"] and agreement["predictions_differ"] > 0


def test_oracles_are_refused_as_they_look_answers_up() -> None:
    with pytest.raises(InputError, match="policies.best: an oracle looks its answers up, execution live has no tables"):
        check_needs(scenario_of({"best": {"type": "clairvoyant"}}, "live"))
