"""``edgesim trace``."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.table import Table

from edgesim.commands.console import output
from edgesim.errors import InputError
from edgesim.network.rate import binned
from edgesim.network.trace import Trace
from edgesim.network.trace_statistics import RateStatistics, bin_s_of, rate_statistics
from edgesim.network.traces.base import Reading, Series
from edgesim.network.traces.csv_columns import UNITS
from edgesim.network.traces.formats import FORMATS, read_all, read_trace

BIN_S = 1.0


def reading_of(
    format: str | None, time_column: str | None, rate_column: str | None, unit: str | None, where: Sequence[str]
) -> Reading:
    """What the options say of a file; InputError for an unknown format or unit, or a ``where`` without a value."""
    for value, known, option in ((format, FORMATS, "--format"), (unit, UNITS, "--unit")):
        if value is not None and value not in known:
            raise InputError(f"{option}: found {value!r}, allowed: {', '.join(known)}")
    pairs = [each.partition("=") for each in where]
    for each, (_, equals, _) in zip(where, pairs, strict=True):
        if not equals:
            raise InputError(f"--where: found {each!r}, allowed: COLUMN=VALUE")
    return Reading(format, time_column, rate_column, unit, tuple((name, value) for name, _, value in pairs))


def show_command(file: Path, reading: Reading, plot: Path | None, as_json: bool) -> None:
    """Print what every series of a file looks like, as a table or as JSON; draw the only one."""
    found = [(series, trace, *_statistics(trace)) for series, trace in read_all(file, reading)]
    if plot is not None:
        from edgesim.results.plots.trace import save

        trace = read_trace(file, reading)
        bin_s = bin_s_of(trace, BIN_S)
        save(trace, binned(trace.table(1.0), bin_s), bin_s, plot)
    if as_json:
        rows = [_json(series, trace, bin_s, statistics) for series, trace, bin_s, statistics in found]
        typer.echo(json.dumps(rows, indent=2))
        return
    first = found[0][1]
    table = Table(title=f"{file.name}, read as {first.format}; direction: {first.direction}", box=box.SIMPLE_HEAD)
    table.caption = f"Bins of {found[0][2]:g} s. Outage: below max(0.1 Mb/s, 2 % of the median); share and mean length."
    headings = ("duration", "resolution", "mean", "CV", "acf 1 s", "acf 5 s", "outage", "length")
    names = found[0][0] if len(found) > 1 else ()
    for heading in (*(name for name, _ in names), *headings):
        table.add_column(heading, justify="right")
    for series, trace, _, statistics in found:
        table.add_row(*(value for _, value in series if names), *_cells(trace, statistics))
    output().print(table)


def _statistics(trace: Trace) -> tuple[float, RateStatistics]:
    bin_s = bin_s_of(trace, BIN_S)
    return bin_s, rate_statistics(binned(trace.table(1.0), bin_s), bin_s)


def _cells(trace: Trace, found: RateStatistics) -> tuple[str, ...]:
    return (
        f"{trace.duration_s:,.0f} s" if trace.duration_s >= 10 else f"{trace.duration_s:.3g} s",
        f"{trace.resolution_s:.3g} s" if trace.resolution_s >= 1 else f"{1e3 * trace.resolution_s:.3g} ms",
        f"{found.mean_bps / 1e6:.3g} Mb/s",
        f"{found.cv:.2f}",
        *("-" if math.isnan(value) else f"{value:.2f}" for value in (found.correlation_1s, found.correlation_5s)),
        f"{found.outage_share:.1%}",
        "-" if math.isnan(found.outage_mean_s) else f"{found.outage_mean_s:.1f} s",
    )


def _json(series: Series, trace: Trace, bin_s: float, found: RateStatistics) -> dict[str, Any]:
    values = {
        "series": dict(series),
        "format": trace.format,
        "direction": trace.direction,
        "duration_s": trace.duration_s,
        "resolution_s": trace.resolution_s,
        "bin_s": bin_s,
        **asdict(found),
    }
    return plain(values)


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows neither infinity nor NaN."""
    return {name: None if _odd(value) else value for name, value in values.items()}


def _odd(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
