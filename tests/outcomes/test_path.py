"""Paths: what they share, what is refused, and their text."""

from __future__ import annotations

import pytest

from edgesim.errors import InputError
from edgesim.outcomes.path import canonical, check_path, format_path, parse_path, with_prefixes


@pytest.mark.parametrize(
    "path, key",
    [
        ((), ()),
        (((0, "png"),), ()),
        (((0, "raw"), (3, "fp32"), (5, "fp32+zlib")), ()),
        (((3, "int8+zlib"),), ((3, "int8"),)),
        (((0, "jpeg75"), (2, "fp32"), (4, "int4_token")), ((0, "jpeg75"), (4, "int4_token"))),
        (((3, "fp16+zlib"), (3, "int8")), ((3, "fp16"), (3, "int8"))),
    ],
)
def test_lossless_hops_and_zlib_do_not_count(path, key) -> None:
    assert canonical(path) == key
    assert canonical(canonical(path)) == key


@pytest.mark.parametrize(
    "path, what",
    [
        (((7, "int8"),), "cut 7 is not within 0..6"),
        (((-1, "int8"),), "not within"),
        (((3, "int8"), (2, "int8")), "cut 2 comes after cut 3"),
        (((0, "int8"),), "needs an image codec"),
        (((2, "png"),), "needs a state codec"),
        (((2, "int7"),), "no codec is called 'int7'"),
    ],
)
def test_impossible_paths_are_refused(path, what: str) -> None:
    with pytest.raises(InputError, match=what):
        check_path(path, num_blocks=7)


def test_possible_paths_pass() -> None:
    for path in [(), ((0, "jpeg5"), (3, "int8"), (3, "int4_token+zlib"), (6, "fp32"))]:
        check_path(path, num_blocks=7)


@pytest.mark.parametrize("path", [(), ((0, "jpeg75"),), ((0, "png"), (3, "int8_token+zlib"))])
def test_text_and_back(path) -> None:
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize("text", ["", "3", "a:int8", "3:int8,", "-1:int8", "3:nothing", "²:int8"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_path(text)


def test_all_beginnings_come_once() -> None:
    one, two = ((1, "int8"),), ((1, "int8"), (2, "int4"))
    assert with_prefixes([two, one, two]) == ((), one, two)
