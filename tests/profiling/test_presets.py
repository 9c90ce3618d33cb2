"""Presets: the scaled model takes what the anchor says, and what is not known is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from rows import row

from edgesim.errors import InputError
from edgesim.profiling import presets
from edgesim.profiling.costs import ModelCosts, SyntheticCosts
from edgesim.profiling.presets import (
    DEIT,
    LEVIT,
    PRESETS,
    device_factor,
    on_preset,
    on_processor,
    preset,
    whole_model_s,
)
from edgesim.profiling.profile import Profile
from edgesim.profiling.report import DEVICE_COLUMNS, device_rows
from edgesim.profiling.synthetic_costs import constant

USABLE = [name for name, device in PRESETS.items() if not device.throughput_only]


@pytest.fixture(autouse=True)
def shipped(make_profile: Callable[..., Profile], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Profile]]:
    """Made profiles of the anchors' models; some anchors stand at batch 16, so 8 is called 16."""
    profiles = {name: _with_batch_16(make_profile(name=name, speed=speed)) for name, speed in ((DEIT, 10), (LEVIT, 2))}
    monkeypatch.setattr(presets, "shipped_profile", profiles.__getitem__)
    yield profiles


def _with_batch_16(profile: Profile) -> Profile:
    def renamed(passes: tuple) -> tuple:
        return tuple(each.model_copy(update={"batch": 16}) if each.batch == 8 else each for each in passes)

    return profile.model_copy(update={"chain": renamed(profile.chain), "branches": renamed(profile.branches)})


@pytest.mark.parametrize("name", USABLE)
def test_the_scaled_model_takes_the_anchors_time(name: str, shipped: dict[str, Profile]) -> None:
    device = PRESETS[name]
    measured = ModelCosts(shipped[device.anchor.model])
    costs = on_preset(measured, name, device.numeric_format)
    if not device.accelerator or device.anchor.batch == 1:
        batch = device.anchor.batch
        assert whole_model_s(costs, batch) * 1e3 == pytest.approx(device.anchor.image_ms, rel=0.01)
        lucks = [(i + 0.5) / 40 for i in range(40)]
        head = len(costs.exits) - 1
        sums = [costs.piece_s(luck, 0, 4, batch) + costs.branch_s(luck, head, batch) for luck in lucks]
        assert np.mean(sums) / batch * 1e3 == pytest.approx(device.anchor.image_ms, rel=0.01)
    shape = np.diff(row(costs, 0.5)) / np.diff(row(measured, 0.5))
    assert np.allclose(shape, shape[0])
    assert costs.label.startswith(f"scaled to {name} by ") and f"[{device.mark}]" in costs.label
    assert costs.max_batch == (1 if device.accelerator else 16)


@pytest.mark.parametrize("name", ["v100", "rtx4090"])
def test_throughput_alone_is_refused(name: str, shipped: dict[str, Profile]) -> None:
    with pytest.raises(InputError, match="only its throughput"):
        on_preset(ModelCosts(shipped[DEIT]), name, "fp16")


def test_the_numeric_format_must_be_that_of_the_outcomes(shipped: dict[str, Profile]) -> None:
    with pytest.raises(InputError, match="timed in int8, but the outcomes were executed in fp32"):
        on_preset(ModelCosts(shipped[DEIT]), "pi5-int8")


def test_another_model_is_labelled(make_profile: Callable[..., Profile]) -> None:
    own = ModelCosts(make_profile(name="fashion_vit"))
    costs = on_preset(own, "edge-i9-10940x")
    assert costs.label.startswith("scaled across models to edge-i9-10940x by ")
    assert "profiled on" not in costs.label
    elsewhere = own.profile.model_copy(update={"machine": own.profile.machine.model_copy(update={"cpu": "another"})})
    assert "profiled on another but anchored on a processor" in on_preset(ModelCosts(elsewhere), "pi5-fp32").label


def test_codecs_have_a_factor_of_their_own(shipped: dict[str, Profile]) -> None:
    one = ModelCosts(shipped[DEIT])

    def codec_factor(name: str) -> float:
        return on_preset(one, name, PRESETS[name].numeric_format).mean_encode_s("png", 0) / one.mean_encode_s("png", 0)

    assert codec_factor("orin-agx-fp16") == pytest.approx(1.0)
    assert codec_factor("pi5-fp32") == pytest.approx(device_factor(PRESETS["pi5-fp32"], shipped[DEIT]))
    assert codec_factor("pi5-int8") == pytest.approx(codec_factor("pi5-fp32"))
    assert "codecs as on a processor (assumed)" in on_preset(one, "orin-agx-fp16", "fp16").label


def test_processors(shipped: dict[str, Profile]) -> None:
    one = ModelCosts(shipped[DEIT])
    assert on_processor(one, SimpleNamespace(preset=None, factor=None)) is one
    scaled = on_processor(one, SimpleNamespace(preset=None, factor=2.5))
    assert scaled.label == "measured, scaled by 2.5 (assumed)"
    assert row(scaled, 0.5)[4] == pytest.approx(2.5 * row(one, 0.5)[4])
    assert on_processor(one, SimpleNamespace(preset="pi4-fp32", factor=None)).label.startswith("scaled to pi4-fp32")
    toy = SyntheticCosts([constant(1.0)], (1,), [0.0], [10])
    assert on_processor(toy, SimpleNamespace(preset=None, factor=3.0)).piece_s(0.0, 0, 1) == 3.0
    with pytest.raises(InputError, match="synthetic"):
        on_processor(toy, SimpleNamespace(preset="pi5-fp32", factor=None))


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="laptop-i7-12700h"):
        preset("pi6")


def test_every_preset_says_where_it_is_from() -> None:
    rows = device_rows()
    assert len(rows) == len(PRESETS) and all(len(row) == len(DEVICE_COLUMNS) and all(row) for row in rows)
    assert {device.mark for device in PRESETS.values()} == {"V", "D"}


def test_the_published_numbers() -> None:
    """facts as published: ms of one image"""
    images_ms = {name: device.anchor.image_ms for name, device in PRESETS.items()}
    assert images_ms["laptop-i7-12700h"] == 12.931 and images_ms["edge-i9-10940x"] == 5.484
    assert images_ms["pi5-int8"] == 26.40 and images_ms["phone-s24-npu"] == 0.801
    assert images_ms["arm-1thread"] == pytest.approx(59.5, abs=0.05)
    assert images_ms["xeon6138-1thread"] == pytest.approx(25.6, abs=0.05)
    assert images_ms["v100"] == pytest.approx(0.252, abs=5e-4) and images_ms["rtx4090"] == pytest.approx(
        0.057, abs=5e-4
    )
