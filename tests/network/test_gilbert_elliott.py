"""The two-state chain against its formulas, by counts whose standard errors are known."""

from __future__ import annotations

import math
import random

import pytest

from edgesim.errors import InputError
from edgesim.network.gilbert_elliott import BurstPath, GilbertElliott

LAW = GilbertElliott(0.02, 0.2)
STEPS = 1_200_000


def path(law: GilbertElliott = LAW, root: int = 5, key: str = "camera-0") -> BurstPath:
    return BurstPath(law, root, "packet loss", key, "up")


@pytest.fixture(scope="module")
def bad() -> list[bool]:
    made = path()
    return [made.bad(step) for step in range(STEPS)]


def z_scores(bad: list[bool], law: GilbertElliott) -> dict[str, float]:
    """Transitions are independent given where they start: binomial errors for p and r, which give all the rest."""
    pairs = list(zip(bad[:-1], bad[1:], strict=True))
    good_steps, bad_steps = bad[:-1].count(False), bad[:-1].count(True)
    to_bad, to_good = pairs.count((False, True)), pairs.count((True, False))
    share, rho = law.bad_share, law.correlation
    share_error = math.sqrt(share * (1 - share) * (1 + rho) / (1 - rho) / len(bad))
    return {
        "p": (to_bad / good_steps - law.to_bad) / math.sqrt(law.to_bad * (1 - law.to_bad) / good_steps),
        "r": (to_good / bad_steps - law.to_good) / math.sqrt(law.to_good * (1 - law.to_good) / bad_steps),
        "share": (sum(bad) / len(bad) - share) / share_error,
    }


def test_the_known_example() -> None:
    assert LAW.bad_share == pytest.approx(0.0909, abs=5e-5)
    assert LAW.mean_burst == 5.0
    assert LAW.correlation == pytest.approx(0.78)
    assert LAW.chain.share == pytest.approx((1 - LAW.bad_share, LAW.bad_share), rel=1e-12)


def test_shares_bursts_and_correlation_are_those_of_the_law(bad: list[bool]) -> None:
    assert all(abs(score) < 3.3 for score in z_scores(bad, LAW).values())
    bursts = sum(now and not before for before, now in zip(bad[:-1], bad[1:], strict=True))
    assert sum(bad) / bursts == pytest.approx(5.0, rel=0.03)
    both = sum(now and before for before, now in zip(bad[:-1], bad[1:], strict=True)) / (STEPS - 1)
    share = sum(bad) / STEPS
    assert (both - share**2) / (share - share**2) == pytest.approx(0.78, abs=0.01)


@pytest.mark.parametrize(("to_bad", "to_good"), [(0.021, 0.2), (0.02, 0.21), (0.019, 0.2), (0.02, 0.19)])
def test_a_chain_five_percent_off_is_seen(bad: list[bool], to_bad: float, to_good: float) -> None:
    scores = z_scores(bad, GilbertElliott(to_bad, to_good))
    assert any(abs(score) > 3.3 for score in scores.values()), scores


def test_a_chain_by_its_bursts() -> None:
    law = GilbertElliott.of_bursts(1 / 11, 5)
    assert (law.to_bad, law.to_good) == pytest.approx((0.02, 0.2), rel=1e-12)


def test_any_order_gives_the_same_steps_and_keys_are_apart(bad: list[bool]) -> None:
    order = [random.Random(3).randrange(20_000) for _ in range(300)]
    late = path()
    assert [late.bad(step) for step in order] == [bad[step] for step in order]
    for other in (path(root=6), path(key="camera-1")):
        assert [other.bad(step) for step in range(2000)] != bad[:2000]


def test_the_first_step_is_stationary() -> None:
    starts = [path(key=f"camera-{number}").bad(0) for number in range(4000)]
    error = math.sqrt(LAW.bad_share * (1 - LAW.bad_share) / len(starts))
    assert abs(sum(starts) / len(starts) - LAW.bad_share) < 3.3 * error < 0.02


@pytest.mark.parametrize(("to_bad", "to_good"), [(0, 0.2), (0.02, 0), (1.1, 0.2), (0.02, math.nan)])
def test_no_probability_is_refused(to_bad: float, to_good: float) -> None:
    with pytest.raises(InputError, match="above 0 and at most 1"):
        GilbertElliott(to_bad, to_good)


@pytest.mark.parametrize(("share", "burst"), [(0, 5), (1, 5), (0.1, 0.5), (0.8, 2)])
def test_impossible_bursts_are_refused(share: float, burst: float) -> None:
    with pytest.raises(InputError, match="no chain has a share"):
        GilbertElliott.of_bursts(share, burst)
