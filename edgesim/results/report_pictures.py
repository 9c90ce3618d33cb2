"""The pictures of a results folder, as a page carries them: inside an ``<img>``, so that none sees another's names."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from edgesim.results.report import Picture, Section

LARGEST_SVG = 250_000
"""Bytes of an SVG above which the PNG beside it is taken: it draws faster, and is smaller."""
MOST_BYTES = 8_000_000
"""Of all pictures of a page; what is beyond is named, not shown.  Base64 takes a third more."""
MIME = {".svg": "image/svg+xml", ".png": "image/png"}
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"


def picture_section(folder: Path, captions: Mapping[str, str]) -> Section:
    """The pictures of a results folder, and which of them are left out."""
    shown, left_out = pictures(folder, captions)
    words = [f"For want of room, these are left out: {', '.join(left_out)} in plots/."] if left_out else []
    return Section("Pictures", "pictures", words, pictures=shown)


def pictures(folder: Path, captions: Mapping[str, str]) -> tuple[list[Picture], list[str]]:
    """The pictures in ``folder/plots``, and the names of those for which there is no room.

    captions: by name of the file without its ending, in the order of the page.  Others come behind, by their name.
    """
    found: list[Picture] = []
    left_out: list[str] = []
    room = MOST_BYTES
    for name, path in _ordered(folder / "plots", captions):
        content = path.read_bytes()
        if len(content) > room:
            left_out.append(path.name)
            continue
        room -= len(content)
        caption = captions.get(name) or _sentence(name)
        alt = ". ".join(filter(None, (caption, description(path))))
        found.append(Picture(caption, alt, f"data:{MIME[path.suffix]};base64,{b64encode(content).decode()}"))
    return found, left_out


def description(path: Path) -> str:
    """What a picture says of itself in its metadata: the caption that is drawn under it."""
    if path.suffix == ".svg":
        found = ElementTree.parse(path).find(f".//{_DESCRIPTION}")
        return "" if found is None else (found.text or "").strip()
    from PIL import Image

    with Image.open(path) as image:
        return str(image.info.get("Description", "")).strip()


def _ordered(folder: Path, captions: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    names = {path.stem for path in folder.glob("*") if path.suffix in MIME}
    for name in [*(name for name in captions if name in names), *sorted(names - captions.keys())]:
        yield name, _smaller(folder / name)


def _smaller(stem: Path) -> Path:
    """The SVG where it is small or alone."""
    svg, png = (stem.with_name(stem.name + ending) for ending in MIME)
    if not png.exists():
        return svg
    return svg if svg.exists() and svg.stat().st_size <= LARGEST_SVG else png


def _sentence(name: str) -> str:
    words = re.sub(r"[_-]+", " ", name).strip()
    return words[:1].upper() + words[1:]
