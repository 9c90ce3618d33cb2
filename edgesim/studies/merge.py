"""Putting the tables of many cells into one file each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from edgesim.results.columns import TABLES, arrow_schema

ROW_GROUP = 65_536


def merge_tables(parts: Sequence[Path], folder: Path) -> None:
    """Concatenate each table of ``parts`` (folders of cells, in order) into ``folder``, a row group at a time."""
    for stem, columns in TABLES.items():
        with pq.ParquetWriter(folder / f"{stem}.parquet", arrow_schema(columns), compression="zstd") as writer:
            waiting: list[pa.Table] = []
            rows = 0
            for part in parts:
                file = pq.ParquetFile(part / f"{stem}.parquet")
                for group in range(file.num_row_groups):
                    waiting.append(file.read_row_group(group))
                    rows += len(waiting[-1])
                    if rows >= ROW_GROUP:
                        writer.write_table(pa.concat_tables(waiting).unify_dictionaries())
                        waiting, rows = [], 0
            if waiting:
                writer.write_table(pa.concat_tables(waiting).unify_dictionaries())
