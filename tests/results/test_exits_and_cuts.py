"""Exits and cuts have names and colours that stay, and that nobody mixes up."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from edgesim.results.metrics import NOTHING
from edgesim.results.plots.exits_and_cuts import cut_colours, cut_label, exit_colours, exit_label

# Without one of the three cones: Machado, Oliveira and Fernandes (2009), IEEE TVCG 15(6), severity 1, in linear RGB.
VISION = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
WHITE = [0.95047, 1.0, 1.08883]
MODELS = ["small", "large", "other"]


def seen(colours: list[str], vision: str) -> np.ndarray:
    """CIELAB (D65) of colours as somebody sees them, (colours, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = (np.clip(linear @ np.transpose(VISION[vision]), 0, 1) @ np.transpose(XYZ) / WHITE).T
    x, y, z = (np.where(each > 0.008856, np.cbrt(each), 7.787 * each + 16 / 116) for each in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def test_labels_of_exits_and_cuts() -> None:
    assert exit_label("fashion/2") == "fashion exit 2"
    assert cut_label("png/0") == "image, png"
    assert cut_label("int8_token+zlib/3") == "cut 3, int8_token+zlib"


@pytest.mark.parametrize("vision", VISION)
def test_nobody_takes_an_exit_for_a_cut_or_for_nothing(vision: str) -> None:
    exits = exit_colours([f"{model}/{number}" for model in MODELS for number in range(12)], MODELS)
    cuts = cut_colours([f"int8/{number}" for number in range(8)])
    nothing = exits.pop(NOTHING)
    assert cuts[NOTHING] == nothing
    apart = seen(list(exits.values()), vision)[:, None] - seen(list(cuts.values()), vision)
    assert np.linalg.norm(apart, axis=-1).min() > 8


@pytest.mark.parametrize("vision", VISION)
def test_the_first_exits_of_a_model_are_told_apart(vision: str) -> None:
    """A difference of 2.3 is just noticeable (Mahy, Van Eycken and Oosterlinck 1994)."""
    colours = exit_colours([f"small/{number}" for number in range(6)], MODELS)
    del colours[NOTHING]
    steps = np.diff(seen(list(colours.values()), vision), axis=0)
    assert np.linalg.norm(steps, axis=1).min() > 3.5


def test_an_exit_keeps_its_colour_whatever_else_occurs() -> None:
    alone = exit_colours(["small/5"], MODELS)["small/5"]
    among = exit_colours(["small/0", "small/5", "large/5", "new/5", "small/11"], MODELS)
    assert among["small/5"] == alone
    assert len(set(among.values())) == 6 - (among["new/5"] == alone)
