"""What a run writes of its exits' confidence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgesim.outcomes.reliability import exit_reliability
from edgesim.outcomes.synthetic import synthetic_outcomes
from edgesim.outcomes.table import Outcomes

INT8 = ((1, "int8"),)


def outcomes() -> Outcomes:
    return synthetic_outcomes("toy", (1, 2, 3), (0.6, 0.75, 0.9), 0.7, 4000, (4000, 3000, 1500), [INT8], 1, "test")


def test_every_exit_is_there_and_synthetic_ones_are_calibrated() -> None:
    found = exit_reliability({"toy": outcomes(), "other": outcomes()})
    assert [(each["model"], each["exit"]) for each in found] == [(name, row) for name in ("toy", "other")
                                                                for row in range(3)]  # fmt: skip
    for each in found:
        assert each["outcomes"] == "synthetic" and each["samples"] == sum(each["counts"]) == 4000
        assert each["ece"] < 0.03
        right = np.dot(each["counts"], each["accuracies"]) / 4000
        assert right == pytest.approx(outcomes().table(()).correct[each["exit"]].mean())
    assert json.loads(json.dumps(found)) == found


def test_it_is_of_answers_where_nothing_was_sent() -> None:
    one = outcomes()
    wrong = replace(one.table(INT8), correct=np.zeros_like(one.table(INT8).correct))
    assert exit_reliability({"toy": replace(one, tables={**one.tables, INT8: wrong})}) == exit_reliability({"toy": one})


def test_numbers_have_no_confidence() -> None:
    one = outcomes()
    counting = {path: replace(table, error=np.zeros(table.correct.shape)) for path, table in one.tables.items()}
    assert exit_reliability({"counter": replace(one, tables=counting)}) == []
