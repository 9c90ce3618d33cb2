"""The piece cost is recovered from data that were made with it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edgesim.errors import InputError
from edgesim.profiling.fit import fit_line, fit_pieces
from edgesim.profiling.profile import Profile


def test_recovers_overhead_and_factor(made: Profile) -> None:
    fits = fit_pieces(made)
    assert sorted(fits) == [1, 4]
    for batch, overhead_s, factor in ((1, 0.05e-3, 0.97), (4, 0.08e-3, 0.94)):
        assert fits[batch].overhead_s == pytest.approx(overhead_s, rel=1e-6)
        assert fits[batch].factor == pytest.approx(factor, rel=1e-9)
        assert fits[batch].largest_residual < 1e-9


def test_five_percent_more_is_seen(document: dict[str, Any]) -> None:
    for piece in document["pieces"]:
        piece["seconds"] = [1.05 * seconds for seconds in piece["seconds"]]
    fit = fit_pieces(Profile.model_validate_json(json.dumps(document)))[1]
    assert fit.factor == pytest.approx(1.05 * 0.97, rel=1e-9)
    assert fit.factor != pytest.approx(0.97, rel=0.04)


def test_one_odd_piece_shows_as_a_residual(document: dict[str, Any]) -> None:
    odd = document["pieces"][2]
    odd["seconds"] = [1.2 * seconds for seconds in odd["seconds"]]
    fit = fit_pieces(Profile.model_validate_json(json.dumps(document)))[1]
    worst = fit.pieces[int(np.argmax(np.abs(fit.residuals)))]
    assert worst == (odd["start"], odd["stop"]) and fit.largest_residual > 0.08


def test_noise_averages_out() -> None:
    rng = np.random.default_rng(3)
    blocks = np.tile(np.linspace(1, 10, 12), 20)
    measured = (0.5 + 0.9 * blocks) * (1 + 0.03 * rng.standard_normal(len(blocks)))
    overhead, factor = fit_line(blocks.tolist(), measured.tolist())
    assert overhead == pytest.approx(0.5, abs=0.05) and factor == pytest.approx(0.9, abs=0.02)


def test_overhead_is_never_negative() -> None:
    assert fit_line([1.0, 2.0, 3.0], [0.8, 1.9, 3.0])[0] == 0.0
    assert fit_line([2.0], [1.8]) == (0.0, pytest.approx(0.9))


def test_nonsense_is_refused(document: dict[str, Any]) -> None:
    for piece in document["pieces"]:
        piece["seconds"] = [1e-3 / (1 + piece["stop"] - piece["start"]) ** 3]
    with pytest.raises(InputError, match="pieces"):
        fit_pieces(Profile.model_validate_json(json.dumps(document)))
