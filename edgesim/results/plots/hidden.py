"""Policies whose curve lies exactly under another's: drawn wider, so that they show beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

SAME = 5e-4
"""Share by which the values of two curves may differ that look like one."""
WIDER = 2.5
"""By how many points a line and its markers are wider for each that lies over it."""


def hidden(curves: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """The policies that are drawn over by others with the same curve, and by whom, the topmost last.

    curves: values over one axis, NaN without a value, in the order in which they are drawn.
    """
    names = list(curves)
    above = {
        name: [other for other in names[place + 1 :] if _same(curves[name], curves[other])]
        for place, name in enumerate(names)
    }
    return {name: others for name, others in above.items() if others}


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.allclose(one, other, rtol=SAME, atol=0, equal_nan=True)


def hidden_sentence(found: Mapping[str, list[str]]) -> str:
    """Who lies under whom; empty where nobody does."""
    return f"Wide: {', '.join(f'{name} lies under {above[-1]}' for name, above in found.items())}" if found else ""
