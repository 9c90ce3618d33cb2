"""What the pictures of a study are drawn from: means at the deadline asked, along its axes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgesim.results.plots import style
from edgesim.results.plots.hidden import WIDER, hidden
from edgesim.results.plots.ticks import round_ticks, value_ticks
from edgesim.studies.asked import deadline_asked, measure_asked
from edgesim.studies.design import Value, points_of
from edgesim.studies.findings import Findings
from edgesim.studies.read_study import base_of

DRAWN = ("on_time_", "miss_ratio", "latency_", "energy_j", "bytes_up", "arrivals_hz", "exit:", "cut:")
"""How the quantities begin that pictures show."""
MOST_AXES = 8
MOST_MAPS = 3
MOST_VALUES = 60
"""Axes, maps, and values of an axis that are drawn; a study may have more."""
MOST_TICKS = 20
"""Values of an axis that get ticks of their own."""


class Measured:
    """Means of a study; ``measure`` and ``deadline_ms`` (None: own) are those by which its policies are compared."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.policies = findings.policies
        frame = findings.summaries([name for name in findings.quantities if name.startswith(DRAWN)])
        self._frame = frame[frame.n > 0]
        self.measure = measure_asked(self._frame)
        self.deadline_ms = deadline_asked(findings, self._frame, self.measure)
        self.looks = style.looks({"policies": {name: {"oracle": name in self._oracles} for name in self._asked}})

    @property
    def _oracles(self) -> Collection[str]:
        found: Collection[str] = self.findings.manifest["labels"]["oracles"]
        return found

    @property
    def _asked(self) -> list[str]:
        return list(self.findings.manifest["scenario"]["policies"])

    def is_oracle(self, policy: str) -> bool:
        return policy in self._oracles

    @property
    def axes(self) -> list[str]:
        """The axes that get a picture of their own."""
        return self.findings.axes[:MOST_AXES]

    @property
    def lined_axes(self) -> list[str]:
        """The axes along which everything else can stand still."""
        return [] if self.findings.study.design == "latin_hypercube" else self.axes

    @property
    def crossed_axes(self) -> list[tuple[str, str]]:
        """Pairs of axes of which every combination was run."""
        return list(combinations(self.axes, 2))[:MOST_MAPS] if self.findings.study.design == "grid" else []

    @cached_property
    def deadlines_ms(self) -> list[float]:
        """The deadlines of the axis at which the measure was taken."""
        frame = self._means(self.measure.key)
        return sorted(frame.deadline_ms.dropna().unique().tolist())

    def label(self, axis: str) -> str:
        """What an axis is called."""
        return self.findings.study.axes[axis].label or axis

    def values(self, axis: str) -> list[Value]:
        """The values of an axis, in its order; those that a hypercube took, rising."""
        if self.findings.study.design == "latin_hypercube" and self.findings.study.axes[axis].values is None:
            return sorted(self.findings.cells[axis].unique().tolist())
        return points_of(self.findings.study.axes[axis])[:MOST_VALUES]

    def places(self, axis: str) -> np.ndarray | None:
        """Where the values of an axis stand, if they are numbers; None where they are names."""
        values = self.values(axis)
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return np.array(values, float)
        return None

    def at_asked(self, *quantities: str) -> pd.DataFrame:
        """Rows of ``Findings.summaries`` at the deadline asked; of a policy that was not run for it, at own ones."""
        frame = self._means(*quantities)
        own = frame.deadline_ms.isna()
        if self.deadline_ms is None:
            return frame[own]
        asked = frame.deadline_ms == self.deadline_ms
        keys = ["cell", "policy", "quantity"]
        has = pd.MultiIndex.from_frame(frame.loc[asked, keys])
        return frame[asked | (own & ~pd.MultiIndex.from_frame(frame[keys]).isin(has))]

    def at_deadline(self, deadline_ms: float) -> pd.DataFrame:
        """The measure at a deadline of the axis."""
        frame = self._means(self.measure.key)
        return frame[frame.deadline_ms == deadline_ms]

    def along(self, axis: str, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of cells in which every other axis stands at its base."""
        return self.along_all([axis], frame)

    def along_all(self, moving: Collection[str], frame: pd.DataFrame) -> pd.DataFrame:
        """The same for several axes that may move; all rows of a Latin hypercube, which has no base."""
        if self.findings.study.design == "latin_hypercube":
            return frame
        for other in self.findings.axes:
            if other not in moving:
                frame = frame[frame[other] == base_of(self.findings.study.axes[other])]
        return frame

    @cached_property
    def choices(self) -> list[str]:
        """The axes of what somebody can choose: policies and models, not the world they are in."""
        axes = self.findings.study.axes
        return [
            name
            for name in self.findings.axes
            if all(str(key).startswith(("policies.", "models.")) for key in axes[name].keys or (axes[name].key,))
        ]

    def bases(self, *moving: str) -> str:
        """Where the axes stand that do not move, as a sentence; empty where all move."""
        still = [f"{name} {base_of(axis)}" for name, axis in self.findings.study.axes.items()
                 if name not in moving and name in self.findings.axes]  # fmt: skip
        return f"Other axes at their base: {', '.join(still)}" if still else ""

    def caption(self, drawing: Figure, *sentences: str) -> None:
        """Under the drawing: cells, replications, seed, what is said, and what marks the numbers."""
        findings = self.findings
        counts = self._means(self.measure.key).n
        span = f"{counts.min():.0f}" if counts.min() == counts.max() else f"{counts.min():.0f} to {counts.max():.0f}"
        style.caption_of(
            drawing,
            f"{findings.study.study}: {findings.counts.cells:,} cells, {span} replications each, "
            f"{self._requests:,.0f} requests a replication and policy (mean), seed {findings.manifest['seed']}",
            *filter(None, sentences),
            *style.label_sentences(findings.manifest["labels"]),
        )

    @cached_property
    def _requests(self) -> float:
        scenario = self.findings.manifest["scenario"]
        window_s = scenario["duration_s"] - scenario["warmup_s"]
        return float(self._means("arrivals_hz")["mean"].mean() * window_s)

    def _means(self, *quantities: str) -> pd.DataFrame:
        return self._frame[self._frame["quantity"].isin(quantities)]


def axis_of_values(axes: Axes, measured: Measured, axis: str) -> Mapping[Value, float]:
    """Make the x axis that of a study's axis; where each of its values stands on it.

    Numbers stand where they are, on a logarithmic scale where they span more than a decade; names side by side.
    """
    values, places = measured.values(axis), measured.places(axis)
    axes.set_xlabel(measured.label(axis))
    if places is None:
        style.name_ticks(axes, range(len(values)), values, letters=70)
        axes.set_xlim(-0.5, len(values) - 0.5)
        return {value: float(number) for number, value in enumerate(values)}
    if len(values) <= MOST_TICKS:
        value_ticks(axes, places.tolist())
    elif places.min() > 0 and places.max() > 10 * places.min():
        axes.set_xscale("log")
        axes.set_xticks(ticks := round_ticks(places.tolist()), [f"{tick:g}" for tick in ticks])
    return {value: float(value) for value in values}


def bands(
    axes: Axes,
    curves: Mapping[str, pd.DataFrame],
    looks: Mapping[str, style.Look],
    same: float,
    factor: float = 1.0,
) -> None:
    """A line of means and a band of their intervals for each policy.

    curves: indexed by where they stand.  same: by how much two may differ and look like one (``hidden``).
    """
    means = pd.DataFrame({policy: rows["mean"] for policy, rows in curves.items()})
    under = hidden({policy: means[policy].to_numpy() for policy in curves}, same)
    for policy, rows in curves.items():
        mean, low, high = (factor * rows[name].to_numpy() for name in ("mean", "low", "high"))
        look, wider = looks[policy], WIDER * len(under.get(policy, ()))
        axes.plot(rows.index, mean, color=look.colour, linestyle=look.line, marker=look.marker,
                  markersize=4.5 + wider, linewidth=1.5 + wider, label=look.label)  # fmt: skip
        axes.fill_between(rows.index, np.where(np.isnan(low), mean, low), np.where(np.isnan(high), mean, high),
                          color=look.colour, alpha=0.16, linewidth=0)  # fmt: skip


def bars(axes: Axes, x: np.ndarray, rows: pd.DataFrame, look: style.Look, factor: float = 1.0) -> None:
    """A policy's means as points, their intervals as bars."""
    mean, low, high = (factor * rows[name].to_numpy() for name in ("mean", "low", "high"))
    ends = np.nan_to_num(np.stack([mean - low, high - mean]))
    axes.errorbar(x, mean, ends, color=look.colour, marker=look.marker, markersize=4.5, linestyle="none",
                  elinewidth=1.2, label=look.label)  # fmt: skip
