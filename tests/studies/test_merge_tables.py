"""Merging the tables of parts: every row, in order, whatever the dictionaries and row groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgesim.results.columns import BOOL, FLOAT64, INT32, INT64, NAME, TABLES, arrow_schema
from edgesim.studies import merge
from edgesim.studies.merge import merge_tables


def table(name: str, rows: int, seed: int) -> pa.Table:
    """Random rows; names come from a dictionary of the part's own."""
    rng = np.random.default_rng(seed)
    words = [f"word {seed} {number}" for number in range(3)] + ["shared"]
    make = {
        INT32: lambda: pa.array(rng.integers(0, 99, rows), pa.int32()),
        INT64: lambda: pa.array(rng.integers(0, 99, rows)),
        FLOAT64: lambda: pa.array(np.where(rng.random(rows) < 0.2, np.nan, rng.random(rows))),
        BOOL: lambda: pa.array(rng.random(rows) < 0.5),
        NAME: lambda: pa.array([words[i] for i in rng.integers(0, 4, rows)], pa.string()).dictionary_encode(),
    }
    columns = TABLES[name]
    return pa.table([make[column.kind]() for column in columns], schema=arrow_schema(columns))


def parts(folder: Path, sizes: list[int]) -> list[Path]:
    made = []
    for number, rows in enumerate(sizes):
        part = folder / f"part {number}"
        part.mkdir()
        for name in TABLES:
            pq.write_table(table(name, rows, number), part / f"{name}.parquet", row_group_size=70)
        made.append(part)
    return made


@pytest.mark.parametrize("sizes", [[5], [300, 0, 1, 200], [0, 0], [64, 64, 64]])
@pytest.mark.parametrize("row_group", [50, 65_536])
def test_every_row_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], row_group: int) -> None:
    monkeypatch.setattr(merge, "ROW_GROUP", row_group)
    merge_tables(parts(tmp_path, sizes), tmp_path)
    for name, columns in TABLES.items():
        found = pq.read_table(tmp_path / f"{name}.parquet")
        assert found.schema == arrow_schema(columns)
        expected = [table(name, rows, number).to_pandas() for number, rows in enumerate(sizes)]
        for column in columns:
            values = found.column(column.name).to_pandas().tolist()
            wanted = [value for part in expected for value in part[column.name].tolist()]
            np.testing.assert_array_equal(np.array(values), np.array(wanted))
    file = pq.ParquetFile(tmp_path / "requests.parquet")
    groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert sum(groups) == sum(sizes) and (all(groups) or not sum(sizes))
    assert all(rows >= row_group for rows in groups[:-1]), "small groups of many parts are joined"
