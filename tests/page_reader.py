"""What a reader of an HTML page gets: its tables, texts and pictures, and what it would fetch."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "img", "br", "hr", "input"}


class PageReader(HTMLParser):
    """tables: title -> rows, the headings first.  texts: tag -> what stands in such elements.  pictures: (alt, src).
    addresses: everything that href or src name.  tags: of all elements.  Fails where elements are not closed in order.
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.texts: dict[str, list[str]] = {}
        self.pictures: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.addresses += [str(found[name]) for name in ("href", "src") if name in found]
        if tag == "img":
            self.pictures.append((str(found["alt"]), str(found["src"])))
        if tag in VOID:
            return
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self._rows = self.tables[str(found["aria-label"])] = []
        elif tag == "tr":
            self._rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("th", "td"):
            self._rows[-1].append(self.texts[tag][-1])

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def table(self, start: str) -> list[list[str]]:
        """The rows of the table whose title begins so."""
        (found,) = (rows for title, rows in self.tables.items() if title.startswith(start))
        return found


def read_page(path: Path) -> PageReader:
    return PageReader(path.read_text(encoding="utf-8"))
