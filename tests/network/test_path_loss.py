"""Path loss at the reference values of 3GPP TR 38.901 (fc 3.5 GHz, device at 1.5 m)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgesim.network.path_loss import LogDistanceLoss, OfficeLoss, Shadow, StreetLoss, free_space_db, uma, umi

UMI, UMA = umi(3.5), uma(3.5)
DISTANCES_M = np.array([20.0, 50.0, 100.0, 200.0, 500.0])
REFERENCE = {
    "umi": (UMI, [71.36, 79.09, 85.31, 91.61, 107.11], [81.19, 94.18, 104.64, 115.23, 129.26]),
    "uma": (UMA, [71.65, 77.21, 83.14, 89.57, 98.27], [82.63, 92.51, 103.04, 114.46, 129.92]),
}
P_LOS = {"umi": [0.9574, 0.5196, 0.2310, 0.0935, 0.0360], "uma": [0.9728, 0.6494, 0.3477, 0.1280, 0.0363]}


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_values(name: str) -> None:
    loss, los_db, nlos_db = REFERENCE[name]
    assert loss.los_db(DISTANCES_M) == pytest.approx(los_db, abs=0.005)
    assert loss.nlos_db(DISTANCES_M) == pytest.approx(nlos_db, abs=0.005)
    assert loss.los_probability(DISTANCES_M) == pytest.approx(P_LOS[name], abs=5e-5)


def test_office_at_reference_values() -> None:
    """The table gives d_3D; with both antennas at one height it is the distance on the ground."""
    office = OfficeLoss(3.5, device_height_m=3.0)
    distances_m = np.array([5.0, 10.0, 30.0])
    assert office.los_db(distances_m) == pytest.approx([55.37, 60.58, 68.84], abs=0.005)
    assert office.nlos_db(distances_m) == pytest.approx([57.62, 69.15, 87.42], abs=0.005)


def test_office_line_of_sight() -> None:
    """Table 7.4.2-1, mixed office, by its own branches."""
    found = OfficeLoss(3.5).los_probability(np.array([0.5, 1.2, 3.0, 6.5, 20.0]))
    assert found == pytest.approx([1, 1, np.exp(-1.8 / 4.7), 0.32, 0.32 * np.exp(-13.5 / 32.6)], rel=1e-12)


def test_breakpoints() -> None:
    assert UMI.breakpoint_m == pytest.approx(210, abs=0.5)
    assert UMA.breakpoint_m == pytest.approx(560, abs=1)


@pytest.mark.parametrize("loss", [UMI, UMA, umi(28.0, 10.0), uma(2.0, 13.0)])
def test_continuous_at_the_breakpoint(loss: StreetLoss) -> None:
    before, after = loss.los_db(np.array([loss.breakpoint_m, np.nextafter(loss.breakpoint_m, np.inf)]))
    assert after == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("loss", [UMI, UMA, OfficeLoss(3.5), umi(28.0, 20.0)])
def test_loss_grows_and_obstacles_never_help(loss: StreetLoss | OfficeLoss) -> None:
    distances_m = np.geomspace(1, 5000, 2000)
    los_db, nlos_db = loss.los_db(distances_m), loss.nlos_db(distances_m)
    assert (np.diff(los_db) > 0).all() and (np.diff(nlos_db) > 0).all()
    assert (nlos_db >= los_db).all()
    probability = loss.los_probability(distances_m)
    assert (np.diff(probability) <= 1e-12).all() and probability[0] == 1 and 0 < probability[-1] < 0.05


@pytest.mark.parametrize("name", ["near", "far_offset", "nlos", "decay_m"])
def test_a_number_five_percent_off_is_seen(name: str) -> None:
    right = getattr(UMI, name)
    wrong = replace(UMI, **{name: tuple(1.05 * np.array(right)) if isinstance(right, tuple) else 1.05 * right})
    _, los_db, nlos_db = REFERENCE["umi"]
    agrees = (
        np.allclose(wrong.los_db(DISTANCES_M), los_db, atol=0.005)
        and np.allclose(wrong.nlos_db(DISTANCES_M), nlos_db, atol=0.005)
        and np.allclose(wrong.los_probability(DISTANCES_M), P_LOS["umi"], atol=5e-5)
    )
    assert not agrees


def test_log_distance_is_free_space_and_the_older_macro_cell() -> None:
    level = {"device_height_m": 1.5, "site_height_m": 1.5, "shadow": Shadow(0.0, 1.0)}
    free = LogDistanceLoss(free_space_db(1.0, 3.5), 2.0, **level)
    assert free.los_db(DISTANCES_M) == pytest.approx([free_space_db(d, 3.5) for d in DISTANCES_M], rel=1e-12)
    assert free_space_db(1000.0, 2.4) == pytest.approx(100.05, abs=0.01)
    macro = LogDistanceLoss(15.3, 3.76, **level)
    assert macro.nlos_db(np.array([500.0])) == pytest.approx(128.1 + 37.6 * np.log10(0.5), rel=1e-12)
