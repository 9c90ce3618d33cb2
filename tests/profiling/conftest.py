"""A profile whose truth is known: block times, overhead(n) and c(n) are written down, not measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgesim.profiling.profile import Profile

BLOCK_MS = (0.4, 1.0, 1.5, 0.7)
OVERHEAD_MS = {1: 0.05, 4: 0.08}
C = {1: 0.97, 4: 0.94}
TOKENS = [{"name": "tokens", "shape": [10, 8], "dtype": "float32", "kind": "float"}]
IMAGE = [{"name": "image", "shape": [1, 12, 12], "dtype": "float32", "kind": "float"}]
CODEC_MS = {"fp32": (0.01, 0.02), "int8": (0.03, 0.04), "int8+zlib": (0.1, 0.05)}
IMAGE_CODEC_MS = {"raw": (0.001, 0.001), "png": (0.2, 0.1), "jpeg25": (0.1, 0.05), "jpeg75": (0.2, 0.07)}
IDLE = {0.0: 1.0, 0.001: 1.1, 0.01: 1.4, 0.2: 1.5}


def spread(seconds: float, rng: np.random.Generator, count: int = 30) -> list[float]:
    return (seconds * (1 + 0.02 * np.abs(rng.standard_normal(count)))).tolist()


def made_document(seed: int = 0, name: str = "made", speed: float = 1.0) -> dict[str, Any]:
    """A profile's JSON object.  Blocks of a row are slow together; the batch's time is n^0.8 of one sample's."""
    rng = np.random.default_rng(seed)
    blocks = len(BLOCK_MS)

    def rows(batch: int) -> np.ndarray:
        common = 1 + 0.1 * np.abs(rng.standard_normal((40, 1)))
        return np.array(BLOCK_MS) * speed * 1e-3 * batch**0.8 * common

    passes = {batch: rows(batch) for batch in (1, 2, 4, 8)}

    def piece(start: int, stop: int, batch: int) -> dict[str, Any]:
        total = np.median(passes[batch][:, start:stop].sum(axis=1))
        seconds = OVERHEAD_MS[batch] * speed * 1e-3 + C[batch] * total
        return {"start": start, "stop": stop, "batch": batch, "seconds": [seconds] * 5}

    pieces = [piece(0, stop, 1) for stop in range(1, blocks)]
    pieces += [piece(start, blocks, batch) for batch in (1, 4) for start in range(blocks)]
    codecs = [(0, IMAGE_CODEC_MS), (1, CODEC_MS)]
    return {
        "format": "edgesim-profile",
        "version": 1,
        "model": {
            "name": name,
            "hash": "0" * 16,
            "parameters": 1000,
            "branch_parameters": [10, 10, 0],
            "blocks": ["stem", "block 1", "block 2", "block 3"],
            "exits": [2, 3, 4],
            "cuts": [IMAGE, TOKENS, TOKENS, TOKENS, []],
            "input_size": [1, 12, 12],
            "num_classes": 10,
            "block_macs": [100, 200, 300, 200],
            "branch_macs": [5, 5, 5],
            "state_bytes": [576, 320, 320, 320, 0],
            "peak_bytes": 9000,
        },
        "machine": {
            "cpu": "a processor",
            "device": "cpu",
            "cores": 2,
            "threads": 1,
            "load_average": [0.1, 0.1, 0.1],
            "python": "3.11.7",
            "torch": "2.6.0",
            "platform": "Linux x86_64",
            "date": "2026-01-01T00:00:00Z",
        },
        "numeric_format": "fp32",
        "content": "noise",
        "kept": 1000,
        "rejected": 3,
        "chain": [{"batch": batch, "rows_s": table.tolist()} for batch, table in passes.items()],
        "branches": [
            {"batch": batch, "rows_s": (1e-4 * speed * batch * (1 + rng.random((20, 3)))).tolist()} for batch in passes
        ],
        "pieces": pieces,
        "idle": [{"gap_s": gap_s, "seconds": [factor * 3e-3 * speed] * 5} for gap_s, factor in IDLE.items()],
        "codecs": [
            {"cut": cut, "codec": name, "encode_s": spread(ms[0] / 1e3, rng), "decode_s": spread(ms[1] / 1e3, rng)}
            for cut, table in codecs
            for name, ms in table.items()
        ],
        "preprocess_s": spread(3e-5, rng),
        "gather": [{"batch": batch, "seconds": [2e-6 * batch] * 5} for batch in passes],
    }


def profile_of(document: dict[str, Any]) -> Profile:
    return Profile.model_validate_json(json.dumps(document))


@pytest.fixture
def document() -> dict[str, Any]:
    return made_document()


@pytest.fixture
def made() -> Profile:
    return profile_of(made_document())


@pytest.fixture
def make_profile() -> Callable[..., Profile]:
    """``make_profile(seed=, name=, speed=)``: another one; ``speed`` multiplies the times of the model."""
    return lambda **options: profile_of(made_document(**options))
