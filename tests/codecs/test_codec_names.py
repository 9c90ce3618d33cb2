"""Names, sizes and the meaning of codecs; no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgesim.codecs.names import fits, is_lossless, parse, payload_bytes
from edgesim.errors import InputError
from edgesim.models.state import TensorSpec

TOKENS = [TensorSpec("tokens", (50, 96))]
TWO = [TensorSpec("tokens", (7, 3)), TensorSpec("order", (7,), "int32", "index")]


@pytest.mark.parametrize("name", ["fp32", "fp16", "int8", "int4", "int8_token", "int4_token", "int4_token+zlib"])
def test_state_codecs_parse(name: str) -> None:
    codec = parse(name)
    assert codec.name == name
    assert codec.per_token == ("_token" in name)
    assert codec.zlib == name.endswith("+zlib")
    assert not codec.is_image


@pytest.mark.parametrize("name, quality", [("raw", 0), ("png", 0), ("jpeg1", 1), ("jpeg75", 75), ("jpeg100", 100)])
def test_image_codecs_parse(name: str, quality: int) -> None:
    assert parse(name).is_image
    assert parse(name).quality == quality


@pytest.mark.parametrize(
    "name",
    [
        "",
        "fp8",
        "int8+lz4",
        "int8+zlib+informative",
        "png+informative",
        "fp32_token",
        "int8_token_token",
        "jpeg",
        "jpeg0",
        "jpeg101",
        "png75",
        "png+zlib",
        "INT8",
    ],
)
def test_other_names_are_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(InputError, match=r"allowed: fp32.*jpeg100") as error:
        parse(name)
    assert repr(name) in str(error.value)


def test_only_informative_tokens_are_named_before_zlib() -> None:
    codec = parse("int8_token+informative+zlib")
    assert codec.informative and codec.per_token and codec.zlib and not codec.is_image
    assert codec.number == 2 | 1 << 4 | 1 << 5 | 1 << 7
    assert not is_lossless("fp32+informative") and not parse("int8").informative


def test_a_codec_fits_where_its_tensors_are() -> None:
    resting = [*TOKENS, TensorSpec("placeholders", (50, 96))]
    assert fits("png", 0, TOKENS) and not fits("png", 1, TOKENS) and not fits("int8", 0, TOKENS)
    assert fits("int8", 1, TOKENS) and not fits("int8+informative", 1, TOKENS)
    assert fits("int8+informative", 1, resting) and not fits("int8+informative", 0, resting)


def test_lossless_codecs_are_those_that_keep_every_number() -> None:
    names = ["fp32", "fp32+zlib", "raw", "png", "fp16", "int8", "int8+zlib", "int4_token", "jpeg100"]
    assert [name for name in names if is_lossless(name)] == ["fp32", "fp32+zlib", "raw", "png"]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("fp32", 4 + 19_200),
        ("fp16", 4 + 9_600),
        ("int8", 4 + 8 + 4_800),
        ("int8_token", 4 + 50 * 8 + 4_800),
        ("int4", 4 + 8 + 2_400),
        ("int4_token", 4 + 50 * 8 + 2_400),
    ],
)
def test_sizes_by_hand(name: str, expected: int) -> None:
    assert payload_bytes(name, TOKENS) == expected


def test_index_tensors_are_sent_whole_and_odd_counts_fill_a_byte() -> None:
    assert payload_bytes("int4", TWO) == 4 + (8 + 11) + 7 * 4
    assert payload_bytes("int8_token", TWO) == 4 + (7 * 8 + 21) + 7 * 4


def test_sizes_that_vary_by_sample_are_not_guessed() -> None:
    image = [TensorSpec("image", (1, 28, 28))]
    assert payload_bytes("raw", image) == 784
    assert [payload_bytes(name, image) for name in ("png", "jpeg75")] == [None, None]
    assert payload_bytes("int8+zlib", TOKENS) is None


def test_reading_names_and_tables_imports_no_torch() -> None:
    modules = "codecs.names, edgesim.outcomes.cache, edgesim.outcomes.synthetic"
    code = (
        f"import sys, edgesim.{modules}, edgesim.outcomes.importing\n"
        "print([m for m in ('torch', 'timm', 'pandas', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
