"""``edgesim models``."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from edgesim.models import create, names
from edgesim.models.build import create_model
from edgesim.scenario.models import TimmModel

NAME = "levit_128s"


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authors' weights of ``NAME``, under timm's names, in a new working folder."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    torch.save({"model": create(NAME).levit.state_dict()}, tmp_path / "released.pth")
    return tmp_path / "released.pth"


def cells(out: str, block: str) -> list[str]:
    line = next(line for line in out.splitlines() if f" {block} " in line)
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_every_backbone_and_the_zoo_are_listed(command: Any) -> None:
    said = command("models", "list")
    assert said.code == 0 and all(f" {name} " in said.out for name in names())
    assert cells(said.out, "crossvit_tiny_240")[1:] == ["CrossViT", "3x240x240"]
    assert "fashion_vit" in said.out


def test_cuts_are_the_published_ones(command: Any) -> None:
    said = command("models", "cuts", NAME)
    stem = ["1", "stem", "tokens 196x128", "100,352", "50,176", "25,096", "12,552", "16.0%", "yes"]
    assert said.code == 0 and cells(said.out, "stem") == stem
    assert cells(said.out, "stage1.0")[-2:] == ["25.8%", ""]
    assert cells(said.out, "stage3.3")[2:4] == ["nothing", "0"]
    assert "150,528 B as uint8" in said.out


def test_cuts_at_another_size(command: Any) -> None:
    assert cells(command("models", "cuts", NAME, "--img-size", 64).out, "stem")[2:4] == ["tokens 16x128", "8,192"]


def test_cuts_shrink_where_tokens_are_merged(command: Any) -> None:
    out = command("models", "cuts", "deit_tiny_patch16_224+merge16").out
    assert cells(out, "block0")[2:4] == ["tokens 181x192, source 197", "139,205"]
    assert cells(out, "block10")[2:4] == ["tokens 21x192, source 197", "16,325"]
    assert cells(out, "block8")[-1] == "yes"
    assert "allowed: 0 to 98" in command("models", "cuts", "deit_tiny_patch16_224+merge99").err


def test_cuts_of_evo_vit_show_what_its_informative_tokens_weigh(command: Any) -> None:
    out = command("models", "cuts", "evo_deit_tiny").out
    assert "int8+informative, B" in out and "informative" not in command("models", "cuts", NAME).out
    assert cells(out, "block3")[7] == ""
    # Codes, with a scale and a zero point for each of three tensors; the order of 196 tokens as it is.
    assert cells(out, "block4")[7] == f"{99 * 192 + 192 + 196 + 3 * 8 + 196:,}"


def test_cuts_of_a_model_of_the_zoo(command: Any) -> None:
    assert cells(command("models", "cuts", "fashion_vit").out, "block0")[2:4] == ["tokens 50x96", "19,200"]
    said = command("models", "cuts", "fashion_vit", "--img-size", 64)
    assert said.code == 2 and "its image size is given" in said.err


def test_a_mistyped_name_is_one_of_the_zoo_too(command: Any) -> None:
    said = command("models", "cuts", "fashion_vitt")
    assert said.code == 2 and "close names: fashion_vit, " in said.err


def test_a_narrow_terminal_cuts_nothing(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = command("models", "cuts", "crossvit_9_240").out, command("models", "list").out
    monkeypatch.setenv("COLUMNS", "30")
    assert (command("models", "cuts", "crossvit_9_240").out, command("models", "list").out) == wide
    assert "…" not in "".join(wide) and cells(wide[0], "msblock2.fusion")[2] == "small 1x128, large 1x256"


def test_imported_weights_are_the_released_ones(command: Any, checkpoint: Path) -> None:
    said = command("models", "import", checkpoint, "--as", NAME)
    assert said.code == 0 and f"7,777,058 parameters, into {NAME}.safetensors" in said.out
    out, released = Path(f"{NAME}.safetensors"), torch.load(checkpoint, weights_only=True)["model"]
    ours = load_file(out)
    assert ours.keys() == create(NAME).state_dict().keys()
    assert all(torch.equal(ours[f"levit.{name}"], value) for name, value in released.items())
    with safe_open(out, "pt") as file:
        assert file.metadata() == {"model": NAME, "num_classes": "1000", "in_chans": "3", "input_size": "224x224"}
    model = create_model(TimmModel(source="timm", name=NAME, weights=out))
    assert torch.equal(model.state_dict()["backbone.levit.head.linear.bias"], released["head.linear.bias"])


def test_what_cannot_be_imported_is_refused_and_writes_nothing(command: Any, checkpoint: Path) -> None:
    released = torch.load(checkpoint, weights_only=True)["model"]
    torch.save({**released, "head.linear.bias": torch.full((1000,), torch.nan)}, "nan.pth")
    torch.save({name: value for name, value in released.items() if name != "head.linear.bias"}, "short.pth")
    Path("pickle.pth").write_bytes(pickle.dumps({"head.linear.bias": Path("x")}))
    before = {path.name for path in Path().iterdir()}
    for file, name, message in (
        ("nan.pth", NAME, "nan.pth: these weights hold NaN or infinity: levit.head.linear.bias"),
        ("short.pth", NAME, "short.pth: these weights are not this model's: levit.head.linear.bias is missing"),
        ("pickle.pth", NAME, "pickle.pth: refused"),
        ("gone.pth", NAME, "gone.pth: cannot be read: No such file"),
        ("released.pth", "vil_tiny", "released.pth: these weights are not this model's: "),
        ("released.pth", "levit_128z", "no model is called 'levit_128z', here or in timm; close names: levit_128"),
    ):
        said = command("models", "import", file, "--as", name)
        assert said.code == 2 and said.err.startswith(f"error: {message}") and said.err.count("\n") == 1
        assert {path.name for path in Path().iterdir()} == before
