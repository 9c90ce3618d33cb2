"""The snippets of README and docs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Snippet(NamedTuple):
    """A fenced block.  mark: what stands behind the language in its first line."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.line}"


def snippets(language: str, *marks: str) -> list[Snippet]:
    """Every block of a language, of these marks if any are given, page by page in the order of the page."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Snippet(page.name, line, match[1], match[2] or "", match[3]))
    return [each for each in found if each.language == language and (not marks or each.mark in marks)]


def snippet(page: str, language: str, *marks: str) -> Snippet:
    """The first such block of one page."""
    return next(each for each in snippets(language, *marks) if each.page == page)
