"""The link budget of a 20 MHz carrier, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from edgesim.network.path_loss import umi
from edgesim.network.shannon import ShannonRate, noise_dbm


def test_the_budget_of_a_link() -> None:
    """23 dBm, noise figure 5 dB, UMi without line of sight, 100 m, 3.5 GHz, no fading: 96.35 Mb/s."""
    loss_db = umi(3.5).nlos_db(np.array([100.0]))
    snr_db = 23 - loss_db - noise_dbm(20e6, 5.0)
    assert noise_dbm(20e6, 5.0) == pytest.approx(-95.99, abs=0.005)
    assert snr_db == pytest.approx([14.35], abs=0.005)
    assert ShannonRate(20e6).rate_bps(10 ** (snr_db / 10)) == pytest.approx([96.35e6], abs=5e3)


def test_a_rate_is_capped_and_scaled() -> None:
    snr = np.array([0.0, 1.0, 3.0, 1e9])
    assert ShannonRate(1e6).rate_bps(snr) == pytest.approx([0, 1e6, 2e6, 7.4063e6])
    assert ShannonRate(1e6, efficiency=0.75).rate_bps(snr) == pytest.approx([0, 0.75e6, 1.5e6, 7.4063e6])
    assert ShannonRate(1e6, highest_bps_per_hz=1.5).rate_bps(snr) == pytest.approx([0, 1e6, 1.5e6, 1.5e6])
