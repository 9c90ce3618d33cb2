"""Arrow arrays straight from buffers: ``pyarrow.array`` would import pandas, which takes half a second and 60 MB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_TYPES = {"int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}


def arrow_numbers(values: np.ndarray) -> pa.Array:
    """An array of int32, int64, float64 or bool, without nulls."""
    if values.dtype == bool:
        bits = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])
    return pa.Array.from_buffers(_TYPES[values.dtype.name], len(values), [None, pa.py_buffer(values)])


def arrow_names(values: Sequence[str]) -> pa.DictionaryArray:
    """A dictionary-coded array of strings, words in the order in which they come."""
    codes = {word: code for code, word in enumerate(dict.fromkeys(values))}
    indices = arrow_numbers(np.array([codes[value] for value in values], np.int32))
    return pa.DictionaryArray.from_arrays(indices, _strings(list(codes)))


def _strings(words: Sequence[str]) -> pa.Array:
    texts = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])
