"""The cache: hits without execution, misses, corruption, and what makes a file another file."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgesim
from edgesim.data.dataset import Dataset
from edgesim.data.images import Preprocess
from edgesim.errors import InputError
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.cache import Origin, OutcomeCache, cache_folder, code_hash
from edgesim.outcomes.execute import Executed, execute
from edgesim.outcomes.files import CorruptFile, read_arrays, write_arrays
from edgesim.outcomes.table import Outcomes

PATHS = [((2, "int8+zlib"),), ((0, "png"), (3, "fp16"))]


class Executor:
    """Executes, and remembers what it was asked for."""

    def __init__(self, model: MultiExit, images: Dataset, preprocess: Preprocess) -> None:
        self.model, self.images, self.preprocess = model, images.take(slice(6)), preprocess
        self.asked: list[list] = []

    def __call__(self, paths: list) -> Executed:
        self.asked.append(paths)
        return execute(self.model, self.images, self.preprocess, paths)


@pytest.fixture
def executor(small_model: MultiExit, images: Dataset, preprocess: Preprocess) -> Executor:
    return Executor(small_model, images, preprocess)


@pytest.fixture
def origin(small_model: MultiExit) -> Origin:
    return Origin("small", small_model.exits, "weights", "data", "test", "preprocess")


def ask(origin: Origin, folder: Path, executor: Executor, paths=PATHS, code: str | None = None) -> Outcomes:
    return OutcomeCache(origin, folder, code).outcomes(paths, executor)


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npz"))


def test_the_second_time_nothing_is_executed(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    first = ask(origin, tmp_path, executor)
    second = ask(origin, tmp_path, executor)
    assert len(executor.asked) == 1
    assert first.hash == second.hash
    assert second.label == "executed"
    assert second.table(PATHS[0]).prediction.dtype == np.int32
    assert set(second.payloads) == {PATHS[0], ((0, "png"),), PATHS[1]}
    assert not list(tmp_path.rglob("*.partial"))


def test_only_new_paths_are_executed(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    ask(origin, tmp_path, executor)
    ask(origin, tmp_path, executor, [*PATHS, ((2, "int8"),), ((1, "int4"),)])
    assert executor.asked[1] == [((2, "int8"),), ((1, "int4"),)]


@pytest.mark.parametrize("key", ["weights", "data", "split", "preprocessing", "exits"])
def test_whatever_the_answers_depend_on_is_part_of_the_key(
    key: str, origin: Origin, tmp_path: Path, executor: Executor
) -> None:
    ask(origin, tmp_path, executor)
    other = replace(origin, **{key: (1, 4) if key == "exits" else "validation"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(other, tmp_path, executor)
        ask(origin, tmp_path, executor)
    assert len(executor.asked) == 2


def test_the_model_s_name_is_not(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    ask(origin, tmp_path, executor)
    assert ask(replace(origin, name="other"), tmp_path, executor).model == "other"
    assert len(executor.asked) == 1


def test_other_code_executes_anew(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    ask(origin, tmp_path, executor, code="one")
    ask(origin, tmp_path, executor, code="two")
    assert len(executor.asked) == 2


def test_the_code_hash_sees_the_modules_that_matter_and_no_others(tmp_path: Path) -> None:
    package = tmp_path / "edgesim"
    shutil.copytree(Path(edgesim.__file__).parent, package, ignore=shutil.ignore_patterns("*.npz", "__pycache__"))
    before = code_hash.__wrapped__(package)
    assert before == code_hash()
    with (package / "outcomes" / "table.py").open("a") as file:
        file.write("# harmless\n")
    assert code_hash.__wrapped__(package) == before
    seen = {before}
    for module in ("codecs/tensors.py", "data/images.py", "models/backbones/vit.py", "outcomes/execute.py"):
        with (package / module).open("a") as file:
            file.write("# changed\n")
        seen.add(code_hash.__wrapped__(package))
    assert len(seen) == 5


def test_a_corrupt_file_is_warned_of_and_made_again(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    whole = ask(origin, tmp_path, executor).hash
    for file in files_of(tmp_path):
        file.write_bytes(file.read_bytes()[:-20])
        with pytest.warns(UserWarning, match=f"{file.name} is corrupt.*made again"):
            assert ask(origin, tmp_path, executor).hash == whole
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask(origin, tmp_path, executor).hash == whole


def test_a_file_in_another_s_place_is_noticed(origin: Origin, tmp_path: Path, executor: Executor) -> None:
    cache = OutcomeCache(origin, tmp_path)
    cache.outcomes(PATHS, executor)
    shutil.copy(cache.file("table", ()), cache.file("table", ((2, "int8"),)))
    with pytest.warns(UserWarning, match="holds another table"):
        ask(origin, tmp_path, executor)


def test_a_cache_that_cannot_be_written_is_said_before_executing(
    origin: Origin, tmp_path: Path, executor: Executor
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="set EDGESIM_CACHE"):
        ask(origin, tmp_path / "file", executor)
    assert not executor.asked


def test_an_interrupted_execution_keeps_nothing(origin: Origin, tmp_path: Path) -> None:
    def interrupted(paths: list) -> Executed:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OutcomeCache(origin, tmp_path).outcomes(PATHS, interrupted)
    assert not files_of(tmp_path)


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGESIM_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EDGESIM_CACHE")
    assert "edgesim" in str(cache_folder())


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    arrays, note = {"numbers": np.arange(40).reshape(4, 10), "right": np.ones(7, bool)}, {"path": "local"}
    file = tmp_path / "a.npz"
    write_arrays(file, arrays, note)
    whole = file.read_bytes()
    refused = 0
    for position in range(len(whole)):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            found, also = read_arrays(file)
        except CorruptFile:
            refused += 1
            continue
        assert also == note
        assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    assert refused > len(whole) / 2
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with pytest.raises(CorruptFile, match="a.npz is corrupt"):
            read_arrays(file)
