"""A run whose cached outcomes are damaged: it says so, executes the model again, and finds the same."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import edgesim.outcomes.obtain as obtaining
import edgesim.studies.load as loading
from edgesim.data.fashion_mnist import MEAN, STD, shipped_split
from edgesim.data.images import Preprocess
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit
from edgesim.profiling.profile import shipped_profile, shipped_profiles

NAME = "fashion_vit"


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the place of the zoo's model: a tiny one with as many blocks and exits, on a few images."""
    import torch

    from edgesim.models.backbones.vit import small_vit

    exits = shipped_profile(NAME).model.exits
    torch.manual_seed(1)
    backbone = small_vit(28, 1, 10, width=16, depth=exits[-1] - 1, heads=2, stem_channels=(4, 8))
    model = MultiExit(backbone, {after: MLPBranch(16, 10) for after in exits[:-1]}).eval()
    monkeypatch.setenv("EDGESIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "model_card", lambda name: SimpleNamespace(exits=exits))
    monkeypatch.setattr(obtaining, "load_data", lambda data, split: shipped_split(split).take(slice(40)))
    monkeypatch.setattr(obtaining, "weights_digest", lambda model: "untrained")
    monkeypatch.setattr(obtaining, "_preprocessing_key", lambda model: "as usual")
    monkeypatch.setattr("edgesim.models.build.create_model", lambda *_: model)
    monkeypatch.setattr("edgesim.models.build.preprocessing", lambda *_: Preprocess((MEAN,), (STD,), (1, 28, 28)))


@pytest.mark.skipif(NAME not in shipped_profiles(), reason=f"no profile of {NAME} ships")
def test_it_is_made_again(bench, untrained: None, tmp_path: Path) -> None:
    text = bench.path.read_text()
    model = f"  toy: {{source: zoo, name: {NAME}}}\n"
    text = text[: text.index("  toy:\n")] + model + text[text.index("devices:") :]
    bench.path.write_text(text.replace("data: {source: none}", "data: {source: shipped}"))
    options = ("--policy", "split", "--replications", 1)
    assert bench.run(*options).code == 0
    (folder,) = bench.out.iterdir()
    before = pd.read_parquet(folder / "requests.parquet")
    files = sorted((tmp_path / "cache").rglob("*.npz"))
    kept = [file.read_bytes() for file in files]
    for number, file in enumerate(files):
        file.write_bytes([b"", b"no zip", kept[number][:-40]][number % 3])
    with pytest.warns(UserWarning, match=r"is corrupt.*; it is made again"):
        assert bench.run(*options, "--force").code == 0
    assert pd.read_parquet(folder / "requests.parquet").equals(before)
    assert [file.stat().st_size > 100 for file in files] == [True] * len(files)
