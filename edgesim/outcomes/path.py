"""Paths: what a request's data went through, from the image on."""

from __future__ import annotations

from collections.abc import Iterable

from edgesim.codecs.names import parse
from edgesim.errors import InputError

Hop = tuple[int, str]
"""(cut, codec name): what crossed, and how."""
Path = tuple[Hop, ...]
"""Hops in the order in which they happened; ``()`` runs where the image is."""


def canonical(path: Path) -> Path:
    """The path whose answers this one shares: lossless hops dropped, ``+zlib`` taken off the others.

    >>> canonical(((0, "png"), (3, "int8+zlib"), (5, "fp32")))
    ((3, 'int8'),)
    """
    return tuple((cut, codec.removesuffix("+zlib")) for cut, codec in path if not parse(codec).is_lossless)


def with_prefixes(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The local path, and ``paths`` with all their beginnings, each once: what a request may have sent so far.

    >>> with_prefixes([((0, "png"), (3, "int8"))])
    ((), ((0, 'png'),), ((0, 'png'), (3, 'int8')))
    """
    return tuple(dict.fromkeys([(), *(path[:length] for path in paths for length in range(1, len(path) + 1))]))


def check_path(path: Path, num_blocks: int) -> None:
    """Raise InputError unless the model can be sent along this path.

    Cuts do not go back; image codecs cross cut 0, state codecs cuts 1 .. L-1 (at cut L nothing is left to send).
    """
    before = 0
    for cut, name in path:
        if not 0 <= cut < num_blocks:
            raise InputError(f"path {format_path(path)}: cut {cut} is not within 0..{num_blocks - 1}")
        if cut < before:
            raise InputError(f"path {format_path(path)}: cut {cut} comes after cut {before}")
        if parse(name).is_image != (cut == 0):
            kind = "an image codec (raw, png, jpegQ)" if cut == 0 else "a state codec (fp32, fp16, int8, int4, ...)"
            raise InputError(f"path {format_path(path)}: cut {cut} needs {kind}, found {name}")
        before = cut


def format_path(path: Path) -> str:
    """The path as text, for files and messages; ``local`` is the empty one.

    >>> format_path(((0, "jpeg75"), (3, "int8")))
    '0:jpeg75,3:int8'
    """
    return ",".join(f"{cut}:{codec}" for cut, codec in path) or "local"


def parse_path(text: str) -> Path:
    """The inverse of :func:`format_path`; InputError where the text is no path."""
    if text == "local":
        return ()
    hops = []
    for part in text.split(","):
        cut, _, codec = part.partition(":")
        if not (cut.isascii() and cut.isdigit()):
            raise InputError(f"{text!r} is not a path: write CUT:CODEC,CUT:CODEC,... or local")
        hops.append((int(cut), parse(codec).name))
    return tuple(hops)
