"""A run's results in Python: its tables, and what they say, as tidy pandas frames."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from edgesim.errors import InputError
from edgesim.results.recorded import RecordedRun, read_json
from edgesim.results.replicated import replicated
from edgesim.results.summary import read_summary

INTERVAL = ["mean", "low", "high"]


class Results:
    """The results folder of a run.  Raises InputError where there is none, or where a file is missing or broken.

    ``manifest`` (seed, versions, labels, warnings) and ``summary`` as they lie in the folder; docs/metrics.md defines
    every key, column and quantity.  Where a frame has ``deadline_ms``, NaN means the requests' own deadlines.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = read_json(folder / "manifest.json")
        self.summary: dict[str, Any] = read_summary(folder)

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r})"

    @property
    def policies(self) -> list[str]:
        """The policies that were run, in the scenario's order."""
        return list(self.summary["policies"])

    @cached_property
    def requests(self) -> pd.DataFrame:
        """A row a request.  They depend on each other: put no interval over rows of one replication."""
        return self._table("requests")

    @cached_property
    def answers(self) -> pd.DataFrame:
        """A row an answer that reached its device."""
        return self._table("answers")

    @cached_property
    def links(self) -> pd.DataFrame:
        """A row a link, device and direction."""
        return self._table("links")

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """A row a node."""
        return self._table("nodes")

    @cached_property
    def points(self) -> pd.DataFrame:
        """The curves over the deadline.

        Columns: policy, deadline_ms, quantity (on_time_accuracy, miss_ratio; in regression on_time_error), mean, low,
        high, pool_low, pool_high.
        """
        rows = [
            {"policy": name, "deadline_ms": point["deadline_ms"], "quantity": quantity, **point[quantity]}
            for name, policy in self.summary["policies"].items()
            for point in policy["points"]
            for quantity in point
            if quantity != "deadline_ms"
        ]
        return _numbers(
            pd.DataFrame(rows, columns=["policy", "deadline_ms", "quantity", *INTERVAL, "pool_low", "pool_high"])
        )

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Means of everything else that was measured of each run of a policy.

        Columns: policy, deadline_ms (that it was run with), quantity, mean, low, high.  Quantities are the metrics, and
        without intervals ``end:``, ``stage:``, ``reason:``, ``exit:``, ``cut:``, ``node:`` and ``link:`` with what
        follows.
        """
        rows = [
            {"policy": name, "deadline_ms": run["deadline_ms"], "quantity": quantity, **values}
            for name, policy in self.summary["policies"].items()
            for run in policy["runs"]
            for quantity, values in _quantities(run)
        ]
        return _numbers(pd.DataFrame(rows, columns=["policy", "deadline_ms", "quantity", *INTERVAL]))

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Every pair of policies at ``summary["compared_at_ms"]``, the better first.

        Columns: better, worse, difference, low, high, p, p_holm, distinguishable.
        """
        rows = [
            {
                **pair,
                "difference": pair["difference"]["mean"],
                **{end: pair["difference"][end] for end in ("low", "high")},
            }
            for pair in self.summary["differences"]
        ]
        columns = ["better", "worse", "difference", "low", "high", "p", "p_holm", "distinguishable"]
        return _numbers(pd.DataFrame(rows, columns=columns))

    def replications(self, quantities: Collection[str] | None = None) -> pd.DataFrame:
        """Every value of every replication, as ``Findings.replications`` of a study.

        Columns: policy, deadline_ms, quantity, replication, value.  quantities: only these; all where None.
        """
        parts = [
            pd.DataFrame(
                {
                    "policy": each.policy,
                    "deadline_ms": np.nan if each.deadline_ms is None else each.deadline_ms,
                    "quantity": each.quantity,
                    "replication": each.replications,
                    "value": each.values,
                }
            )
            for each in replicated(RecordedRun(self.folder))
            if quantities is None or each.quantity in quantities
        ]
        if not parts:
            raise InputError(f"{self.folder}: nothing was measured of {', '.join(quantities or ())}")
        return pd.concat(parts, ignore_index=True)

    def _table(self, stem: str) -> pd.DataFrame:
        try:
            return pd.read_parquet(self.folder / f"{stem}.parquet")
        except (OSError, ValueError) as error:
            raise InputError(f"{self.folder / stem}.parquet: cannot be read as a table of a run: {error}") from error


def _quantities(run: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from run["metrics"].items()
    for group, kind in (
        ("ends", "end"),
        ("stages", "stage"),
        ("reasons", "reason"),
        ("exits", "exit"),
        ("cuts", "cut"),
    ):
        yield from ((f"{kind}:{name}", {"mean": mean}) for name, mean in run[group].items())
    for group, kind in (("nodes", "node"), ("links", "link")):
        for member, values in run[group].items():
            yield from ((f"{kind}:{member}:{name}", {"mean": mean}) for name, mean in values.items())


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """With NaN where JSON has null."""
    words = {"policy", "quantity", "better", "worse", "distinguishable"}
    return frame.astype({name: float for name in frame.columns if name not in words})
