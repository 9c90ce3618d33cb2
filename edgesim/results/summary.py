"""summary.json: what a run found, as one plain dictionary.  Its keys are defined in ``docs/metrics.md``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgesim.results import stability
from edgesim.results.measure import ACCURACY, ERROR, Measure
from edgesim.results.measures import PerCells, measures_of
from edgesim.results.points import Point
from edgesim.results.recorded import RecordedRun, read_json
from edgesim.results.sections import Sections
from edgesim.results.statistics import (
    CONFIDENCE,
    Difference,
    Interval,
    image_weights,
    paired_differences,
    pool_interval,
    t_interval,
)
from edgesim.results.warmup import warmup_notes
from edgesim.workload.random import generator

FORMAT = 1


def summarise(run_folder: Path, labels: Mapping[str, Any]) -> dict[str, Any]:
    """What the tables in a run folder say, ready for JSON.

    run_folder: holds ``manifest.json`` (whose ``scenario`` is the resolved scenario) and the four tables.
    labels: what marks the numbers, kept as it is; ``oracles`` in it lists the policies that know the truth.
    Raises InputError where a file is missing, broken or lacks a column.
    """
    run = RecordedRun(run_folder)
    points = {name: run.points(name) for name in run.policies}
    compared_ms = _compared_at_ms(run, points)
    sections = Sections(run) if Sections.fit(run) else None
    runs = _runs(run, sections)
    weights = image_weights(run.images, generator(run.seed, "image pool"))
    measure = ERROR if run.regression else ACCURACY
    return {
        "format": FORMAT,
        "name": run.scenario["name"],
        "seed": run.seed,
        "replications": len({cell.replication for cell in run.cells.cells}),
        "confidence": CONFIDENCE,
        "method": "replications" if sections is None else "batch_means",
        "window_s": run.window[1] - run.window[0],
        "requests": _requests(run),
        "deadlines_ms": list(run.axis.deadlines_ms),
        "compared_at_ms": compared_ms,
        "measure": measure.key,
        "labels": dict(labels),
        "policies": {
            name: {
                "oracle": name in labels.get("oracles", ()),
                "points": [
                    _point(run, point, weights, sections, name, place) for place, point in enumerate(points[name])
                ],
                "runs": runs[name],
            }
            for name in run.policies
        },
        "differences": _differences(points, compared_ms, measure),
        "warnings": _warnings(run, runs),
    }


def read_summary(run_folder: Path) -> dict[str, Any]:
    """The summary of a run; raises InputError where it cannot be read."""
    return read_json(run_folder / "summary.json")


def write_summary(run_folder: Path, summary: Mapping[str, Any]) -> None:
    """Write summary.json, whole or not at all."""
    path = run_folder / "summary.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def point_at(policy: Mapping[str, Any], deadline_ms: float | None) -> dict[str, Any] | None:
    """The point of a policy of a summary at a deadline (None: own deadlines), or None where it has none."""
    return next((point for point in policy["points"] if point["deadline_ms"] == deadline_ms), None)


def reference_run(policy: Mapping[str, Any], compared_ms: float | None) -> dict[str, Any]:
    """The run of a policy that stands for it in tables: at the compared deadline, else at own deadlines."""
    runs = {run["deadline_ms"]: run for run in policy["runs"]}
    return runs[compared_ms] if compared_ms in runs else policy["runs"][0]


def missed_error(summary: Mapping[str, Any]) -> float:
    """In regression, the error if no request were answered; all policies meet the same images."""
    policy = next(iter(summary["policies"].values()))
    return float(policy["runs"][0]["metrics"]["missed_error"]["mean"])


def _requests(run: RecordedRun) -> int:
    """Counted requests over all replications; every run of every policy meets the same ones."""
    met: dict[int, int] = {}
    for cell, requests in zip(run.cells.cells, run.counted.requests.tolist(), strict=True):
        met[cell.replication] = max(met.get(cell.replication, 0), requests)
    return sum(met.values())


def _compared_at_ms(run: RecordedRun, points: Mapping[str, list[Point]]) -> float | None:
    """The deadline at which policies are compared: their own, or where one has no such run the axis's nearest."""
    everybody_own = all(any(point.deadline_ms is None for point in of_policy) for of_policy in points.values())
    return None if everybody_own else run.axis.nearest_ms()


def _point(
    run: RecordedRun, point: Point, weights: np.ndarray, sections: Sections | None, policy: str, place: int
) -> dict[str, Any]:
    def interval(name: str) -> dict[str, float | None]:
        over = t_interval(getattr(point, name))
        return _interval(over if sections is None else sections.of_point(policy, place, name, over.mean))

    totals = {"on_time_accuracy": point.right} | ({"on_time_error": point.error} if run.regression else {})
    found: dict[str, Any] = {"deadline_ms": point.deadline_ms}
    for name, total in totals.items():
        pool = pool_interval(total, point.asked, weights, generator(run.seed, "resampled replications"))
        found[name] = {**interval(name), **_pool(pool)}
    return {**found, "miss_ratio": interval("miss_ratio")}


def _runs(run: RecordedRun, sections: Sections | None) -> dict[str, list[dict[str, Any]]]:
    """Each policy's runs: one at own deadlines, or one for each deadline of the axis."""
    measures = measures_of(run)

    def interval(policy: str, deadline_ms: float | None, name: str, values: np.ndarray) -> dict[str, float | None]:
        over = t_interval(values)
        return _interval(over if sections is None else sections.of_metric(policy, deadline_ms, name, over.mean))

    return {
        policy: [
            {
                "deadline_ms": deadline_ms,
                "metrics": {
                    name: interval(policy, deadline_ms, name, values[cells])
                    for name, values in measures.metrics.items()
                },
                "ends": _means(measures.ends, cells),
                "stages": _means(measures.stages, cells),
                "reasons": _occurring(measures.reasons, cells),
                "exits": _occurring(measures.exits, cells),
                "cuts": _occurring(measures.cuts, cells),
                "nodes": {name: _means(values, cells) for name, values in measures.nodes.items()},
                "links": {name: _means(values, cells) for name, values in measures.links.items()},
            }
            for deadline_ms, cells in run.cells.runs(policy).items()
        ]
        for policy in run.policies
    }


def _differences(
    points: Mapping[str, list[Point]], compared_ms: float | None, measure: Measure
) -> list[dict[str, Any]]:
    """Every pair of policies at the compared deadline, the better first."""
    values = {
        policy: dict(zip(point.replications, (measure.sign * getattr(point, measure.key)).tolist(), strict=True))
        for policy, of_policy in points.items()
        for point in of_policy
        if point.deadline_ms == compared_ms
    }
    return [_difference(difference) for difference in paired_differences(values)]


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "better": difference.first,
        "worse": difference.second,
        "difference": _interval(difference.interval),
        "p": _number(difference.p),
        "p_holm": _number(difference.p_holm),
        "distinguishable": bool(difference.p_holm < 1.0 - CONFIDENCE),
    }


def _warnings(run: RecordedRun, runs: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    found = [] if run.counted.requests.any() else [stability.NOTHING_COUNTS]
    found += stability.without_requests(
        run.scenario["replications"], len({cell.replication for cell in run.cells.cells})
    )
    for policy, of_policy in runs.items():
        for each, cells in zip(of_policy, run.cells.runs(policy).values(), strict=True):
            utilisation = {name: node["utilisation"] for name, node in each["nodes"].items()}
            deadline = "" if each["deadline_ms"] is None else f" at {each['deadline_ms']:g} ms"
            sentences = stability.full_nodes(utilisation)
            sentences += stability.growing_waits(run.counted, cells)
            sentences += stability.cut_off(each["ends"]["unfinished"])
            found += [f"{policy}{deadline}: {sentence}" for sentence in sentences]
    return [*found, *warmup_notes(run)]


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: _number(value) for name, value in interval._asdict().items()}


def _pool(interval: Interval) -> dict[str, float | None]:
    return {"pool_low": _number(interval.low), "pool_high": _number(interval.high)}


def _means(values: PerCells, cells: list[int]) -> dict[str, float | None]:
    """Plain means over replications."""
    return {name: _number(t_interval(measure[cells]).mean) for name, measure in values.items()}


def _occurring(shares: PerCells, cells: list[int]) -> dict[str, float | None]:
    """Mean shares over replications, without those that never occur in these cells."""
    return {name: mean for name, mean in _means(shares, cells).items() if mean}


def _number(value: float) -> float | None:
    """A number that JSON knows: nothing to measure is null."""
    return float(value) if math.isfinite(value) else None
