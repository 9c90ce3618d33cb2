"""Files with the answers of other people's models.

One file holds the answers of a model's exits along one path on one split.  The local path comes first; its exits are
the model's.  Along a longer path only the exits at or behind the last cut answer.

``.npz``, arrays by name:

- ``blocks`` (exits,): how many blocks run before each exit, increasing; the last is the model's number of blocks
- either ``logits`` or ``probabilities`` (exits, samples, classes), with ``labels`` (samples,)
- or ``prediction`` and ``confidence`` (exits, samples), with ``correct`` (exits, samples) or ``labels`` (samples,), and
  ``entropy`` (nats) and ``margin`` where they are known (NaN else: policies that use them never find an exit sure)
- ``payload_bytes`` (samples,), where known: of the path's last hop; otherwise computed from the profile's cuts, which
  works for codecs of fixed size

``.csv``, a line for each sample and exit, with a header: ``sample`` (0, 1, ...), ``blocks``, ``prediction``,
``confidence``, ``correct`` (0 or 1) or ``label``, and optionally ``entropy``, ``margin``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np

from edgesim.errors import InputError
from edgesim.outcomes.csv_columns import read_columns
from edgesim.outcomes.files import Arrays
from edgesim.outcomes.scores import ScoreArrays, score, softmax


class Foreign(NamedTuple):
    """blocks: before each exit.  scores, correct: arrays (exits, samples).  payload: bytes (samples,), where given."""

    blocks: tuple[int, ...]
    scores: ScoreArrays
    correct: np.ndarray
    payload: np.ndarray | None


def read_foreign(source: Path) -> Foreign:
    """The answers in an .npz or .csv file; InputError naming the file and what is wrong with it."""
    arrays = _read_source(source)
    blocks = _blocks(source, arrays)
    scores, correct = _scores(source, arrays, len(blocks))
    payload = _payload(source, arrays, correct.shape[1]) if "payload_bytes" in arrays else None
    return Foreign(blocks, scores, correct, payload)


def _read_source(source: Path) -> Arrays:
    if source.suffix == ".csv":
        return read_columns(source)
    if source.suffix != ".npz":
        raise InputError(f"{source}: outcomes are read from .npz or .csv files")
    try:
        file = np.load(source)
        if isinstance(file, np.ndarray):
            raise ValueError("it holds one array without a name")
        with file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise InputError(f"{source}: not a readable npz file: {error}") from error


def _blocks(source: Path, arrays: Arrays) -> tuple[int, ...]:
    blocks = _given(source, arrays, "blocks").tolist()
    rising = isinstance(blocks, list) and all(isinstance(after, int) and after > 0 for after in blocks)
    if not (rising and blocks and blocks == sorted(set(blocks))):
        raise InputError(f"{source}: blocks must be increasing whole numbers from 1, one for each exit, found {blocks}")
    return tuple(blocks)


def _scores(source: Path, arrays: Arrays, exits: int) -> tuple[ScoreArrays, np.ndarray]:
    """Scores, and whether each prediction is right."""
    probabilities = _probabilities(source, arrays, exits)
    if probabilities is not None:
        labels = _shaped(source, arrays, "labels", (probabilities.shape[1],))
        if not np.isin(labels, np.arange(probabilities.shape[2])).all():
            raise InputError(f"{source}: labels must be whole numbers within 0..{probabilities.shape[2] - 1}")
        found = score(probabilities)
        return found, found.prediction == labels
    prediction = _given(source, arrays, "prediction")
    shape = (exits, prediction.shape[-1] if prediction.ndim else 0)
    prediction = _shaped(source, arrays, "prediction", shape)
    if not ((prediction >= 0) & (prediction < 2**31) & (prediction == np.floor(prediction))).all():
        raise InputError(f"{source}: prediction must hold classes: whole numbers from 0")
    confidence = _shaped(source, arrays, "confidence", shape)
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise InputError(f"{source}: confidence must be within 0..1")
    unknown = np.full(shape, np.nan)
    entropy, margin = (
        _shaped(source, arrays, name, shape) if name in arrays else unknown for name in ("entropy", "margin")
    )
    scores = (each.astype(np.float32) for each in (confidence, entropy, margin))
    return ScoreArrays(prediction.astype(np.int32), *scores), _correct(source, arrays, prediction)


def _correct(source: Path, arrays: Arrays, prediction: np.ndarray) -> np.ndarray:
    if "correct" not in arrays:
        return prediction == _shaped(source, arrays, "labels", prediction.shape[1:])
    correct = _shaped(source, arrays, "correct", prediction.shape)
    if not np.isin(correct, (0, 1)).all():
        raise InputError(f"{source}: correct must be 0 or 1")
    return correct.astype(bool)


def _probabilities(source: Path, arrays: Arrays, exits: int) -> np.ndarray | None:
    name = next((name for name in ("logits", "probabilities") if name in arrays), None)
    if name is None:
        return None
    values = arrays[name]
    if values.ndim != 3 or len(values) != exits or values.shape[2] < 2:
        raise InputError(f"{source}: {name} must have shape ({exits} exits, samples, classes), found {values.shape}")
    if not np.isfinite(_numeric(source, name, values)).all():
        raise InputError(f"{source}: {name} must be finite numbers")
    if name == "logits":
        return softmax(values)
    if (values < 0).any() or not np.allclose(values.sum(-1), 1, atol=1e-3):
        raise InputError(f"{source}: probabilities must not be negative and add up to 1 for each sample and exit")
    return values.astype(np.float64)


def _given(source: Path, arrays: Arrays, name: str) -> np.ndarray:
    if name not in arrays:
        raise InputError(f"{source}: {name} is missing; found: {', '.join(sorted(arrays)) or 'nothing'}")
    return _numeric(source, name, arrays[name])


def _numeric(source: Path, name: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise InputError(f"{source}: {name} must hold numbers, found {values.dtype}")
    return values


def _shaped(source: Path, arrays: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = _given(source, arrays, name)
    if values.shape != shape:
        raise InputError(f"{source}: {name} must have shape {shape}, found {values.shape}")
    return values


def _payload(source: Path, arrays: Arrays, samples: int) -> np.ndarray:
    sizes = _shaped(source, arrays, "payload_bytes", (samples,))
    if sizes.dtype.kind not in "iu" or (sizes < 0).any():
        raise InputError(f"{source}: payload_bytes must be whole numbers, not negative")
    return sizes.astype(np.int64)
