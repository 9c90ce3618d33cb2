"""The Parquet files of a run folder, read column by column when a column is first asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgesim.errors import InputError
from edgesim.results.columns import TABLES

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


class Names(NamedTuple):
    """A column of names: ``words[codes[row]]`` is the name in a row."""

    codes: np.ndarray
    words: tuple[str, ...]


class Table:
    """One Parquet file; columns are arrays, names are codes into their words."""

    def __init__(self, path: Path):
        self.path = path
        self._columns: dict[str, np.ndarray] = {}
        self._names: dict[str, Names] = {}

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def column(self, name: str) -> np.ndarray:
        """A numeric or boolean column, shape (rows,)."""
        if name not in self._columns:
            self._columns[name] = _array(self._read(name).combine_chunks())
        return self._columns[name]

    def names(self, name: str) -> Names:
        """A column of names, as codes of shape (rows,) and words."""
        if name not in self._names:
            import pyarrow as pa

            column = self._read(name)
            if not pa.types.is_dictionary(column.type):
                column = column.dictionary_encode()
            whole = column.unify_dictionaries().combine_chunks()
            self._names[name] = Names(_array(whole.indices), tuple(whole.dictionary.to_pylist()))
        return self._names[name]

    @cached_property
    def _file(self) -> pq.ParquetFile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.path)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{self.path}: cannot be read as a table of a run: {error}") from error

    def _read(self, name: str) -> pa.ChunkedArray:
        if name not in self._file.schema_arrow.names:
            raise InputError(f"{self.path}: the column {name!r} is missing")
        column = self._file.read(columns=[name]).column(0)
        if column.null_count:
            raise InputError(f"{self.path}: the column {name!r} has {column.null_count} empty values")
        return column


def _array(column: pa.Array) -> np.ndarray:
    """A column without empty values; through DLPack, because Arrow's own way imports pandas where it can."""
    import pyarrow as pa

    if pa.types.is_boolean(column.type):
        return np.from_dlpack(column.cast(pa.uint8())).view(bool)
    return np.from_dlpack(column)


class Tables:
    """The four tables of a run folder.  Raises InputError, when first read, where a file is missing or broken."""

    def __init__(self, folder: Path):
        self.requests, self.answers, self.links, self.nodes = (Table(folder / f"{stem}.parquet") for stem in TABLES)
