"""Tables and what is asked of them."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.outcomes.table import Outcomes, OutcomeTable, arrays_of, table_of


def a_table(exits: tuple[int, ...] = (1, 2), samples: int = 3, **changes) -> OutcomeTable:
    values = np.arange(len(exits) * samples).reshape(len(exits), samples)
    arrays = {
        "prediction": values.astype(np.int32),
        "confidence": (values / 10).astype(np.float32),
        "entropy": (values / 5).astype(np.float32),
        "margin": (values / 20).astype(np.float32),
        "correct": values % 2 == 0,
    }
    return OutcomeTable(exits, **{**arrays, **changes})


def some_outcomes(**changes) -> Outcomes:
    base = {
        "model": "m",
        "split": "test",
        "label": "executed",
        "exits": (1, 2, 4),
        "tables": {(): a_table((0, 1, 2)), ((2, "int8"),): a_table()},
        "payloads": {((2, "int8"),): np.array([5, 5, 5]), ((2, "fp32"),): np.array([9, 9, 9])},
    }
    return Outcomes(**{**base, **changes})


def test_scores_are_found_by_exit_not_by_row() -> None:
    found = a_table().scores(2, 1)
    assert found[:5] == (4.0, pytest.approx(0.4), pytest.approx(0.8), pytest.approx(0.2), True)
    assert [type(value) for value in found] == [float, float, float, float, bool, float]
    assert np.isnan(found.error)
    assert a_table(error=np.full((2, 3), 0.25)).scores(2, 1).error == 0.25


def test_an_exit_before_the_cut_is_not_there() -> None:
    with pytest.raises(KeyError):
        a_table().scores(0, 1)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="margin has shape"):
        a_table(margin=np.zeros((2, 4), np.float32))


def test_arrays_and_back() -> None:
    for table in (a_table(), a_table(error=np.ones((2, 3)))):
        back = table_of(arrays_of(table))
        assert back.exits == table.exits
        assert back.is_regression == table.is_regression
        assert all(np.array_equal(back.arrays()[name], array) for name, array in table.arrays().items())


def test_lossless_paths_find_the_table_they_share() -> None:
    outcomes = some_outcomes()
    assert outcomes.table(((0, "png"), (3, "fp32"))) is outcomes.tables[()]
    assert outcomes.table(((2, "int8+zlib"),)) is outcomes.tables[((2, "int8"),)]
    assert outcomes.payload(((2, "fp32"),)).tolist() == [9, 9, 9]
    assert (outcomes.num_blocks, outcomes.samples) == (4, 3)


def test_a_path_that_was_not_executed_is_named() -> None:
    with pytest.raises(InputError, match=r"'m' has no test outcomes for path 3:int4; known paths: local; 2:int8"):
        some_outcomes().table(((3, "int4"),))
    with pytest.raises(InputError, match="no test payload bytes for path 2:int8"):
        some_outcomes().payload(((2, "int8+zlib"),))


def test_the_hash_sees_every_answer_and_no_order() -> None:
    base = some_outcomes()
    turned = some_outcomes(tables=dict(reversed(base.tables.items())), payloads=dict(reversed(base.payloads.items())))
    assert turned.hash == base.hash
    changed = a_table(correct=np.zeros((2, 3), bool))
    others = [
        some_outcomes(tables={**base.tables, ((2, "int8"),): changed}),
        some_outcomes(payloads={**base.payloads, ((2, "fp32"),): np.array([9, 9, 8])}),
        some_outcomes(label="synthetic"),
    ]
    assert len({each.hash for each in [base, *others]}) == 4
