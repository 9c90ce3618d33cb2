"""How exits and cuts are called and coloured: exits in cold colours, cuts in warm ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from matplotlib import colormaps
from matplotlib.colors import to_hex

from edgesim.results.metrics import NOTHING

EXITS = (("YlGnBu_r", 0.8), ("RdPu_r", 0.7), ("Purples_r", 0.75))
"""Scales of ColorBrewer (Harrower and Brewer 2003) for the exits of one model each, and where on them they end."""
PACE = 4
"""After how many exits 1 - 1/e of a scale is behind: the first exits lie farthest apart, and no two look the same."""
CUTS = ("YlOrRd_r", 0.15, 0.7)
"""The scale of cuts, and where on it the shallowest and the deepest stand."""
NONE = "#E6E6E6"


def exit_colours(kinds: Sequence[str], models: Sequence[str]) -> dict[str, str]:
    """A colour per exit ``MODEL/EXIT``, from dark (shallow) to light (deep); grey for none.

    It follows from the exit's number and its model's place in the scenario alone, so that pictures of runs and studies
    can be laid side by side.  models: the scenario's; others that occur stand behind them.
    """
    others = {kind.rsplit("/", 1)[0] for kind in kinds} - set(models)
    places = {model: place for place, model in enumerate([*models, *sorted(others)])}
    found = {}
    for kind in kinds:
        model, number = kind.rsplit("/", 1)
        scale, deepest = EXITS[places[model] % len(EXITS)]
        found[kind] = to_hex(colormaps[scale](deepest * (1 - exp(-int(number) / PACE))))
    return {**found, NOTHING: NONE}


def cut_colours(kinds: Sequence[str]) -> dict[str, str]:
    """A colour per cut ``CODEC/CUT`` of those that occur, in their order from dark to light; grey for nothing."""
    scale, first, last = CUTS
    step = (last - first) / max(len(kinds) - 1, 1)
    found = {kind: to_hex(colormaps[scale](first + step * place)) for place, kind in enumerate(kinds)}
    return {**found, NOTHING: NONE}


def exit_label(kind: str) -> str:
    """``fashion exit 2`` for ``fashion/2``."""
    model, number = kind.rsplit("/", 1)
    return f"{model} exit {number}"


def cut_label(kind: str) -> str:
    """``cut 3, int8`` for ``int8/3``, ``image, png`` for ``png/0``."""
    codec, number = kind.rsplit("/", 1)
    return f"image, {codec}" if number == "0" else f"cut {number}, {codec}"


def depth(kind: str) -> tuple[int, str]:
    """Kinds sort from shallow to deep: ``int8/3`` by its number."""
    word, number = kind.rsplit("/", 1)
    return int(number), word
