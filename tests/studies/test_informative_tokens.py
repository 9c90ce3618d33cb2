"""``+informative`` from the scenario to the answers: where it fits, what it costs, what arrives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from small_runs import small

from edgesim.codecs.names import payload_bytes
from edgesim.codecs.tensors import decode, encode
from edgesim.data.fashion_mnist import MEAN, STD, shipped_split
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.backbones.evo_deit import EvoDeiT
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.execute import execute
from edgesim.outcomes.live import LiveExecutor
from edgesim.policies.base import ModelShape
from edgesim.policies.random_cut import RandomCut
from edgesim.profiling.measure import measure
from edgesim.profiling.measured_costs import ModelCosts
from edgesim.profiling.sampling import Effort
from edgesim.studies.load import declared_paths, load_assets

CODEC = "int8+informative"
PREPROCESS = Preprocess((MEAN,), (STD,), (1, 28, 28))
IMAGES = shipped_split("test").take(slice(20))


@pytest.fixture(scope="module")
def evo() -> MultiExit:
    """16 patches; informative tokens at cuts 3 and 5."""
    torch.manual_seed(0)
    model = EvoDeiT(
        img_size=28, patch_size=7, in_chans=1, num_classes=10, width=16, depth=5, heads=2, select_before=(1, 3)
    )
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return MultiExit(model.eval(), {})


@pytest.fixture(scope="module")
def shape(evo: MultiExit) -> ModelShape:
    return ModelShape("toy", 6, (6,), tuple(evo.backbone.cut_spec(cut) for cut in range(7)))


@torch.inference_mode()
def test_answers_are_those_behind_the_lossy_path(evo: MultiExit) -> None:
    paths = [((3, CODEC),), ((3, CODEC + "+zlib"),), ((3, "fp32+informative"),), ((3, CODEC), (5, "int4+informative"))]
    executed = execute(evo, IMAGES, PREPROCESS, paths)
    assert set(executed.tables) == {(), paths[0], paths[2], paths[3]}  # not even fp32 keeps what rests
    assert len({table.confidence.tobytes() for table in executed.tables.values()}) == 4
    for path in paths[0], paths[2]:
        assert set(executed.payloads[path]) == {payload_bytes(path[0][1], evo.backbone.cut_spec(3))}
    state: Any = evo.run(PREPROCESS(IMAGES.images), 0, 3)
    arrived = decode(CODEC, encode(CODEC, state), evo.backbone.cut_spec(3))
    expected = evo.exit(evo.run(arrived, 3, 6), 0).softmax(1).amax(1).numpy()
    assert np.allclose(executed.tables[paths[0]].confidence[0], expected, rtol=1e-6)
    live = LiveExecutor(evo, IMAGES, PREPROCESS)
    handle = live.begin(7)
    live.run([handle], 3)
    there, size = live.send(handle, CODEC, as_image=False)
    live.run([there], 6)
    assert size == executed.payloads[paths[0]][7]
    assert live.exit([there], 0)[0].confidence == pytest.approx(float(expected[7]), rel=1e-5)


def test_it_is_measured_where_it_fits(evo: MultiExit) -> None:
    effort = Effort((1,), (1,), (0.0,), rows=2, first_rows=2, warmups=1, tolerance=100.0)
    costs = ModelCosts(measure(evo, "evo", IMAGES.images[:2], PREPROCESS, "clothes", effort=effort))
    assert costs.mean_encode_s(CODEC, 3) > 0 and costs.mean_decode_s(CODEC + "+zlib", 5) > 0
    with pytest.raises(InputError, match="no times of codec int8.informative at cut 2"):
        costs.mean_encode_s(CODEC, 2)


def test_a_policy_that_chooses_among_cuts_takes_it_where_it_fits(shape: ModelShape) -> None:
    assert set(RandomCut(["toy", "toy"], ["png", CODEC]).paths(shape)) == {
        ((c, n),) for c, n in ((0, "png"), (3, CODEC), (5, CODEC))
    }
    scenario = small(policies={"split": {"type": "fixed_cut", "cut": 3, "codec": CODEC}})
    assert declared_paths(scenario, shape) == [((3, CODEC),)]


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"type": "fixed_cut", "cut": 2, "codec": CODEC}, f"{CODEC} at cut 2"),
        ({"type": "anytime", "cut": 1, "codec": CODEC}, f"{CODEC} at cut 1"),
        ({"type": "neurosurgeon", "codec": CODEC}, f"{CODEC} at cut 1"),
        ({"type": "random", "codecs": ["png", CODEC], "cuts": [0, 2]}, f"{CODEC} for any cut"),
    ],
)
def test_other_cuts_and_backbones_are_refused(shape: ModelShape, policy: dict[str, Any], found: str) -> None:
    scenario = small(policies={"mine": policy})
    message = f"policies.mine: found {found} of model 'toy', allowed: "
    with pytest.raises(InputError) as caught:
        declared_paths(scenario, shape)
    assert str(caught.value).endswith(message + "at cuts 3, 5")
    with pytest.raises(InputError) as caught:
        load_assets(scenario)  # the synthetic toy of this scenario
    assert str(caught.value).endswith(message + "with Evo-ViT")


def test_a_cut_without_them_is_not_passed_over(shape: ModelShape) -> None:
    policy = {"type": "random", "codecs": ["png", CODEC], "cuts": [0, 2, 3]}
    with pytest.raises(InputError, match="for cut 2 of model 'toy', allowed: at cuts 3, 5"):
        declared_paths(small(policies={"mine": policy}), shape)
    assert declared_paths(small(policies={"best": {"type": "static_best", "calibration_seed": 100}}), shape)
