"""The reliability of the exits whose answers a run draws, for its picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgesim.models.reliability import reliability
from edgesim.outcomes.table import Outcomes


def exit_reliability(outcomes: Mapping[str, Outcomes]) -> list[dict[str, Any]]:
    """Accuracy against confidence of every exit of every classifier, over all samples, where nothing was sent.

    outcomes: by model.  Ready for JSON: ``model``, ``exit``, ``outcomes`` (their label), ``samples``, ``ece``, and of
    each bin that is not empty ``counts``, ``confidences``, ``accuracies``.  Models that estimate numbers have none.
    """
    found = []
    for model, of_model in outcomes.items():
        table = of_model.table(())
        if table.is_regression:
            continue
        for row, exit in enumerate(table.exits):
            bins = reliability(table.confidence[row], table.correct[row])
            columns = {name: values.tolist() for name, values in bins._asdict().items()}
            about = {"model": model, "exit": exit, "outcomes": of_model.label, "samples": table.samples}
            found.append({**about, "ece": bins.calibration_error, **columns})
    return found
