"""``edgesim models eval`` reproduces the cards of the models that ship."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Command

from edgesim.models.zoo import model_card, zoo_names


@pytest.mark.parametrize("name", zoo_names())
def test_every_card_is_reproduced_on_the_images_that_ship(name: str, command: Command) -> None:
    said = command("models", "eval", name)
    assert said.code == 0
    assert said.out.count("yes") == len(model_card(name).exits) and name in said.out


def test_another_accuracy_than_the_cards_is_an_error(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    card = model_card("fashion_vit")
    off = card.shipped_scores[0] + 4 / 2000, *card.shipped_scores[1:]
    changed = card.model_copy(update={"shipped_scores": off})
    monkeypatch.setattr("edgesim.commands.evaluation.model_card", lambda name: changed)
    said = command("models", "eval", "fashion_vit")
    assert said.code == 1
    assert said.out.count("NO") == 1 and said.out.count("yes") == len(card.exits) - 1


def test_bad_input(command: Command, tmp_path: Path) -> None:
    said = command("models", "eval", "fashion_vitt")
    assert said.code == 2 and "did you mean 'fashion_vit'" in said.err
    said = command("models", "eval", "fashion_vit", "--data", tmp_path)
    assert said.code == 2 and "t10k-images-idx3-ubyte" in said.err
