"""What a study file may say: a scenario, axes along which it is changed, and how often each cell is repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, Strict, ValidationInfo, field_validator, model_validator

from edgesim.results.statistics import LEAST_REPLICATIONS
from edgesim.scenario.document import Document
from edgesim.scenario.spec import Count, Name, Positive, Spec, earlier

Values = Annotated[tuple[Any, ...], Strict(False), Field(min_length=1)]
POLICY = "policy"
"""The key of an axis, or of a side of a contrast, that names policies."""


class Range(Spec):
    """Evenly spaced numbers, both ends included."""

    low: float = Field(description="First value.")
    high: float = Field(description="Last value.")
    count: Annotated[int, Field(ge=2)] = Field(description="How many values.")
    whole: bool = Field(default=False, description="Rounded to whole numbers.")

    @field_validator("high")
    @classmethod
    def _above(cls, high: float, info: ValidationInfo) -> float:
        low = earlier(info, "low")
        if low is not None and high <= low:
            raise ValueError(f"found {high:g}, allowed: more than low ({low:g})")
        return high


class Axis(Spec):
    """One thing that is varied: a key of the scenario, or several that change together."""

    key: str | None = Field(
        default=None, min_length=1, description="Key of the scenario, with dots, or 'policy' for which policies run."
    )
    keys: Annotated[tuple[str, ...], Strict(False), Field(min_length=1)] | None = Field(
        default=None, description="In place of key: several keys that change together."
    )
    values: Values | None = Field(
        default=None, description="Values of the key; with keys, lists of one value for each of them."
    )
    range: Range | None = Field(default=None, description="In place of values: evenly spaced numbers.")
    log_range: Range | None = Field(default=None, description="In place of values: numbers of even ratios.")
    names: Annotated[tuple[str | int | float, ...], Strict(False)] | None = Field(
        default=None, description="What tables and plots call the values; the values themselves where not given."
    )
    base: Any = Field(
        default=None, description="one_at_a_time: the value (by its name) that it has while others vary; the first."
    )
    label: str | None = Field(default=None, description="What plots call the axis, with its unit.")

    @field_validator("log_range")
    @classmethod
    def _above_zero(cls, log_range: Range | None) -> Range | None:
        if log_range is not None and log_range.low <= 0:
            raise ValueError(f"found low {log_range.low:g}, allowed: above 0")
        return log_range

    @model_validator(mode="after")
    def _is_whole(self) -> Axis:
        _exactly_one(self, "key", "keys")
        _exactly_one(self, "values", "range", "log_range")
        if self.keys is not None:
            if self.values is None:
                raise ValueError("found keys without values, allowed: values, a list for each step")
            for value in self.values:
                if not isinstance(value, list) or len(value) != len(self.keys):
                    raise ValueError(f"found {value!r} in values, allowed: lists of {len(self.keys)}, one for each key")
        if self.names is not None:
            if self.values is None or len(self.names) != len(self.values):
                raise ValueError("names: allowed: one for each of the values")
            if len(set(self.names)) < len(self.names):
                raise ValueError("names: found one twice, allowed: different names")
        return self


class Until(Spec):
    """When there are enough replications of a cell."""

    metric: str = Field(min_length=1, description="A metric of docs/metrics.md, such as on_time_accuracy.")
    half_width: Positive = Field(
        description="Largest half width of its 95 % interval, of any policy; in its unit (a share of 1, s, J)."
    )
    deadline_ms: Positive | None = Field(
        default=None, description="At this deadline of the axis; none: wherever the metric was measured."
    )
    at_least: Annotated[int, Field(ge=LEAST_REPLICATIONS)] = Field(
        default=LEAST_REPLICATIONS, description=f"Fewest replications, {LEAST_REPLICATIONS} at least."
    )
    at_most: Count = Field(default=100, description="Most replications.")

    @field_validator("at_most")
    @classmethod
    def _not_fewer(cls, at_most: int, info: ValidationInfo) -> int:
        at_least = earlier(info, "at_least")
        if at_least is not None and at_most < at_least:
            raise ValueError(f"found {at_most}, allowed: at_least ({at_least}) or more")
        return at_most


Side = dict[str, Any]


class Contrast(Spec):
    """A difference that is asked for beforehand: first minus second, paired by replication."""

    first: Side = Field(description="Names of axes with the values there; 'policy' for the policy.")
    second: Side = Field(description="The same for the other side.")
    metric: str = Field(default="on_time_accuracy", min_length=1, description="A metric of docs/metrics.md.")
    deadline_ms: Positive | None = Field(
        default=None, description="At this deadline of the axis; none: at the requests' own deadlines."
    )

    policies: Annotated[tuple[Name, ...], Strict(False), Field(min_length=1)] | None = Field(
        default=None, description="Of these policies alone; of each where not given. Not with policy on its sides."
    )

    @model_validator(mode="after")
    def _policies_on_both_sides(self) -> Contrast:
        if self.policies is not None and POLICY in {*self.first, *self.second}:
            raise ValueError("found policies beside a side that names its policy, allowed: one of them")
        if (POLICY in self.first) != (POLICY in self.second):
            raise ValueError("found policy on one side, allowed: on both, or on neither for a contrast of each policy")
        if self.first == self.second:
            raise ValueError("found the same on both sides, allowed: two sides that differ")
        return self


class Study(Spec):
    """A question, the scenario that it is asked of, and what is varied."""

    study: Name = Field(description="Name of the study and of its results folder: letters, digits, '_' and '-'.")
    question: str = Field(default="", description="What it answers, in a sentence; stands above the report.")
    scenario: str = Field(min_length=1, description="Path of the scenario's YAML file, from the study's folder.")
    set: dict[str, Any] = Field(default={}, description="Changes to the scenario, by key with dots.")
    policies: Annotated[tuple[Name, ...], Strict(False)] | None = Field(
        default=None, description="Which of the scenario's policies run; all where not given."
    )
    design: Literal["grid", "one_at_a_time", "latin_hypercube"] = Field(
        default="grid",
        description="grid: every combination; one_at_a_time: each axis alone, the others at their base; "
        "latin_hypercube: samples points, each axis cut into so many strips.",
    )
    samples: Annotated[int, Field(ge=2)] | None = Field(default=None, description="latin_hypercube: how many points.")
    design_seed: Annotated[int, Field(ge=0)] = Field(default=1, description="latin_hypercube: where its draws begin.")
    axes: dict[Name, Axis] = Field(min_length=1, description="What is varied, by name.")
    replications: Count = Field(default=10, description="Repetitions of each cell.")
    until: Until | None = Field(default=None, description="In place of replications: as many as a half width asks for.")
    contrasts: dict[Name, Contrast] = Field(
        default={}, description="Differences asked for beforehand; Holm's correction is over all of them."
    )
    _path: Path = PrivateAttr(default=Path())
    _document: Document = PrivateAttr(default_factory=lambda: Document("study", {}))

    @property
    def path(self) -> Path:
        """The file that it was read from."""
        return self._path

    @property
    def document(self) -> Document:
        """What the user wrote, with the line of each key."""
        return self._document

    @model_validator(mode="after")
    def _fits_together(self, info: ValidationInfo) -> Study:
        if self.until is not None and "replications" in self.model_fields_set:
            raise ValueError("found replications beside until, allowed: one of them")
        if (self.samples is not None) != (self.design == "latin_hypercube"):
            raise ValueError("samples: goes with design latin_hypercube, and only with that")
        if info.context:
            self._path, self._document = info.context["path"], info.context["document"]
        return self


def _exactly_one(axis: Axis, *names: str) -> None:
    found = [name for name in names if getattr(axis, name) is not None]
    if len(found) != 1:
        raise ValueError(f"found {' and '.join(found) or 'none'}, allowed: exactly one of {', '.join(names)}")
