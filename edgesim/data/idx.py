"""Reader for the idx files of MNIST and Fashion-MNIST (http://yann.lecun.com/exdb/mnist/)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

_UINT8 = 0x08


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an idx file, gzipped or not.

    Raises ValueError where the file is not idx, not uint8, or shorter or longer than its header says.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] != _UINT8:
        raise ValueError(f"{path} is not an idx file of unsigned bytes")
    rank = raw[3]
    start = 4 + 4 * rank
    shape = tuple(np.frombuffer(raw[4:start], ">u4").astype(int))
    if len(raw) - start != np.prod(shape):
        raise ValueError(f"{path} says shape {shape} but holds {len(raw) - start} bytes")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
