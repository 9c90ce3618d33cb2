from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from synthetic_run import requests_of, scenario, write_run, write_table

from edgesim.errors import InputError
from edgesim.results.cells import Cell, Cells, recode
from edgesim.results.columns import TABLES, arrow_schema
from edgesim.results.tables import Names, Table, Tables


def test_columns_are_read_over_row_groups_with_dictionaries_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "nodes.parquet"
    schema = arrow_schema(TABLES["nodes"])
    with pq.ParquetWriter(path, schema) as writer:
        for names in (["edge", "cloud"], ["cloud", "camera-0"]):
            table = tmp_path / "part" / "nodes.parquet"
            table.parent.mkdir(exist_ok=True)
            write_table(table, "nodes", {"node": names, "busy_s": [1.0, 2.0]})
            writer.write_table(pq.read_table(table, schema=schema))
    nodes = Table(path)
    codes, words = nodes.names("node")
    assert [words[code] for code in codes] == ["edge", "cloud", "cloud", "camera-0"]
    assert len(set(words)) == len(words)
    assert nodes.column("busy_s").tolist() == [1.0, 2.0, 1.0, 2.0]


def test_names_written_as_plain_strings_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "links.parquet"
    pq.write_table(pa.table({"link": ["a", "b", "a"]}), path)
    codes, words = Table(path).names("link")
    assert [words[code] for code in codes] == ["a", "b", "a"]


def test_an_empty_table_reads_as_empty_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "links.parquet", "links", {})
    links = Tables(tmp_path).links
    assert len(links) == 0 and len(links.column("busy_s")) == 0 and len(links.names("link").codes) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"not a table", "cannot be read"),
        (pa.table({"other": [1]}), "'busy_s' is missing"),
        (pa.table({"busy_s": [1.0, None]}), "1 empty value"),
    ],
)
def test_broken_tables_are_named(tmp_path: Path, content: bytes | pa.Table | None, message: str) -> None:
    path = tmp_path / "nodes.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        pq.write_table(content, path)
    with pytest.raises(InputError, match=message) as caught:
        Table(path).column("busy_s")
    assert str(path) in str(caught.value)


def test_cells_are_numbered_by_policy_deadline_and_replication(tmp_path: Path) -> None:
    run = write_run(
        tmp_path,
        scenario(),
        requests=requests_of(
            5,
            policy=["b", "a", "a", "b", "a"],
            replication=[1, 1, 0, 0, 0],
            axis_deadline_ms=[np.nan, 50, 50, np.nan, 20],
        ),
        nodes={"policy": ["b", "c"], "axis_deadline_ms": np.nan, "replication": 1},
    )
    tables = Tables(run)
    cells = Cells(tables.requests)
    assert cells.cells == [
        Cell("a", 20.0, 0), Cell("a", 50.0, 0), Cell("a", 50.0, 1), Cell("b", None, 0), Cell("b", None, 1),
    ]  # fmt: skip
    assert cells.of_requests.tolist() == [4, 2, 1, 3, 0]
    assert cells.of(tables.nodes).tolist() == [4, -1]
    assert cells.runs("a") == {20.0: [0], 50.0: [1, 2]}
    assert cells.runs("b") == {None: [3, 4]}


def test_recode_speaks_another_tables_words() -> None:
    names = Names(np.array([0, 1, 2, 0]), ("x", "y", "z"))
    assert recode(names, ("z", "x")).tolist() == [1, -1, 0, 1]
