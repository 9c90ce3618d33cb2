"""What is committed stays, whole; what is not, was never there."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest

from edgesim.errors import InputError
from edgesim.studies.design import Cell
from edgesim.studies.ledger import Counts, Ledger, Measured

CELLS = [Cell(0, {"a": 1}, {"x.a": 1}), Cell(1, {"a": 2}, {"x.a": 2})]


@pytest.fixture
def ledger(tmp_path: Path):
    with Ledger.create(tmp_path / "ledger.sqlite", {"study": {"study": "s"}}, CELLS) as made:
        yield made


def test_it_gives_back_what_it_was_given(ledger: Ledger):
    values = {("p", None, "latency_mean_s"): 0.1, ("p", 50.0, "on_time_accuracy"): nan}
    ledger.commit(1, 4, Measured(values, "digest", ("slow",), 2.5, "host/1"))
    ((cell, numbers, quantities, array),) = ledger.measured()
    assert (cell, numbers, quantities) == (1, [4], list(values))
    assert array[0, 0] == 0.1 and isnan(array[0, 1])
    assert list(ledger.cells()) == CELLS
    assert ledger.about()["study"] == {"study": "s"}
    assert ledger.finished() == {1: [4]} and ledger.inputs(1) == "digest" and ledger.inputs(0) is None
    assert ledger.notes() == {(1, "slow"): 1} and ledger.seconds() == 2.5
    assert ledger.counts() == Counts(cells=2, finished=1, failed=0)


def test_replications_that_measured_other_things_stand_in_one_array(ledger: Ledger):
    ledger.commit(0, 0, Measured({("p", None, "latency"): 1.0, ("p", None, "exit:m/0"): 0.25}))
    ledger.commit(0, 1, Measured({("p", None, "exit:m/1"): 0.5, ("p", None, "latency"): 2.0}))
    ledger.commit(0, 2, Measured({("q", None, "latency"): 3.0}))
    ((_, numbers, quantities, array),) = ledger.measured(0)
    column = {quantity: array[:, place].tolist() for place, quantity in enumerate(quantities)}
    assert numbers == [0, 1, 2]
    assert column["p", None, "latency"][:2] == [1.0, 2.0] and isnan(column["p", None, "latency"][2])
    assert column["p", None, "exit:m/0"] == [0.25, 0.0, 0.0], "a share that does not occur is 0"
    assert column["p", None, "exit:m/1"] == [0.0, 0.5, 0.0]


def test_what_breaks_in_the_middle_of_a_commit_leaves_nothing(ledger: Ledger):
    ledger.commit(0, 0, Measured({("p", None, "a"): 1.0}))
    with pytest.raises(InputError, match="ledger cannot be used"):
        ledger.commit(0, 0, Measured({("p", None, "new"): 1.0}, "other"))  # is there already
    assert ledger.inputs(0) == "" and ledger.counts().finished == 1
    ledger.commit(0, 1, Measured({("p", None, "new"): 2.0}))
    assert [len(values) for _, _, _, values in ledger.measured()] == [2]


def test_a_failure_is_kept_until_the_replication_succeeds(ledger: Ledger):
    ledger.fail(1, 0, "broken")
    ledger.fail(1, 0, "broken again")
    assert ledger.failures() == [(1, 0, "broken again")]
    ledger.commit(1, 0, Measured({("p", None, "a"): 1.0}))
    assert ledger.failures() == []


def test_another_process_reads_what_is_committed_while_it_goes_on(ledger: Ledger):
    ledger.commit(0, 0, Measured({("p", None, "a"): 1.0}))
    with Ledger(ledger.path) as reader:
        assert reader.counts().finished == 1
        ledger.commit(0, 1, Measured({("p", None, "a"): 1.0}))
        assert reader.counts().finished == 2


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path):
    (tmp_path / "ledger.sqlite").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(InputError, match="ledger cannot be used"):
        Ledger(tmp_path / "ledger.sqlite")
