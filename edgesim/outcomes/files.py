"""Arrays in files: npz with a checksum and a note of what they are; written whole or not at all."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from edgesim.errors import InputError

Arrays = dict[str, np.ndarray]
_NOTE, _CHECKSUM = "note", "checksum"


class CorruptFile(InputError):
    """The file is there but is not what was written."""


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    digest = sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> None:
    """Write ``arrays`` and the JSON-able ``note`` to ``path``, making its folder; OSError where that is impossible."""
    whole: dict[str, Any] = {**arrays, _NOTE: np.array(json.dumps(note))}
    whole[_CHECKSUM] = np.array(_digest(whole))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, **whole)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the note in ``path``.

    Raises FileNotFoundError or NotADirectoryError where it is missing, CorruptFile where it is damaged.
    """
    try:
        with np.load(path) as file:
            arrays: Arrays = {name: file[name] for name in file.files}
        checksum = str(arrays.pop(_CHECKSUM))
        if checksum != _digest(arrays):
            raise ValueError("its checksum does not fit")
        return arrays, json.loads(str(arrays.pop(_NOTE)))
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise CorruptFile(f"{path} is corrupt: {error or type(error).__name__}") from error
