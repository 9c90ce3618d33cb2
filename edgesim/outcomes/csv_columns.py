"""The CSV form of imported outcomes: a line for each sample and exit, turned into arrays (exits, samples)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from edgesim.errors import InputError

KEYS, REQUIRED, OPTIONAL = ("sample", "blocks"), ("prediction", "confidence"), ("correct", "label", "entropy", "margin")


def read_columns(source: Path) -> dict[str, np.ndarray]:
    """The arrays that the npz form has, from a CSV file; InputError names file and line."""
    names, rows = _read_rows(source)
    samples, blocks = (sorted({row[position] for row in rows}) for position in (0, 1))
    if not rows or samples != list(range(len(samples))):
        raise InputError(f"{source}: sample must count 0, 1, 2, ... without gaps")
    if len(rows) != len(samples) * len(blocks):
        raise InputError(f"{source}: {len(samples)} samples at {len(blocks)} exits need a line each, found {len(rows)}")
    values = np.array(sorted(rows, key=lambda row: (row[1], row[0]))).reshape(len(blocks), len(samples), len(names))
    arrays = {name: values[:, :, position] for position, name in enumerate(names)}
    del arrays["sample"]
    arrays["blocks"] = np.array([int(after) if after.is_integer() else after for after in blocks])
    if "label" in arrays:
        label = arrays.pop("label")
        if (label != label[0]).any():
            raise InputError(f"{source}: label must be the same for a sample at each exit")
        arrays["labels"] = label[0]
    return arrays


def _read_rows(source: Path) -> tuple[list[str], list[tuple[float, ...]]]:
    """The columns, ``sample`` and ``blocks`` first, and the numbers, each (sample, blocks) once."""
    try:
        with source.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            names = _columns(source, reader.fieldnames or [])
            rows: dict[tuple[float, ...], tuple[float, ...]] = {}
            for row in reader:
                numbers = tuple(_number(f"{source}, line {reader.line_num}: {name}", row[name]) for name in names)
                if numbers[:2] in rows:
                    raise InputError(f"{source}, line {reader.line_num}: sample and blocks come a second time")
                rows[numbers[:2]] = numbers
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source}: not a readable CSV file: {error}") from error
    return names, list(rows.values())


def _columns(source: Path, found: object) -> list[str]:
    header = list(found)  # type: ignore[call-overload]
    missing = [name for name in (*KEYS, *REQUIRED) if name not in header]
    if missing or not {"correct", "label"} & set(header):
        raise InputError(
            f"{source}, line 1: columns {', '.join((*KEYS, *REQUIRED))} and one of correct, label are needed, "
            f"found: {', '.join(header) or 'nothing'}"
        )
    if unknown := [name for name in header if name not in (*KEYS, *REQUIRED, *OPTIONAL)]:
        raise InputError(f"{source}, line 1: unknown column {unknown[0]!r}")
    return [*KEYS, *(name for name in header if name not in KEYS)]


def _number(where: str, text: object) -> float:
    try:
        return float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InputError(f"{where} must be a number, found {text!r}") from None
