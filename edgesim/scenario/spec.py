"""The ground of every class of the scenario: strict, closed, finite, frozen."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict
from pydantic_core.core_schema import ValidationInfo


class Spec(BaseModel):
    """A mapping that a user writes: no unknown key, no quiet conversion ("5" is no number), no NaN, no infinity.

    A whole number is taken where a float is meant.  Attributes are named as the keys, in the units of the keys.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", title="letters, digits, '_' and '-'")]
"""A name becomes part of file names and of columns.  The title of a pattern says in words what it allows."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]

# YAML knows lists only; tuples keep a scenario frozen.  ``Strict(False)`` loosens the container, not what it holds.
Cuts = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Strict(False)]
Blocks = Annotated[tuple[Count, ...], Strict(False)]
Shares = Annotated[tuple[Share, ...], Strict(False)]
Sizes = Annotated[tuple[Count, ...], Strict(False)]


def increasing(values: tuple[float, ...], what: str) -> None:
    """Refuse ``values`` that do not rise strictly."""
    for before, after in pairwise(values):
        if after <= before:
            raise ValueError(f"found {after} after {before}, allowed: {what} that rise strictly")


def earlier(info: ValidationInfo, key: str) -> Any:
    """The value of a key that stands before the one being validated; None where that one was refused itself."""
    return info.data.get(key)


def above_low(high_ms: float, info: ValidationInfo) -> float:
    """A validator for ``high_ms``: above ``low_ms``, which is named before it."""
    low_ms = earlier(info, "low_ms")
    if low_ms is not None and high_ms <= low_ms:
        raise ValueError(f"found {high_ms:g}, allowed: more than low_ms ({low_ms:g})")
    return high_ms
