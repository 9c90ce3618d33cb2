"""``edgesim profile`` and ``edgesim train``: what they refuse.  Measuring and training have tests of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fashion_vit",), "name the file to write with -o FILE"),
        (("fashion_vit", "-o", "{folder}/gone/p.json"), "gone is no folder"),
        (("-o", "{folder}/p.json"), "name a model"),
        (("--import", "{folder}/gone.json", "-o", "{folder}/p.json"), "gone.json"),
        (("--import", "{folder}/broken.json", "-o", "{folder}/p.json"), "broken.json"),
        (("no_such_model", "-o", "{folder}/p.json"), "no_such_model"),
        (("no_such_model", "--script", "-o", "{folder}/p.py"), "no_such_model"),
    ],
)
def test_profile_refuses(command, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "broken.json").write_text("{")
    said = command("profile", *(each.format(folder=tmp_path) for each in arguments))
    assert said.code == 2 and said.err.count("error: ") == 1 and words in said.err and "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["broken.json"]


def test_train_refuses(command, tmp_path: Path) -> None:
    said = command("train", tmp_path / "gone.yaml")
    assert said.code == 2 and "error: " in said.err and "gone.yaml" in said.err
    (tmp_path / "config.yaml").write_text("name: mine\nepochs: 3\n")
    said = command("train", tmp_path / "config.yaml")
    assert said.code == 2 and "config.yaml" in said.err and "Traceback" not in said.err
