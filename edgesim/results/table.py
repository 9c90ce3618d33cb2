"""A table for people, whatever shows it: the terminal or a page."""

from __future__ import annotations

from typing import NamedTuple


class Table(NamedTuple):
    """Rows of text under headings.

    names: how many of the first columns name the row; the others hold its values.  notes: sentences under the table.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()
    names: int = 1
