from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch

from edgesim.data.fashion_mnist import CLASSES
from edgesim.errors import InputError
from edgesim.models.export import export_zoo
from edgesim.models.training_run import train
from edgesim.models.weights import weights_hash
from edgesim.models.zoo import CARD, WEIGHTS, ZOO, load, model_card, zoo_names

CONFIG = """\
name: tiny
purpose: tests
data: {source: fashion-mnist, folder: images}
output: OUTPUT
geometry:
  backbone:
    {type: small_vit, img_size: 28, in_chans: 1, num_classes: 10, width: 8, depth: 2, heads: 2, stem_channels: [2]}
  branches: [{type: mlp, after: [2]}]
recipe: {epochs: 1, batch_size: 100}
"""


def write_idx(path: Path, values: np.ndarray) -> None:
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes())


def write_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for prefix, count in (("train", 5_200), ("t10k", 100)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28), np.uint8))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", rng.integers(0, 10, count).astype(np.uint8))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a training's output and the zoo that was exported from it."""
    folder = tmp_path_factory.mktemp("zoo")
    write_images(folder / "images")
    (folder / "tiny.yaml").write_text(CONFIG.replace("OUTPUT", str(folder / "out")))
    calls: list[tuple[float, ...]] = []
    before = torch.get_num_threads()
    trained = train(folder / "tiny.yaml", lambda *call: calls.append(call))
    torch.set_num_threads(before)
    assert [call[:3] for call in calls] == [(0, 1, 2), (0, 2, 2)]
    export_zoo(trained, folder / "tiny.yaml", folder / "models")
    return folder


@pytest.fixture
def zoo(made: Path, tmp_path: Path) -> Path:
    copytree(made / "models", tmp_path / "models")
    return tmp_path / "models"


def test_an_exported_model_is_whole(zoo: Path) -> None:
    assert zoo_names(zoo) == ("tiny",)
    names = {path.name for path in (zoo / "tiny").iterdir()}
    plots = {f"{plot}.{kind}" for plot in ("scores", "training", "calibration") for kind in ("png", "svg")}
    assert names == {CARD, WEIGHTS, "card.md", "log.csv", "training.yaml", *plots}


def test_the_card_says_what_the_model_is(zoo: Path) -> None:
    card, model = model_card("tiny", zoo), load("tiny", zoo)
    assert (card.exits, card.num_blocks) == (model.exits, model.num_blocks) == ((2, 3), 3)
    assert card.cuts == tuple(model.backbone.cut_spec(cut) for cut in range(4))
    assert card.classes == CLASSES and card.input_size == (1, 28, 28)
    assert card.parameters == sum(value.numel() for value in model.parameters())
    assert 0 < card.macs[0] < card.macs[1]
    assert all(0 <= share <= 1 for share in card.scores)


def test_the_card_for_people_has_a_row_an_exit(zoo: Path) -> None:
    text = (zoo / "tiny" / "card.md").read_text()
    shares = model_card("tiny", zoo).scores
    for exit, blocks in enumerate((2, 3)):
        assert f"| {exit} | {blocks} | " in text and f"{shares[exit]:.2%}" in text
    assert "100 test images" in text and "MIT licence" in text


def test_loading_gives_the_trained_weights(made: Path, zoo: Path) -> None:
    from edgesim.models.checkpoint import read_checkpoint

    trained = read_checkpoint(made / "out" / "checkpoint.safetensors").weights
    model = load("tiny", zoo)
    assert not model.training
    parameters = dict(model.named_parameters())
    for name, value in model.state_dict().items():  # parameters are stored in half precision
        assert torch.equal(value, trained[name].half().float() if name in parameters else trained[name])


def test_exporting_again_gives_the_same_files(made: Path, zoo: Path) -> None:
    before = {path.name: path.read_bytes() for path in (zoo / "tiny").iterdir()}
    export_zoo(made / "out", made / "tiny.yaml", zoo)
    assert before == {path.name: path.read_bytes() for path in (zoo / "tiny").iterdir()}


def test_an_unknown_name_is_answered_with_the_known(zoo: Path) -> None:
    with pytest.raises(InputError, match=r"no model 'tinny' in the zoo, which has: tiny; did you mean 'tiny'\?"):
        load("tinny", zoo)


@pytest.mark.parametrize("name", ["../models/tiny", "", "."])
def test_a_name_is_no_path(zoo: Path, name: str) -> None:
    with pytest.raises(InputError, match="no model"):
        model_card(name, zoo)


def test_damaged_weights_are_refused(zoo: Path) -> None:
    file = zoo / "tiny" / WEIGHTS
    file.write_bytes(file.read_bytes()[:-1] + b"\xff")
    with pytest.raises(InputError, match=f"{WEIGHTS}: damaged or of another version"):
        load("tiny", zoo)


def test_missing_weights_are_refused(zoo: Path) -> None:
    (zoo / "tiny" / WEIGHTS).unlink()
    with pytest.raises(InputError, match=f"{WEIGHTS}: cannot be read: No such file"):
        load("tiny", zoo)


def change_card(zoo: Path, **changes: object) -> None:
    file = zoo / "tiny" / CARD
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_what_is_no_safetensors_file_is_refused(zoo: Path) -> None:
    file = zoo / "tiny" / WEIGHTS
    file.write_bytes(file.read_bytes()[:100])
    change_card(zoo, weights_hash=weights_hash(file))
    with pytest.raises(InputError, match=f"{WEIGHTS}: not a safetensors file, or damaged"):
        load("tiny", zoo)


def test_weights_of_another_geometry_are_refused(zoo: Path) -> None:
    geometry = json.loads((zoo / "tiny" / CARD).read_text())["geometry"]
    geometry["backbone"]["width"] = 16
    change_card(zoo, geometry=geometry)
    with pytest.raises(InputError, match=rf"{WEIGHTS}: these weights are not this model's: .* has shape"):
        load("tiny", zoo)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"num_blocks": "three"}, "num_blocks"), ({"extra": 1}, "extra"), ({"format": 1}, "format")],
)
def test_a_damaged_card_is_refused(zoo: Path, changes: dict[str, object], message: str) -> None:
    change_card(zoo, **changes)
    with pytest.raises(InputError, match=f"{CARD}: {message}"):
        model_card("tiny", zoo)


def test_the_card_is_read_without_torch() -> None:
    code = "import sys; from edgesim.models.zoo import zoo_names; zoo_names(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", zoo_names())
def test_a_shipped_model_loads_and_is_what_its_card_says(name: str) -> None:
    card, model = model_card(name), load(name)
    assert card.exits == model.exits and card.num_blocks == model.num_blocks
    assert card.cuts == tuple(model.backbone.cut_spec(cut) for cut in range(model.num_blocks + 1))
    assert card.parameters == sum(value.numel() for value in model.parameters()) <= 2_000_000
    better = card.scores[-1] < card.scores[0] if card.task == "regression" else card.scores[-1] > card.scores[0]
    assert better
    assert len(card.scores) == len(card.shipped_scores) == len(card.macs) == len(card.exits)
    assert (ZOO / name / WEIGHTS).stat().st_size < 9e6
