"""The cells of a study: which values the axes take together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from edgesim.studies.study import Axis, Study

Value = str | int | float | bool
"""What a table can hold of a value: itself, or its name."""


@dataclass(frozen=True)
class Cell:
    """A point of the design.

    number: from 0, in the order of the design.  point: axis -> how the value is called.  changes: keys of the scenario
    and what they are set to, in the order of the axes.
    """

    number: int
    point: Mapping[str, Value]
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One value of an axis: how it is called, and what it changes."""

    name: Value
    changes: Mapping[str, Any]


def cells_of(study: Study) -> Iterator[Cell]:
    """Every cell of the study's design, one after the other."""
    designs = {"grid": _grid, "one_at_a_time": _one_at_a_time, "latin_hypercube": _latin_hypercube}
    for number, steps in enumerate(designs[study.design](study)):
        point = {name: step.name for name, step in zip(study.axes, steps, strict=True)}
        changes = {key: value for step in steps for key, value in step.changes.items()}
        yield Cell(number, point, changes)


def points_of(axis: Axis) -> list[Value]:
    """How the values of an axis are called, in its order."""
    return [step.name for step in steps_of(axis)]


def _grid(study: Study) -> Iterator[tuple[Step, ...]]:
    """Every combination; the last axis changes fastest."""
    yield from product(*(steps_of(axis) for axis in study.axes.values()))


def _one_at_a_time(study: Study) -> Iterator[tuple[Step, ...]]:
    """All axes at their base, then each axis at its other values, the others at their base."""
    steps = [steps_of(axis) for axis in study.axes.values()]
    base = [_base(axis, of_axis) for axis, of_axis in zip(study.axes.values(), steps, strict=True)]
    yield tuple(base)
    for place, of_axis in enumerate(steps):
        for step in of_axis:
            if step is not base[place]:
                yield (*base[:place], step, *base[place + 1 :])


def _latin_hypercube(study: Study) -> Iterator[tuple[Step, ...]]:
    """Points of a Latin hypercube: each axis is cut into as many strips of equal probability as there are points.

    Source: McKay, Beckman, Conover 1979, Technometrics 21(2).  A range is sampled as a continuous axis, evenly or
    evenly in the logarithm; a list of values as strips of equal width.
    """
    from scipy.stats.qmc import LatinHypercube

    assert study.samples is not None
    sampler = LatinHypercube(len(study.axes), rng=np.random.default_rng(study.design_seed))
    for row in sampler.random(study.samples):
        yield tuple(_at(axis, float(share)) for axis, share in zip(study.axes.values(), row, strict=True))


def _base(axis: Axis, steps: list[Step]) -> Step:
    if axis.base is None:
        return steps[0]
    return next(step for step in steps if step.name == axis.base)


def steps_of(axis: Axis) -> list[Step]:
    """The values of an axis, in its order."""
    if axis.values is None:
        values: list[Any] = [_number(axis, float(value)) for value in _spaced(axis)]
        values = list(dict.fromkeys(values))  # whole numbers may fall together
        return [Step(value, _changes(axis, value)) for value in values]
    names = axis.names or [_name(value) for value in axis.values]
    return [Step(name, _changes(axis, value)) for name, value in zip(names, axis.values, strict=True)]


def _spaced(axis: Axis) -> np.ndarray:
    if axis.range is not None:
        return np.linspace(axis.range.low, axis.range.high, axis.range.count)
    assert axis.log_range is not None
    return np.geomspace(axis.log_range.low, axis.log_range.high, axis.log_range.count)


def _at(axis: Axis, share: float) -> Step:
    """The value at a share (0 to 1) of the axis."""
    if axis.values is not None:
        steps = steps_of(axis)
        return steps[min(int(share * len(steps)), len(steps) - 1)]
    if axis.range is not None:
        value = axis.range.low + share * (axis.range.high - axis.range.low)
    else:
        assert axis.log_range is not None
        value = axis.log_range.low * (axis.log_range.high / axis.log_range.low) ** share
    number = _number(axis, value)
    return Step(number, _changes(axis, number))


def _number(axis: Axis, value: float) -> int | float:
    span = axis.range or axis.log_range
    return round(value) if span is not None and span.whole else float(f"{value:.6g}")


def _changes(axis: Axis, value: Any) -> dict[str, Any]:
    if axis.keys is not None:
        return dict(zip(axis.keys, value, strict=True))
    assert axis.key is not None
    return {axis.key: value}


def _name(value: Any) -> Value:
    """A plain value as it is; a list or mapping as short text."""
    if isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_name(inner)}" for key, inner in value.items())
    return ", ".join(str(_name(inner)) for inner in value)
