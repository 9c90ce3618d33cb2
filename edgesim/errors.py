"""Errors that are the user's to mend."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(Exception):
    """Bad input: the command line prints the message alone and ends with exit code 2."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that was probably meant; None where none is near."""
    return next(iter(get_close_matches(name, list(names), n=1)), None)


def closest(name: str, names: Iterable[str]) -> str:
    """``; did you mean 'x'?`` where a name is near, else nothing."""
    near = nearest(name, names)
    return f"; did you mean '{near}'?" if near else ""
