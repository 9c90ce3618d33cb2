"""``edgesim models eval``."""

from __future__ import annotations

from pathlib import Path

import typer
from rich import box
from rich.table import Table

from edgesim.commands.console import output
from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.evaluation import outputs, scores
from edgesim.models.shipped_data import shipped_test, whole_test
from edgesim.models.zoo import ModelCard, load, model_card

MOST_APART = 2
"""Images by which an accuracy may differ from the card's, as processors round differently."""
MOST_ERROR = 1e-3
"""What a mean absolute error may differ by."""


def eval_command(name: str, folder: Path | None) -> None:
    """Run the model on the test images and print its scores beside its card's; exit code 1 where they differ."""
    card = model_card(name)
    data = shipped_test(card.data) if folder is None else whole_test(card.data, folder)
    if data is None:
        raise InputError(f"{name}: no test images of {card.data} ship with edgesim")
    expected = card.shipped_scores if folder is None else card.scores
    answers = outputs(load(name), data.images, Preprocess(card.mean, card.std, card.input_size))
    found = [score.value for score in scores(answers, data)]
    agree = [_agree(card, one, other, len(data)) for one, other in zip(found, expected, strict=True)]
    output().print(_table(card, data, found, expected, agree))
    if not all(agree):
        raise typer.Exit(1)


def _agree(card: ModelCard, found: float, expected: float, images: int) -> bool:
    most = MOST_ERROR if card.task == "regression" else (MOST_APART + 0.5) / images
    return abs(found - expected) <= most


def _table(card: ModelCard, data: Dataset, found: list[float], expected: tuple[float, ...], agree: list[bool]) -> Table:
    counting = card.task == "regression"
    what = "mean absolute error" if counting else "accuracy"
    form = "{:.4f}" if counting else "{:.2%}"
    table = Table(title=f"{card.name}: {what} on {len(data):,} images of {data.name}", box=box.SIMPLE_HEAD)
    for heading in ("exit", "blocks", "MMACs", "found", "card", "agree"):
        table.add_column(heading, justify="right")
    for exit, (one, other) in enumerate(zip(found, expected, strict=True)):
        work = f"{card.macs[exit] / 1e6:.2f}"
        verdict = "yes" if agree[exit] else "[bold red]NO[/bold red]"
        table.add_row(str(exit), str(card.exits[exit]), work, form.format(one), form.format(other), verdict)
    return table
