"""Other people's outcomes: a folder of tables made from their files, and read where a scenario names it.

The forms of the files are described in :mod:`edgesim.outcomes.foreign`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath
from typing import NamedTuple

import numpy as np

from edgesim.codecs.names import payload_bytes
from edgesim.errors import InputError
from edgesim.models.state import TensorSpec
from edgesim.outcomes.files import read_arrays, write_arrays
from edgesim.outcomes.foreign import read_foreign
from edgesim.outcomes.path import Path, canonical, check_path, format_path, parse_path, with_prefixes
from edgesim.outcomes.table import Outcomes, OutcomeTable, arrays_of, table_of

FORMAT = 1
SPLITS = ("validation", "test")


class Imported(NamedTuple):
    """One file of the folder.  blocks: before each of the table's exits."""

    path: Path
    blocks: tuple[int, ...]
    table: OutcomeTable
    payload: np.ndarray | None


def import_outcomes(source: FilePath, folder: FilePath, split: str, path: Path = ()) -> OutcomeTable:
    """Add the answers in ``source`` (.npz or .csv, see above) to ``folder``, which is made where it is missing.

    split: ``validation`` or ``test``.  Raises InputError naming the file and what is wrong with it.
    """
    if split not in SPLITS:
        raise InputError(f"outcomes belong to a split of {' or '.join(SPLITS)}, found {split!r}")
    foreign = read_foreign(source)
    blocks = foreign.blocks
    known = read_folder(folder, split)
    model_blocks = _local(known, source, path, blocks)
    check_path(path, model_blocks[-1])
    behind = tuple(after for after in model_blocks if not path or after >= path[-1][0])
    if blocks != behind:
        raise InputError(
            f"{source}: blocks: exits after {behind} blocks answer along {format_path(path)}, found {blocks}"
        )
    first = model_blocks.index(blocks[0])
    exits = tuple(range(first, first + len(blocks)))
    table = OutcomeTable(exits, *foreign.scores, correct=foreign.correct)
    if any(other.table.samples != table.samples for other in known if other.path != path):
        raise InputError(f"{source}: it has {table.samples} samples, {folder} has {known[0].table.samples}")
    kept = arrays_of(table)
    if foreign.payload is not None:
        kept["payload_bytes"] = foreign.payload
    note = {"format": FORMAT, "path": format_path(path), "split": split, "blocks": list(blocks), "source": source.name}
    write_arrays(_file(folder, split, path), kept, note)
    return table


def read_folder(folder: FilePath, split: str) -> list[Imported]:
    """Everything imported for a split, the local path first; InputError for a damaged file."""
    found = []
    for file in sorted((folder / split).glob("*.npz")):
        arrays, note = read_arrays(file)
        if note.get("format") != FORMAT or note.get("split") != split:
            raise InputError(f"{file} is not a file of imported {split} outcomes of format {FORMAT}")
        payload = arrays.pop("payload_bytes", None)
        found.append(Imported(parse_path(note["path"]), tuple(note["blocks"]), table_of(arrays), payload))
    return sorted(found, key=lambda each: each.path)


def load_imported(
    model: str,
    folder: FilePath,
    split: str,
    paths: Iterable[Path],
    cuts: Sequence[Sequence[TensorSpec]],
) -> Outcomes:
    """The imported outcomes along ``paths``; payloads that were not imported follow from ``cuts`` (tensors by cut).

    Raises InputError where a path was not imported, or its payload bytes are neither given nor of fixed size.
    """
    known = read_folder(folder, split)
    local = next((each for each in known if not each.path), None)
    if local is None:
        raise InputError(f"{folder / split} holds no imported outcomes of the local path")
    given = {each.path: each.payload for each in known if each.payload is not None}
    tables = {canonical(each.path): each.table for each in known}
    payloads = {}
    for path in with_prefixes(paths):
        check_path(path, local.blocks[-1])
        if path:
            payloads[path] = given[path] if path in given else _fixed_size(folder, path, cuts, local.table.samples)
    outcomes = Outcomes(model, split, "imported", local.blocks, tables, payloads)
    for path in payloads:
        outcomes.table(path)
    return outcomes


def _fixed_size(folder: FilePath, path: Path, cuts: Sequence[Sequence[TensorSpec]], samples: int) -> np.ndarray:
    cut, codec = path[-1]
    size = payload_bytes(codec, cuts[cut])
    if size is None:
        raise InputError(
            f"{folder}: the bytes of {codec} vary by sample: import path {format_path(path)} with payload_bytes"
        )
    return np.full(samples, size)


def _file(folder: FilePath, split: str, path: Path) -> FilePath:
    return folder / split / f"{format_path(path).replace(':', '-').replace(',', '_')}.npz"


def _local(known: Sequence[Imported], source: FilePath, path: Path, blocks: tuple[int, ...]) -> tuple[int, ...]:
    """Blocks before each exit of the model."""
    if not path:
        return blocks
    if not known or known[0].path:
        raise InputError(f"{source}: import the local path first: it says which exits the model has")
    return known[0].blocks
