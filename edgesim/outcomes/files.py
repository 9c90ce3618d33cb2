"""Arrays in files: npz with a checksum and a note of what they are; written whole or not at all.

They are stored uncompressed and mapped into memory, so that many processes of a machine share one copy.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from struct import error as StructError
from struct import unpack
from tokenize import TokenError
from typing import Any, BinaryIO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from edgesim.errors import InputError

Arrays = dict[str, np.ndarray]
NAME_LENGTHS = 26
"""Where a member of a zip file says how long its name and its extra field are."""
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
            np.savez(file, **whole)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _array(file: BinaryIO, archive: ZipFile, member: ZipInfo) -> np.ndarray:
    """One array of an npz file: mapped where it is stored as it is, else (from an older file) read."""
    if member.compress_type != ZIP_STORED:
        with archive.open(member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    file.seek(member.header_offset + NAME_LENGTHS)
    name_length, extra_length = unpack("<HH", file.read(4))
    file.seek(name_length + extra_length, os.SEEK_CUR)
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError(f"{member.filename} holds objects")
    if not np.prod(shape):
        return np.empty(shape, dtype)
    mapped = np.memmap(file, dtype, "r", file.tell(), shape, "F" if fortran else "C")
    return np.asarray(mapped)


def read_arrays(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays, for reading only, and the note in ``path``.

    Raises FileNotFoundError or NotADirectoryError where it is missing, CorruptFile where it is damaged.
    """
    try:
        with path.open("rb") as file, ZipFile(file) as archive:
            arrays: Arrays = {
                member.filename.removesuffix(".npy"): _array(file, archive, member) for member in archive.infolist()
            }
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
        StructError,
        SyntaxError,
        TokenError,
        zlib.error,
    ) as error:
        raise CorruptFile(f"{path} is corrupt: {error or type(error).__name__}") from error
