"""Other people's outcomes: what is read, and each way in which a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.models.state import TensorSpec
from edgesim.outcomes.importing import import_outcomes, load_imported
from edgesim.outcomes.scores import score, softmax

BLOCKS, SAMPLES, CLASSES = np.array([2, 4]), 6, 3
CUTS = [(TensorSpec("image", (1, 4, 4)),), *[(TensorSpec("tokens", (5, 8)),)] * 3, ()]
LOGITS = np.random.default_rng(0).normal(size=(2, SAMPLES, CLASSES))
LABELS = np.array([0, 1, 2, 0, 1, 2])


def save(path: Path, **changes) -> Path:
    arrays = {"blocks": BLOCKS, "logits": LOGITS, "labels": LABELS, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return save(tmp_path / "theirs.npz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outcomes"


def test_logits_become_a_table(source: Path, folder: Path) -> None:
    table = import_outcomes(source, folder, "test")
    expected = score(softmax(LOGITS))
    outcomes = load_imported("theirs", folder, "test", [((2, "int8"),)][:0], CUTS)
    assert outcomes.exits == (2, 4)
    assert outcomes.label == "imported"
    for found in (table, outcomes.table(())):
        assert np.array_equal(found.prediction, expected.prediction)
        assert np.array_equal(found.margin, expected.margin)
        assert np.array_equal(found.correct, expected.prediction == LABELS)


def test_probabilities_give_the_same_table(tmp_path: Path, folder: Path, source: Path) -> None:
    other = save(tmp_path / "p.npz", logits=None, probabilities=softmax(LOGITS))
    one, two = import_outcomes(source, folder, "test"), import_outcomes(other, folder, "test")
    assert all(np.array_equal(one.arrays()[name], two.arrays()[name]) for name in one.arrays())


def test_predictions_alone_leave_other_scores_unknown(tmp_path: Path, folder: Path) -> None:
    found = score(softmax(LOGITS))
    file = save(tmp_path / "a.npz", logits=None, prediction=found.prediction, confidence=found.confidence)
    table = import_outcomes(file, folder, "validation")
    assert np.array_equal(table.correct, found.prediction == LABELS)
    assert np.isnan(table.entropy).all()
    file = save(
        tmp_path / "b.npz", logits=None, labels=None, prediction=found.prediction, confidence=found.confidence,
        correct=np.ones((2, SAMPLES), int), margin=found.margin,
    )  # fmt: skip
    table = import_outcomes(file, folder, "validation")
    assert table.correct.all()
    assert np.array_equal(table.margin, found.margin)


def csv_text(separator: str = "\n") -> list[str]:
    found = score(softmax(LOGITS))
    lines = ["blocks,sample,prediction,confidence,label,entropy"]
    for row, after in enumerate(BLOCKS):
        for sample in range(SAMPLES):
            at = (row, sample)
            lines.append(
                f"{after},{sample},{found.prediction[at]},{float(found.confidence[at])!r},{LABELS[sample]},"
                f"{float(found.entropy[at])!r}"
            )
    return lines


def test_csv_gives_the_same_answers_in_any_order_of_lines(tmp_path: Path, folder: Path, source: Path) -> None:
    expected = import_outcomes(source, folder, "test")
    header, *lines = csv_text()
    file = tmp_path / "theirs.csv"
    file.write_text("\n".join([header, *reversed(lines)]))
    found = import_outcomes(file, folder, "test")
    for name in ("prediction", "confidence", "entropy", "correct"):
        assert np.array_equal(found.arrays()[name], expected.arrays()[name])


def test_a_longer_path_has_the_exits_behind_its_cut(tmp_path: Path, folder: Path, source: Path) -> None:
    import_outcomes(source, folder, "test")
    sizes = np.arange(100, 100 + SAMPLES)
    later = save(tmp_path / "later.npz", blocks=BLOCKS[1:], logits=-LOGITS[1:], payload_bytes=sizes)
    import_outcomes(later, folder, "test", ((3, "int8+zlib"),))
    paths = [((3, "int8+zlib"),), ((3, "int8"),), ((2, "fp32"),), ((0, "raw"),)]
    outcomes = load_imported("theirs", folder, "test", paths, CUTS)
    assert outcomes.table(((3, "int8"),)).exits == (1,)
    assert outcomes.payload(paths[0]).tolist() == sizes.tolist()
    assert [outcomes.payload(path)[0] for path in paths[1:]] == [4 + 8 + 40, 4 + 160, 16]


def test_a_path_that_was_not_imported_is_refused(folder: Path, source: Path) -> None:
    import_outcomes(source, folder, "test")
    with pytest.raises(InputError, match="no test outcomes for path 3:int4"):
        load_imported("theirs", folder, "test", [((3, "int4"),)], CUTS)
    with pytest.raises(InputError, match=r"bytes of png vary by sample.*payload_bytes"):
        load_imported("theirs", folder, "test", [((0, "png"),)], CUTS)
    with pytest.raises(InputError, match=r"validation holds no imported outcomes"):
        load_imported("theirs", folder, "validation", [], CUTS)
    with pytest.raises(InputError, match="cut 4 is not within 0..3"):
        load_imported("theirs", folder, "test", [((4, "int8"),)], CUTS)


@pytest.mark.parametrize(
    "changes, what",
    [
        ({"blocks": None}, "blocks is missing; found: labels, logits"),
        ({"blocks": np.array([4, 2])}, r"blocks must be increasing.*\[4, 2\]"),
        ({"blocks": np.array([0, 2])}, "blocks must be increasing"),
        ({"blocks": np.array([1.5, 2])}, "blocks must be increasing"),
        ({"blocks": np.array(["a", "b"])}, "blocks must hold numbers"),
        ({"logits": LOGITS[0]}, r"logits must have shape \(2 exits, samples, classes\), found \(6, 3\)"),
        ({"logits": LOGITS[:1]}, "logits must have shape"),
        ({"logits": LOGITS * np.nan}, "logits must be finite"),
        ({"logits": LOGITS.astype(str)}, "logits must hold numbers"),
        ({"labels": None}, "labels is missing"),
        ({"labels": LABELS[:5]}, r"labels must have shape \(6,\), found \(5,\)"),
        ({"labels": LABELS + 1}, r"labels must be whole numbers within 0..2"),
        ({"labels": LABELS + 0.5}, "labels must be whole numbers"),
        ({"logits": None, "probabilities": LOGITS}, "probabilities must not be negative"),
        ({"logits": None, "probabilities": softmax(LOGITS) * 1.1}, "add up to 1"),
        ({"logits": None}, "prediction is missing"),
        ({"logits": None, "prediction": LABELS}, r"prediction must have shape \(2, 6\)"),
        ({"logits": None, "prediction": np.ones((2, 6)) / 2}, "prediction must hold classes"),
        ({"logits": None, "prediction": np.ones((2, 6), int)}, "confidence is missing"),
        ({"logits": None, "prediction": np.ones((2, 6), int), "confidence": np.full((2, 6), 1.5)}, "within 0..1"),
        (
            {
                "logits": None,
                "prediction": np.ones((2, 6)),
                "confidence": np.ones((2, 6)),
                "correct": np.full((2, 6), 2),
            },
            "correct must be 0 or 1",
        ),
        ({"payload_bytes": np.ones(4, int)}, "payload_bytes must have shape"),
        ({"payload_bytes": np.full(6, -1)}, "payload_bytes must be whole numbers"),
    ],
)
def test_wrong_arrays_are_named_and_nothing_is_written(changes: dict, what: str, tmp_path: Path, folder: Path) -> None:
    file = save(tmp_path / "theirs.npz", **changes)
    with pytest.raises(InputError, match=rf"theirs\.npz.*{what}"):
        import_outcomes(file, folder, "test")
    assert not folder.exists()


def edited(line: int, text: str) -> str:
    lines = csv_text()
    lines[line] = text
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text, what",
    [
        ("", "line 1: columns sample, blocks, prediction, confidence and one of correct, label are needed"),
        ("sample,blocks,prediction,confidence\n", "line 1: .*one of correct, label"),
        (edited(0, "blocks,sample,prediction,confidence,label,colour"), "line 1: unknown column 'colour'"),
        (edited(3, "2,2,one,0.5,2,0.1"), "line 4: prediction must be a number, found 'one'"),
        (edited(3, "2,2,1"), "line 4: confidence must be a number, found None"),
        (edited(3, csv_text()[2]), "line 4: sample and blocks come a second time"),
        ("\n".join(csv_text()[:-1]), "6 samples at 2 exits need a line each, found 11"),
        (edited(6, "2,9,1,0.5,2,0.1"), "sample must count"),
        ("\n".join(csv_text()[:1]), "sample must count"),
        (edited(3, "2,2,1,0.5,7,0.1"), "label must be the same"),
        (edited(3, "2,2,1,1.5,2,0.1"), "confidence must be within"),
        (edited(3, "2,2,inf,0.5,2,0.1"), "prediction must hold classes"),
    ],
)
def test_wrong_csv_lines_are_named(text: str, what: str, tmp_path: Path, folder: Path) -> None:
    file = tmp_path / "theirs.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=rf"theirs\.csv.*{what}"):
        import_outcomes(file, folder, "test")


def test_files_that_cannot_be_read_are_named(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "broken.npz").write_bytes(b"PK nonsense")
    np.save(tmp_path / "single.npy", LABELS)
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    for name, what in [
        ("broken.npz", "not a readable npz"),
        ("single.npz", "one array without a name"),
        ("gone.npz", "not a readable npz"),
        ("gone.csv", "not a readable CSV"),
        ("theirs.txt", "read from .npz or .csv"),
    ]:
        with pytest.raises(InputError, match=rf"{name}: .*{what}"):
            import_outcomes(tmp_path / name, folder, "test")


def test_what_does_not_fit_the_folder_is_refused(tmp_path: Path, folder: Path, source: Path) -> None:
    with pytest.raises(InputError, match="'train'"):
        import_outcomes(source, folder, "train")
    with pytest.raises(InputError, match="import the local path first"):
        import_outcomes(source, folder, "test", ((1, "int8"),))
    import_outcomes(source, folder, "test")
    with pytest.raises(InputError, match=r"exits after \(4,\) blocks answer along 3:int8, found \(2, 4\)"):
        import_outcomes(source, folder, "test", ((3, "int8"),))
    fewer = save(tmp_path / "few.npz", logits=LOGITS[:, :4], labels=LABELS[:4])
    with pytest.raises(InputError, match="it has 4 samples, .* has 6"):
        import_outcomes(fewer, folder, "test", ((1, "int8"),))


def test_a_damaged_folder_is_named(folder: Path, source: Path) -> None:
    import_outcomes(source, folder, "test")
    file = folder / "test" / "local.npz"
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"local\.npz is corrupt"):
        load_imported("theirs", folder, "test", [], CUTS)
