"""Rates that jump between the states of a Markov chain."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict, model_validator

from edgesim.scenario.files import InputFile
from edgesim.scenario.spec import NotNegative, Positive, Share
from edgesim.scenario.warp import RateSpec

Rates = Annotated[tuple[NotNegative, ...], Strict(False), Field(min_length=2)]
Matrix = Annotated[tuple[Annotated[tuple[Share, ...], Strict(False)], ...], Strict(False), Field(min_length=2)]
Generator = Annotated[tuple[Annotated[tuple[float, ...], Strict(False)], ...], Strict(False), Field(min_length=2)]
WAYS = {
    "matrix": ("matrix", "states_mbps", "step_ms"),
    "generator_hz": ("generator_hz", "states_mbps"),
    "file": ("file", "states"),
}


class MarkovRate(RateSpec):
    """A rate for each state of a Markov chain: by its matrix, by its generator, or fitted to a file of rates."""

    process: Literal["markov"] = Field(description="A rate for each state of a Markov chain.")
    states_mbps: Rates | None = Field(default=None, description="The rate of each state, Mb/s.")
    matrix: Matrix | None = Field(
        default=None, description="Row i: probabilities of going from state i to each state in a step of step_ms."
    )
    step_ms: Positive | None = Field(
        default=None, description="Time between moves, ms; with file: length of a bin (the file's, unless given)."
    )
    generator_hz: Generator | None = Field(
        default=None,
        description="Row i: moves from state i to each other state, per second; minus their sum on the diagonal.",
    )
    file: InputFile | None = Field(default=None, description="A file of rates, as for trace, that is fitted.")
    states: Annotated[int, Field(ge=2)] | None = Field(
        default=None, description="With file: number of states, bins at the quantiles of its rates."
    )

    @model_validator(mode="after")
    def _one_way(self) -> MarkovRate:
        way = [name for name in WAYS if getattr(self, name) is not None]
        if len(way) != 1:
            raise ValueError(f"found {' and '.join(way) or 'none'} of matrix, generator_hz and file; allowed: one")
        needed = WAYS[way[0]]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"missing {', '.join(missing)}; {way[0]} needs {', '.join(needed[1:])}")
        optional = ("step_ms",) if self.file is not None else ()
        keys = ("states_mbps", "step_ms", "states")
        odd = [name for name in keys if getattr(self, name) is not None and name not in (*needed, *optional)]
        if odd:
            raise ValueError(f"found {', '.join(odd)} beside {way[0]}; allowed: {', '.join((*needed[1:], *optional))}")
        return self


class GilbertElliottRate(RateSpec):
    """Two rates, good and bad, in bursts: by the probabilities of a step, or by mean lengths."""

    process: Literal["gilbert_elliott"] = Field(description="Two rates, good and bad, in bursts.")
    good_mbps: Positive = Field(description="Rate in the good state, Mb/s.")
    bad_mbps: NotNegative = Field(default=0.0, description="Rate in the bad state, Mb/s.")
    p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Probability of going from good to bad in a step."
    )
    r: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="Probability of going from bad to good in a step."
    )
    step_ms: Positive | None = Field(default=None, description="Length of a step, ms; goes with p and r.")
    good_mean_s: Positive | None = Field(
        default=None, description="Mean time in the good state, s (exponential); with bad_mean_s in place of p and r."
    )
    bad_mean_s: Positive | None = Field(default=None, description="Mean time in the bad state, s (exponential).")

    @model_validator(mode="after")
    def _one_way(self) -> GilbertElliottRate:
        ways = (("p", "r", "step_ms"), ("good_mean_s", "bad_mean_s"))
        given = {name for way in ways for name in way if getattr(self, name) is not None}
        if given not in map(set, ways):
            found = ", ".join(name for way in ways for name in way if name in given)
            raise ValueError(f"found {found or 'neither'}; allowed: p, r and step_ms, or good_mean_s and bad_mean_s")
        return self
