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


def arrow_names(codes: np.ndarray, words: Sequence[str]) -> pa.DictionaryArray:
    """A dictionary-coded array of strings, ``words[code]`` for each of the int32 codes; only words in use are kept."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(words)))
    places = np.zeros(len(words), np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    kept = [words[code] for code in used.tolist()]
    return pa.DictionaryArray.from_arrays(arrow_numbers(places[codes]), _strings(kept))


def _strings(words: Sequence[str]) -> pa.Array:
    texts = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))])
