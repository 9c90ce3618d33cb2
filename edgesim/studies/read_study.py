"""From a study's file to a study whose scenario, axes and contrasts fit together, or to one error that says why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from edgesim.errors import InputError
from edgesim.results.quantity import is_share
from edgesim.scenario.document import Document, Place, dotted, is_scenario, is_study
from edgesim.scenario.load import validated
from edgesim.scenario.overrides import set_key
from edgesim.scenario.problems import Problem, from_validation, input_error, not_among
from edgesim.scenario.reader import read
from edgesim.scenario.scenario import Scenario
from edgesim.studies.design import points_of, steps_of
from edgesim.studies.metrics_asked import metric_problems
from edgesim.studies.study import POLICY, Axis, Contrast, Side, Study

COLUMNS = ("cell", "deadline_ms", "quantity", "replication", "value", "n", "mean", "low", "high")
"""Of the tables of a study, beside its axes."""


@dataclass(frozen=True)
class Base:
    """The scenario that a study changes, as plain values, so that it can be sent anywhere.

    data: what the user wrote, ``set`` and ``policies`` of the study carried out.  folder: that its paths count from.
    """

    data: Mapping[str, Any]
    folder: Path

    def changed(self, changes: Mapping[str, Any], place: str) -> Scenario:
        """The scenario with keys changed; errors there name ``place``.  Raises InputError where they do not fit."""
        document = Document("scenario", deepcopy(dict(self.data)))
        for number, (key, value) in enumerate(changes.items()):
            if key == POLICY:
                _keep_policies(document, [value] if isinstance(value, str) else value, place)
            else:
                set_key(document, key, deepcopy(value), Place(0, number, place))
        return validated(document, self.folder)


def read_study(path: Path, changes: Sequence[tuple[str, Any]] = ()) -> tuple[Study, Base]:
    """The study in the YAML file ``path``, and its scenario; changes: of the study's own keys, as from options.

    Raises InputError naming file, line and key, what was found and what is allowed.  Every value of every axis has been
    tried alone; how values go together is only found out by the cells.
    """
    return _validated(read(path), path, changes)


def build_study(data: Mapping[str, Any], folder: Path, changes: Sequence[tuple[str, Any]] = ()) -> tuple[Study, Base]:
    """The study that plain values mean, as those of a file in ``folder``.  Raises InputError as ``read_study``."""
    return _validated(Document("study", deepcopy(dict(data))), folder / "study.yaml", changes)


def _validated(document: Document, path: Path, changes: Sequence[tuple[str, Any]]) -> tuple[Study, Base]:
    if is_scenario(document.data):
        raise InputError(f"{path}: found a scenario, allowed: a study; edgesim run {path} runs it")
    for number, (key, value) in enumerate(changes):
        if key == "replications" and document.data.get("until") is not None:
            raise InputError("--replications: the study says until, allowed: until.at_least and at_most in its file")
        set_key(document, key, value, Place(0, number, f"--{key}"))
    try:
        study = Study.model_validate(document.data, context={"path": path, "document": document})
    except ValidationError as error:
        raise input_error(document, from_validation(error, document.data, Study)) from None
    base = _base(study)
    problems = [*_axis_problems(study, base), *_contrast_problems(study, base), *_metric_problems(study, base)]
    if problems:
        raise input_error(document, problems)
    return study, base


def _base(study: Study) -> Base:
    folder = study.path.resolve().parent
    path = (folder / study.scenario).resolve()
    if not path.is_relative_to(folder.parent):
        message = f"found {study.scenario!r}, allowed: a file in the study's folder or in the one above it"
        raise InputError(study.document.error(("scenario",), message))
    if not path.is_file():
        raise InputError(study.document.error(("scenario",), f"found {study.scenario!r}, but there is no such file"))
    document = read(path)
    if is_study(document.data):
        found = f"found {study.scenario!r}, which is a study, allowed: a scenario"
        raise InputError(study.document.error(("scenario",), found))
    for key, value in study.set.items():
        set_key(document, key, value, Place(0, 0, study.document.place(("set", key)).text))
    if study.policies is not None:
        _keep_policies(document, study.policies, study.document.place(("policies",)).text)
    validated(document, path.parent)
    return Base(document.data, path.parent)


def _keep_policies(document: Document, wanted: Sequence[str], place: str) -> None:
    policies = document.data.get("policies") or {}
    for name in wanted:
        if name not in policies:
            raise InputError(f"{place}: policies: {not_among(name, policies, 'a name in policies')}")
    document.data["policies"] = {name: policies[name] for name in policies if name in wanted}


def _axis_problems(study: Study, base: Base) -> Iterator[Problem]:
    keys: dict[str, str] = {}
    for name, axis in study.axes.items():
        here = ("axes", name)
        if name in COLUMNS:
            yield Problem(
                here, f"found a name that the tables have for a column ({', '.join(COLUMNS)}), allowed: another"
            )
        for also in study.set.keys() & {*(axis.keys or (axis.key,))}:
            yield Problem(("set", also), f"found {also}, which axes.{name} varies; allowed: in one of them")
        if (name == POLICY) != (axis.key == POLICY):
            yield Problem(here, "found one of the name policy and the key policy, allowed: both or neither")
        for key in axis.keys or (axis.key,):
            if key in keys:
                yield Problem(here, f"found {key}, which axes.{keys[str(key)]} varies already; allowed: another key")
            keys[str(key)] = name
        if len(set(map(str, points_of(axis)))) < len(points_of(axis)):
            yield Problem(here, "found a value twice, allowed: different values (or names)")
        elif axis.base is not None and axis.base not in points_of(axis):
            yield Problem((*here, "base"), f"found {axis.base!r}, allowed: {_listed(axis)}")
        else:
            yield from _value_problems(study, base, name, axis)


def _value_problems(study: Study, base: Base, name: str, axis: Axis) -> Iterator[Problem]:
    here = ("axes", name)
    for number, step in enumerate(steps_of(axis)):
        key = (*here, "values", number) if axis.values is not None else here
        where = f"{study.document.place(key).text}: {dotted(key)}"
        try:
            base.changed(step.changes, where)
        except InputError as error:
            yield Problem(key, str(error).removeprefix(f"{where}: ").replace("scenario:1:1: ", ""))
            return


def _contrast_problems(study: Study, base: Base) -> Iterator[Problem]:
    for name, contrast in study.contrasts.items():
        for side_name, side in (("first", contrast.first), ("second", contrast.second)):
            yield from _side_problems(study, base, ("contrasts", name, side_name), side)
        for policy in contrast.policies or ():
            if policy not in base.data["policies"]:
                message = not_among(policy, base.data["policies"], "a policy that runs")
                yield Problem(("contrasts", name, "policies"), message)
        if study.design == "latin_hypercube":
            yield Problem(("contrasts", name), "found a contrast in a Latin hypercube, allowed: in a grid, or "
                          "one_at_a_time")  # fmt: skip
        elif study.design == "one_at_a_time":
            yield from _off_the_star(study, name, contrast)


def _side_problems(study: Study, base: Base, here: tuple[str, ...], side: Side) -> Iterator[Problem]:
    for axis, value in side.items():
        if axis == POLICY and POLICY not in study.axes:
            if value not in base.data["policies"]:
                yield Problem((*here, axis), not_among(str(value), base.data["policies"], "a policy that runs"))
        elif axis not in study.axes:
            yield Problem((*here, axis), not_among(axis, study.axes, "the name of an axis"))
        elif value not in points_of(study.axes[axis]):
            yield Problem((*here, axis), f"found {value!r}, allowed: {_listed(study.axes[axis])}")


def _metric_problems(study: Study, base: Base) -> Iterator[Problem]:
    if any(key.startswith("deadlines_ms") for axis in study.axes.values() for key in axis.keys or (str(axis.key),)):
        return  # cells have axes of deadlines of their own
    scenario = base.changed({}, "the study's scenario")
    asked = {("contrasts", name): (contrast.metric, contrast.deadline_ms) for name, contrast in study.contrasts.items()}
    if study.until is not None:
        yield from metric_problems(("until",), study.until.metric, study.until.deadline_ms, scenario)
        if is_share(study.until.metric) and study.until.half_width >= 1:
            found = f"found {study.until.half_width:g}, allowed: below 1, as {study.until.metric} is a share"
            yield Problem(("until", "half_width"), found)
    for here, (metric, deadline_ms) in asked.items():
        yield from metric_problems(here, metric, deadline_ms, scenario)


def _off_the_star(study: Study, name: str, contrast: Contrast) -> Iterator[Problem]:
    for side in (contrast.first, contrast.second):
        moved = [axis for axis in side if axis in study.axes and side[axis] != base_of(study.axes[axis])]
        if len(moved) > 1:
            yield Problem(("contrasts", name), f"found {' and '.join(moved)} away from their base together, which "
                          "one_at_a_time does not run; allowed: one of them, or design grid")  # fmt: skip


def base_of(axis: Axis) -> Any:
    """How the value is called that an axis has while others vary."""
    return points_of(axis)[0] if axis.base is None else axis.base


def _listed(axis: Axis) -> str:
    return ", ".join(map(str, points_of(axis)))
