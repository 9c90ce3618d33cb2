"""Policies whose curve lies exactly under another's: drawn wider, so that they show beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

SAME = 0.004
"""Share of an axis by which two curves may differ that look like one: less than a line's width."""
WIDER = 2.5
"""By how many points a line and its markers are wider for each that lies over it."""


def hidden(curves: Mapping[str, np.ndarray], same: float) -> dict[str, list[str]]:
    """The policies that are drawn over by others with the same curve, and by whom, the topmost last.

    curves: values over one axis, NaN without a value, in the order in which they are drawn.  same: by how much they may
    differ and look like one.
    """
    names = list(curves)
    above = {
        name: [
            other
            for other in names[place + 1 :]
            if np.allclose(curves[name], curves[other], rtol=0, atol=same, equal_nan=True)
        ]
        for place, name in enumerate(names)
    }
    return {name: others for name, others in above.items() if others}


def hidden_sentence(found: Mapping[str, list[str]]) -> str:
    """Who lies under whom; empty where nobody does."""
    return f"Wide: {'; '.join(f'{name} lies under {above[-1]}' for name, above in found.items())}" if found else ""
