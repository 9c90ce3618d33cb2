from __future__ import annotations

import numpy as np
import pytest

from edgesim.profiling.interpolation import PiecewiseLinear


def test_agrees_with_numpy() -> None:
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.random(7)), rng.random(7)
    line = PiecewiseLinear(x.tolist(), y.tolist())
    for at in np.linspace(-0.5, 1.5, 301):
        assert line(at) == pytest.approx(np.interp(at, x, y), abs=1e-12)


@pytest.mark.parametrize(("x", "y"), [([], []), ([1.0, 1.0], [1.0, 2.0]), ([1.0], [1.0, 2.0])])
def test_refuses_what_is_no_function(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match="increase"):
        PiecewiseLinear(x, y)
