"""A real measurement, as small as it can be, here and by the script that travels."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rows import row  # noqa: E402

from edgesim.data.images import Preprocess  # noqa: E402
from edgesim.errors import InputError  # noqa: E402
from edgesim.models.backbones.base import Backbone, State  # noqa: E402
from edgesim.models.backbones.vit import small_vit  # noqa: E402
from edgesim.models.multi_exit import MultiExit  # noqa: E402
from edgesim.models.state import TensorSpec  # noqa: E402
from edgesim.profiling.costs import ModelCosts  # noqa: E402
from edgesim.profiling.exported import ExportedModel, draw_tensors  # noqa: E402
from edgesim.profiling.exporting import export_model  # noqa: E402
from edgesim.profiling.importing import import_profile  # noqa: E402
from edgesim.profiling.macs import block_macs, count_macs, structure_hash  # noqa: E402
from edgesim.profiling.measure import measure  # noqa: E402
from edgesim.profiling.profile import load_profile, save_profile  # noqa: E402
from edgesim.profiling.sampling import Effort  # noqa: E402
from edgesim.profiling.script import script_text  # noqa: E402
from edgesim.profiling.sections import Stopwatch, check_shapes  # noqa: E402
from edgesim.profiling.subjects import Subject, subject, with_all_branches  # noqa: E402

SMALL = Effort((1, 2, 4), (1, 4), (0.0, 0.001), rows=3, first_rows=4, warmups=1, tolerance=100.0)


@pytest.fixture(scope="module")
def toy() -> MultiExit:
    torch.manual_seed(0)
    return with_all_branches(small_vit(28, 1, 10, width=32, depth=2, heads=2, stem_channels=(8, 16))).eval()


@pytest.fixture(scope="module")
def shown(toy: MultiExit) -> Subject:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), dtype=np.uint8)
    return Subject(toy, images, Preprocess((0.3,), (0.35,), (1, 28, 28)), "noise")


def test_a_measurement_end_to_end(toy: MultiExit, shown: Subject, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    seen: list[str] = []
    profile = measure(
        toy,
        "toy",
        shown.images,
        shown.preprocess,
        shown.content,
        effort=SMALL,
        progress=lambda section, done, wanted: seen.append(section),
    )
    assert torch.get_num_threads() == threads
    assert profile.machine.threads == 1 and profile.content == "noise" and profile.numeric_format == "fp32"
    assert [times.batch for times in profile.chain] == [1, 2, 4] and len(profile.chain[0].rows_s) == 4
    assert {(piece.start, piece.stop) for piece in profile.pieces if piece.batch == 1} == {
        (0, 1), (0, 2), (0, 3), (1, 3), (2, 3)
    }  # fmt: skip
    assert [piece.start for piece in profile.pieces if piece.batch == 4] == [0, 1, 2]
    assert {(times.cut, times.codec) for times in profile.codecs} >= {(0, "png"), (0, "jpeg75"), (1, "int4_token+zlib")}
    assert {times.cut for times in profile.codecs} == {0, 1}
    assert profile.model.hash == structure_hash(toy.backbone) and profile.kept > 100
    assert {"blocks, batch 1", "codecs", "idle gaps"} <= set(seen)
    save_profile(profile, tmp_path / "toy.json")
    costs = ModelCosts(load_profile(tmp_path / "toy.json"), exits=(2, 3))
    assert row(costs, 0.5)[-1] > 0 and costs.encode_s("int8+zlib", 2, 0.5) > 0 and costs.preprocess_s(0.0) > 0


def test_wrong_shapes_are_noticed(toy: MultiExit) -> None:
    cuts = [toy.backbone.cut_spec(cut) for cut in range(4)]
    check_shapes(toy, torch.zeros(1, 1, 28, 28), cuts)
    cuts[2] = (TensorSpec("tokens", (50, 33)),)
    with pytest.raises(InputError, match="cut 2"), torch.inference_mode():
        check_shapes(toy, torch.zeros(1, 1, 28, 28), cuts)


def test_images_are_repeated_to_fill_a_batch(toy: MultiExit) -> None:
    inputs = torch.randn(3, 1, 28, 28)
    images = Stopwatch(toy, inputs).images(7)
    assert images.shape == (7, 1, 28, 28) and torch.equal(images[3:6], inputs)


def test_every_exit_of_timm_models_is_covered() -> None:
    levit = subject("levit_128s")
    assert levit.model.exits == tuple(range(1, 13)) and levit.images.shape == (32, 224, 224, 3)
    assert "resized to 224 x 224" in levit.content
    with pytest.raises(InputError, match="no model is called 'nobody'"):
        subject("nobody")
    with pytest.raises(InputError, match="resnet18"):
        subject("resnet18")


@torch.no_grad()
def test_an_exported_model_does_the_same_work(toy: MultiExit) -> None:
    exported = json.loads(json.dumps(export_model(toy)))
    copy = ExportedModel(exported, draw_tensors(exported["tensors"], "cpu"))
    image = torch.randn(1, 1, 28, 28)
    assert copy.num_blocks == 3 and copy.exits == (1, 2, 3)
    states = [image, toy.run(image, 0, 1), toy.run(image, 0, 2)]
    counts = [count_macs(partial(copy.run, states[index], index, index + 1)) for index in range(3)]
    assert tuple(counts) == block_macs(toy.backbone)
    for batch in (1, 5):
        state = copy.run(torch.randn(batch, 1, 28, 28), 0, 3)
        assert state["tokens"].shape == (batch, 50, 32) and copy.exit(state, 2).isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["levit_128s", "deit_tiny_patch16_224"])
def test_shipped_models_can_be_exported(name: str) -> None:
    model = subject(name).model
    exported = export_model(model)  # compares the answers itself
    copy = ExportedModel(exported, draw_tensors(exported["tensors"], "cpu"))
    whole = count_macs(lambda: copy.run(torch.zeros(1, 3, 224, 224), 0, copy.num_blocks))
    assert whole == sum(block_macs(model.backbone))


class TwoTensors(Backbone):
    """A state of two tensors, one of them an index."""

    def __init__(self) -> None:
        super().__init__()
        self.num_blocks, self.num_classes, self.width, self.input_size = 2, 4, 6, (1, 4, 4)
        self.project = torch.nn.Linear(4, 6)
        self.register_buffer("start", torch.tensor([3, 1, 0, 2]))

    def stem(self, images: torch.Tensor) -> State:
        order = self.start.expand(images.shape[0], -1)
        return {"tokens": self.project(images[:, 0]), "order": order}

    def block(self, index: int, state: State) -> State:
        picked = torch.gather(state["tokens"], 1, state["order"][..., None].expand(-1, -1, 6))
        return {"tokens": picked + 1, "order": state["order"].flip(1)}

    def head(self, state: State) -> torch.Tensor:
        return state["tokens"].mean(1)[:, :4] + state["order"]


@torch.no_grad()
def test_states_of_several_tensors_are_exported() -> None:
    torch.manual_seed(0)
    model = MultiExit(TwoTensors(), {}).eval()
    exported = export_model(model)  # compares the answers itself
    assert exported["blocks"][1]["inputs"] == ["order", "tokens"] == exported["blocks"][1]["outputs"]
    tensors = draw_tensors(exported["tensors"], "cpu")
    assert tensors["backbone.start"].tolist() == [3, 1, 0, 2]  # indices travel as they are


class Stubborn(TwoTensors):
    def block(self, index: int, state: State) -> State:
        if float(state["tokens"].sum()) > 0:
            return state
        return {name: -value for name, value in state.items()}


def test_what_cannot_be_traced_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be exported"):
        export_model(MultiExit(Stubborn(), {}).eval())


@pytest.fixture(scope="module")
def script(shown: Subject) -> str:
    return script_text(shown, "toy", "measure_toy.py")


CHANGED = 'if True:\n        raise InputError(f"{what}'
"""Every count differs."""


def run_script(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(path), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent, env=environment, timeout=300)


def test_the_script_measures_and_its_output_comes_back(script: str, toy: MultiExit, tmp_path: Path) -> None:
    path = tmp_path / "measure_toy.py"
    path.write_text(script)
    done = run_script(path, "-o", "there.json", "--rows", "3", "--batches", "1", "2", "4", "--tolerance", "100")
    assert done.returncode == 0, done.stderr
    profile = import_profile(tmp_path / "there.json", tmp_path / "here.json")
    assert profile.model.name == "toy" and profile.model.hash == structure_hash(toy.backbone)
    assert profile.model.block_macs == block_macs(toy.backbone)
    assert [times.batch for times in profile.chain] == [1, 2, 4] and len(profile.chain[1].rows_s) == 3
    assert {times.codec for times in profile.codecs} >= {"raw", "png", "int8"}
    assert ModelCosts(profile).mean_piece_s(0, 3, 3) > 0
    (tmp_path / "there.json").write_text((tmp_path / "there.json").read_text().replace('"kept": ', '"kept": 1'))
    with pytest.raises(InputError, match="hash"):
        import_profile(tmp_path / "there.json", tmp_path / "here.json")


def test_the_script_refuses_another_model(script: str, tmp_path: Path) -> None:
    """Its facts are checked against what it runs, before anything is measured."""
    path = tmp_path / "measure_toy.py"
    path.write_text(script.replace('if found != wanted:\n        raise InputError(f"{what}', CHANGED))
    done = run_script(path, "--rows", "3")
    assert done.returncode == 2 and "block 0 does" in done.stderr and "Traceback" not in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["measure_toy.py"]


def test_the_script_needs_nothing_but_torch(script: str, tmp_path: Path) -> None:
    """Without numpy it leaves codecs out; nothing else is imported."""
    path = tmp_path / "measure_toy.py"
    block = (
        "import sys\n\nfor name in ('numpy', 'PIL', 'timm', 'pydantic', 'safetensors'):\n    sys.modules[name] = None\n"
    )
    hidden = script.replace("import sys\nimport zlib\n", block + "import zlib\n", 1)
    hidden = hidden.replace('find_spec("numpy")', "False")
    path.write_text(hidden)
    done = run_script(path, "-o", "bare.json", "--rows", "3", "--batches", "1", "--tolerance", "100")
    assert done.returncode == 0, done.stderr
    profile = load_profile(tmp_path / "bare.json")
    assert profile.codecs == () and profile.preprocess_s == ()
    tree = ast.parse(script)
    assert {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names} <= {
        "base64", "importlib.abc", "importlib.util", "json", "sys", "zlib"
    }  # fmt: skip
