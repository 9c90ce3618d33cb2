"""The table of cuts, from published numbers (facts of each paper's released code)."""

from __future__ import annotations

import pytest

from edgesim.models import create
from edgesim.models.cuts import CODECS, cuts, image_bytes


def test_cuts_of_levit_are_all_bottlenecks_by_stage() -> None:
    rows = list(cuts(create("levit_128s")))
    assert [row.block for row in rows if row.bottleneck] == ["stem", "stage2.subsample", "stage3.subsample"]
    assert [row.sizes[0] for row in rows if row.bottleneck] == [100_352, 50_176, 24_576]
    assert rows[-1].tensors == () and rows[-1].sizes == (0,) * len(CODECS) and not rows[-1].bottleneck
    assert rows[3].macs_share == pytest.approx(0.495, abs=1e-3) and rows[-1].macs_share == pytest.approx(
        0.998, abs=1e-3
    )


def test_only_class_tokens_are_a_bottleneck_of_crossvit() -> None:
    model = create("crossvit_tiny_240", img_size=224)
    rows = list(cuts(model))
    assert image_bytes(model) == 150_528
    assert [(row.block, row.sizes[0]) for row in rows if row.bottleneck] == [("msblock2.fusion", 1_152)]
    # Two scales, of four bytes each, beside the codes.
    assert rows[0].sizes == (305_280, 152_640, 76_320 + 16, 38_160 + 16)


def test_a_cut_as_large_as_the_image_is_no_bottleneck() -> None:
    rows = list(cuts(create("shuffle_t", width=24, heads=(3, 6, 6, 6), depths=(2, 2, 2, 2))))
    assert rows[3].block == "stage2.merge" and rows[3].sizes[0] == 224 * 224 * 3
    assert [row.block for row in rows if row.bottleneck] == ["stage3.merge", "stage4.merge"]
