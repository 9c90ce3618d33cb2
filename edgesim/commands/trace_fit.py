"""``edgesim trace fit``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.table import Table

from edgesim.commands.console import output
from edgesim.commands.trace import plain
from edgesim.network.ar1_fit import Ar1Fit
from edgesim.network.reproduction import Reproduced
from edgesim.network.trace_fit import TraceFit, ar1_yaml, fit_trace, markov_yaml
from edgesim.network.traces.base import Reading
from edgesim.network.traces.formats import read_trace


def fit_command(file: Path, reading: Reading, step_ms: float | None, states: int, seed: int, as_json: bool) -> None:
    """Print two processes that reproduce a trace, how certain and how good they are, and their YAML; or JSON."""
    found = fit_trace(read_trace(file, reading), None if step_ms is None else step_ms / 1e3, states, seed)
    if as_json:
        typer.echo(json.dumps(_json(found), indent=2))
        return
    console = output()
    console.print(_parameters(found.ar1, f"{file.name}, steps of {1e3 * found.step_s:g} ms: AR(1) with outages"))
    for name, measured in found.ar1.adjusted.items():
        measured_as = f"{_shown(name)} was measured as {_value(name, measured)}"
        console.print(f"{measured_as}: no such process has it, or the trace is too short to show it.")
    console.print(_reproductions(found))
    for block in (ar1_yaml(found.ar1, found.step_s), markov_yaml(found.markov)):
        typer.echo(f"\n{block}")


def _parameters(fit: Ar1Fit, title: str) -> Table:
    table = Table("parameter", "estimate", "95 % interval", title=title, box=box.SIMPLE_HEAD)
    for name, interval in fit.intervals.items():
        if interval is not None:
            low, high = (_value(name, each) for each in interval)
            table.add_row(_shown(name), _value(name, getattr(fit.moments, name)), f"{low} to {high}")
    return table


def _reproductions(found: TraceFit) -> Table:
    table = Table(title="What they reproduce: median and 95 % of generated paths as long", box=box.SIMPLE_HEAD)
    for heading in ("", "trace", "AR(1) with outages", f"Markov, {len(found.markov.rates_bps)} states"):
        table.add_column(heading, justify="right" if heading else "left")
    for one, other in zip(found.ar1_reproduces, found.markov_reproduces, strict=True):
        table.add_row(_shown(one.name), _value(one.name, one.recorded), _generated(one), _generated(other))
    table.caption = "* the trace lies outside; quantiles of a Markov chain are rates of its states"
    return table


def _generated(found: Reproduced) -> str:
    middle, low, high = (_value(found.name, each) for each in (found.generated, found.low, found.high))
    return f"{middle} ({low} to {high}) {' ' if found.within else '*'}"


def _shown(name: str) -> str:
    """A name with the unit in which it is shown."""
    return f"{name.removesuffix('_bps')}_mbps" if name.endswith("_bps") else name


def _value(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value / 1e6 if name.endswith('_bps') else value:.3g}"


def _json(found: TraceFit) -> dict[str, Any]:
    return {
        "step_s": found.step_s,
        "ar1": {
            "moments": asdict(found.ar1.moments),
            "intervals": found.ar1.intervals,
            "adjusted": found.ar1.adjusted,
            "reproduces": [plain(asdict(each)) for each in found.ar1_reproduces],
        },
        "markov": {
            "rates_bps": found.markov.rates_bps,
            "matrix": found.markov.chain.matrix,
            "reproduces": [plain(asdict(each)) for each in found.markov_reproduces],
        },
    }
