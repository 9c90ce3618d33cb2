"""The tables of a study's results folder: each appears whole or not at all."""

from __future__ import annotations

import os

import pandas as pd

from edgesim.studies.findings import Findings


def write_tables(findings: Findings) -> None:
    """Write ``summaries.parquet`` and ``contrasts.csv`` beside the ledger."""
    _write(findings, "summaries.parquet", findings.summaries())
    if findings.study.contrasts:
        _write(findings, "contrasts.csv", findings.contrasts())


def _write(findings: Findings, name: str, frame: pd.DataFrame) -> None:
    path = findings.folder / name
    partial = path.with_name(f".{name}.{os.getpid()}.partial")
    try:
        if path.suffix == ".csv":
            frame.to_csv(partial, index=False)
        else:
            frame.to_parquet(partial, index=False)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
