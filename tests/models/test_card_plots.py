"""The pictures of a model's card can be read."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.figure import Figure

from edgesim.models import card_plots
from edgesim.models.evaluation import Score


@pytest.mark.parametrize(
    "work",
    [
        [10e6, 20e6, 30e6],
        [16.7e6, 22.7e6, 28.7e6, 34.7e6, 40.74e6, 40.74e6],  # two exits cost the same
        [5.97e6, 5.82e6, 9.23e6, 13.24e6, 16.95e6],  # a later exit costs less
        [5.33e6, 7.56e6, 11.79e6, 12.86e6, 15.05e6],
        [4e6],
    ],
)
def test_names_of_exits_do_not_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: list[float]) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(card_plots, "_save", lambda figure, path: drawn.append(figure))
    card: Any = SimpleNamespace(task="classification", macs=work)
    scores = [Score(0.9 + number / 500, 0.895 + number / 500, 0.905 + number / 500) for number in range(len(work))]
    card_plots.draw_scores(tmp_path, "toy", card, scores)
    (figure,) = drawn
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    assert [text.get_text().split("\n")[0] for text in texts] == [f"exit {number}" for number in range(len(work))]
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(figure.axes[0].bbox.contains(box.x0, box.y0) and figure.axes[0].bbox.contains(box.x1, box.y1)
               for box in boxes)  # fmt: skip
