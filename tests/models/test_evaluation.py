from __future__ import annotations

import pytest
from scipy.stats import binomtest

from edgesim.models.backbones.vit import small_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.evaluation import macs_per_exit, wilson
from edgesim.models.multi_exit import MultiExit


@pytest.mark.parametrize(("right", "count"), [(90, 100), (0, 10), (10, 10), (9_200, 10_000)])
def test_wilson_interval_is_scipys(right: int, count: int) -> None:
    found = wilson(right, count)
    assert found == pytest.approx((right / count, *binomtest(right, count).proportion_ci(0.95, "wilson")), abs=1e-6)


def test_macs_of_each_exit_by_hand() -> None:
    width, depth, tokens, classes = 8, 2, 17, 5
    backbone = small_vit(8, 1, classes, width, depth, heads=2, stem_channels=(4,))
    stem = 8 * 8 * 4 * 9 + 4 * 4 * width * 4 * 9 + 4 * 4 * width * width
    block = 12 * tokens * width**2 + 2 * tokens**2 * width
    model = MultiExit(backbone, {2: MLPBranch(width, classes)})
    assert macs_per_exit(model) == (stem + block + width * classes, stem + 2 * block + width * classes)
