from __future__ import annotations

from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.models.training_config import TrainingConfig, load_training_config
from edgesim.models.zoo import ZOO

TEXT = """\
name: tiny
purpose: tests
data: {source: fashion-mnist, folder: images}
output: out
geometry:
  backbone:
    {type: small_vit, img_size: 28, in_chans: 1, num_classes: 10, width: 8, depth: 2, heads: 2, stem_channels: [4, 4]}
  branches: [{type: mlp, after: [2], hidden: [16]}]
recipe:
  epochs: 2
  learning_rate: 1e-3
"""


def config(folder: Path, text: str = TEXT) -> TrainingConfig:
    (folder / "images").mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(text)
    return load_training_config(folder / "tiny.yaml")


def test_a_config_is_read_with_defaults_and_paths_from_its_folder(tmp_path: Path) -> None:
    found = config(tmp_path)
    assert found.data.folder == tmp_path / "images"
    assert found.geometry.exits == (2, 3) and found.geometry.branches[0].hidden == (16,)
    assert found.recipe.learning_rate == 1e-3 and found.recipe.final_exit_weight == 2.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs: 2", "epoch: 2", r"tiny.yaml:10:\d+: recipe.epoch: unknown key; allowed: .*epochs, batch_size"),
        ("  epochs: 2\n", "", "tiny.yaml:.*: recipe.epochs: missing key"),
        ("epochs: 2", "epochs: two", r"tiny.yaml:10:\d+: recipe.epochs: found 'two' \(text\), allowed: integer"),
        ("epochs: 2", "epochs: 0", r"recipe.epochs: found 0 \(a whole number\), allowed: greater than or equal to 1"),
        ("epochs: 2", "epochs: 2\n  epochs: 3", "tiny.yaml:11.*recipe.epochs: duplicate key"),
        ("1e-3", ".nan", "tiny.yaml:11.*recipe.learning_rate: found '.nan'"),
        ("1e-3", "fast", "recipe.learning_rate: found 'fast'"),
        (
            "folder: images",
            "folder: nowhere",
            "tiny.yaml:3:.*data.folder: found 'nowhere', but there is no such folder",
        ),
        ("width: 8", "width: 9", r"tiny.yaml:6:\d+: geometry.backbone: width 9 is not a multiple of heads 2"),
        ("after: [2]", "after: [3]", r"geometry: branches sit after 1\.\.2 blocks, found 3"),
        (
            "after: [2]",
            "after: [1]",
            "geometry: after 1 blocks the class token of mlp is still the same for every image",
        ),
        ("after: [2]", "after: [2, 2]", r"geometry.branches.0: after must increase, found \[2, 2\]"),
        ("after: [2]", "after: [0]", r"geometry.branches.0.after.0: found 0"),
        ("small_vit", "swin", r"geometry.backbone.type: found 'swin' \(text\), allowed: 'small_vit', 'levit'"),
        ("type: small_vit, ", "", r"geometry.backbone.type: missing key"),
        ("heads: 2, ", "", r"geometry.backbone.heads: missing key"),
        ("heads: 2", "head: 2", r"geometry.backbone.head: unknown key; allowed: .*heads"),
        ("hidden: [16]", "filters: 16", r"geometry.branches.0.filters: unknown key; allowed: after, .*hidden"),
        (
            "type: mlp",
            "type: swin",
            r"tiny.yaml:8:\d+: geometry.branches.0.type: found 'swin' \(text\), allowed: 'mlp'",
        ),
        ("epochs: 2", "epochs: 2\n  erase_size: 29", r"recipe.erase_size 29 is larger than the images \(28 pixels\)"),
        ("name: tiny", "name: ../tiny", "tiny.yaml:1:.*name: found '../tiny'"),
        ("name: tiny", "name: [tiny", "tiny.yaml:.*this is no YAML"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=message):
        config(tmp_path, TEXT.replace(old, new))


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.yaml: cannot be read: No such file"):
        load_training_config(tmp_path / "none.yaml")


def test_shipped_configs_are_whole(tmp_path: Path) -> None:
    for path in ZOO.glob("*/training.yaml"):
        config(tmp_path, path.read_text().replace("/usr/share/datasets/fashion-mnist", "images"))
