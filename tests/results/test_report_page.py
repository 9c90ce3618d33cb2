"""The page itself: what users write is text on it, and it appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_reader import PageReader

from edgesim.errors import InputError
from edgesim.results.report import MOST_ROWS, Group, Page, Picture, Section, render, shortened, write_report
from edgesim.results.table import Table

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=http://example.org/x onerror="alert(1)">',
    "</pre></details><style>body{display:none}</style>",
    "{{ 7 * 7 }} {% raw %} &amp; &lt;",
    "' onload='alert(1)",
)


def page(text: str) -> Page:
    """One that says the same text everywhere."""
    table = Table(text, (text, text), [(text, text)], (text,))
    section = Section(
        text,
        "a",
        [text],
        [(text, text)],
        [Group(text, [text])],
        [table],
        [Picture(text, text, "data:image/png;base64,AAAA")],
        [table._replace(title=text + "2")],
        {text: text},
    )
    return Page("run", text, text, [text], [text], [section])


@pytest.mark.parametrize("text", HOSTILE)
def test_what_users_write_is_text(text: str) -> None:
    plain, read = PageReader(render(page("plain"))), PageReader(render(page(text)))
    assert read.tags == plain.tags and "script" not in read.tags
    assert read.addresses == plain.addresses
    for tag, texts in plain.texts.items():
        if tag != "style":
            assert read.texts[tag] == [said.replace("plain", text) for said in texts]
    assert read.pictures == [(text, "data:image/png;base64,AAAA")]
    assert read.table(text + "2") == [[text, text], [text, text]]


def test_a_page_names_nothing_outside() -> None:
    read = PageReader(render(page("plain")))
    assert all(address.startswith(("data:", "#")) for address in read.addresses)


def test_sections_without_content_are_left_out() -> None:
    read = PageReader(render(Page("run", "a", "", [], [], [Section("Empty", "empty"), Section("Full", "full", ["x"])])))
    assert read.texts["h2"] == ["Full"] and read.addresses == ["data:,", "#full"]


def test_it_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_report(page("first"), path)
    before = path.read_text()

    def full(self: Path, text: str, encoding: str) -> None:
        with self.open("w") as file:
            file.write(text[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match="report.html: cannot be written: No space left on device"):
            write_report(page("second"), path)
    assert path.read_text() == before and list(tmp_path.iterdir()) == [path]


def test_a_long_table_says_how_long_it_is() -> None:
    rows = [(str(number), "1") for number in range(MOST_ROWS + 1)]
    short = shortened(Table("t", ("a", "b"), rows, ("note",)), "all.csv")
    assert short.rows == rows[:-1]
    assert short.notes == ("note", f"The first {MOST_ROWS} of {MOST_ROWS + 1} rows; all are in all.csv.")
    assert shortened(Table("t", ("a", "b"), rows[:-1]), "all.csv").notes == ()
