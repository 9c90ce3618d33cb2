"""A report: one HTML page that needs nothing beside it, no network, no folder and no script.

What the page says is gathered in a :class:`Page` of plain text and tables; names and questions come from users, so
everything is escaped where it meets the template.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from edgesim.errors import InputError
from edgesim.results.table import Table

NAME = "report.html"
TEMPLATE = "report.html.j2"
MOST_ROWS = 500
"""Rows that a table of the page shows; a reader of more of them wants the files."""


class Picture(NamedTuple):
    """caption: a sentence.  alt: for who does not see it.  data: the picture as a data URI."""

    caption: str
    alt: str
    data: str


@dataclass(frozen=True)
class Group:
    """Sentences under a heading of their own."""

    heading: str
    sentences: Sequence[str]


@dataclass(frozen=True)
class Section:
    """A part of the page, in this order: sentences, facts, groups of sentences, tables, pictures, what is folded away.

    facts: names and values.  folded: tables.  listings: title -> text as it is written in a file.
    """

    title: str
    anchor: str
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    groups: Sequence[Group] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    folded: Sequence[Table] = ()
    listings: dict[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        parts = (self.facts, self.groups, self.tables, self.pictures, self.folded, self.listings)
        return not (self.sentences or any(parts))


@dataclass(frozen=True)
class Page:
    """kind: "run" or "study".  lead: the question, or what was run.  alerts: what must not be overlooked.  marks:
    the words that label the numbers, such as scaled."""

    kind: str
    name: str
    lead: str
    alerts: Sequence[str]
    marks: Sequence[str]
    sections: Sequence[Section]


def render(page: Page) -> str:
    """The page as HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("edgesim.results", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [section for section in page.sections if not section.empty]
    return environment.get_template(TEMPLATE).render(page=page, sections=shown)


def write_report(page: Page, path: Path) -> None:
    """Write the page, whole or not at all.  Raises InputError where it cannot be written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(render(page), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def shortened(table: Table, where: str) -> Table:
    """The first ``MOST_ROWS`` rows; a note says how many there are, and in which file all of them stand."""
    if len(table.rows) <= MOST_ROWS:
        return table
    note = f"The first {MOST_ROWS:,} of {len(table.rows):,} rows; all are in {where}."
    return table._replace(rows=table.rows[:MOST_ROWS], notes=(*table.notes, note))
