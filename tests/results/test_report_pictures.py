"""Pictures on a page: in order, small, with words for who does not see them."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from edgesim.results import report_pictures
from edgesim.results.plots import style
from edgesim.results.report_pictures import description, picture_section, pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with style.applied():
        for name in ("zeta_of_all", "second", "first"):
            drawing = style.figure(1.0, 2.0)
            drawing.add_subplot().plot([1, 2])
            drawing.supxlabel(f"{name}: 10 requests,\nseed ± 1")
            style.save(drawing, tmp_path / "plots", name)
    (tmp_path / "plots" / "notes.txt").write_text("no picture")
    return tmp_path


CAPTIONS = {"first": "The first", "second": "The second", "third": "Not drawn"}


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_says_what_is_written_under_it(folder: Path, ending: str) -> None:
    assert description(folder / "plots" / f"first.{ending}") == "first: 10 requests, seed ± 1"


def test_they_come_in_the_order_of_their_captions(folder: Path) -> None:
    found, left_out = pictures(folder, CAPTIONS)
    assert [picture.caption for picture in found] == ["The first", "The second", "Zeta of all"]
    assert found[0].alt == "The first. first: 10 requests, seed ± 1" and not left_out
    start = "data:image/svg+xml;base64,"
    assert found[0].data.startswith(start)
    assert b64decode(found[0].data.removeprefix(start)) == (folder / "plots" / "first.svg").read_bytes()


def test_a_large_svg_gives_way_to_its_png(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_pictures, "LARGEST_SVG", 10)
    (folder / "plots" / "first.png").unlink()
    found, _ = pictures(folder, CAPTIONS)
    kinds = [picture.data.split(";")[0] for picture in found]
    assert kinds == ["data:image/svg+xml", "data:image/png", "data:image/png"]


def test_what_has_no_room_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (folder / "plots" / "first.svg").stat().st_size
    monkeypatch.setattr(report_pictures, "MOST_BYTES", size + 10)
    section = picture_section(folder, CAPTIONS)
    assert [picture.caption for picture in section.pictures] == ["The first"]
    (said,) = section.sentences
    assert "second.svg, zeta_of_all.svg" in said


def test_without_pictures_there_is_no_section(tmp_path: Path) -> None:
    assert picture_section(tmp_path, CAPTIONS).empty
