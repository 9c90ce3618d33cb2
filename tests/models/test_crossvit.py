"""CrossViT against the authors' outputs, timm and the published counts (Chen, Fan, Panda 2021)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from edgesim.models.backbones.crossvit import SETS, CrossViT, small_crossvit, timm_crossvit  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity"


@pytest.fixture(scope="module")
def parity() -> Any:
    """The module that reads the reference outputs."""
    if not (PARITY / "crossvit_tiny.pt").exists():
        pytest.skip("no reference outputs beside the project")
    sys.path.insert(0, str(PARITY))
    try:
        import reference
    finally:
        sys.path.remove(str(PARITY))
    return reference


@pytest.fixture(scope="module")
def reference(parity: Any) -> dict[str, Any]:
    return parity.load("crossvit_tiny")


@pytest.fixture(scope="module")
def tiny() -> CrossViT:
    torch.manual_seed(0)
    return timm_crossvit("crossvit_tiny_240", img_size=224).eval()


@pytest.fixture(scope="module")
def small() -> CrossViT:
    torch.manual_seed(0)
    model = small_crossvit(64, 1, 10, (8, 16), (16, 24), (1, 2), (2, 2), fusions=2)
    for parameter in model.parameters():  # zero biases and position tables hide mistakes
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.fixture(scope="module")
def images() -> Any:
    return torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def test_the_authors_outputs_and_every_cut_are_met(parity: Any, reference: dict[str, Any]) -> None:
    ours = timm_crossvit("crossvit_tiny_240", img_size=224)
    ours.load_state_dict(ours.released(reference["state_dict"]))
    ours.eval()
    tolerance = reference["meta"]["tolerance_rel"]
    state, seen = reference["input"], {}
    for index, name in enumerate(ours.block_names):
        state = ours.run(state, index, index + 1)
        seen[name] = state
    assert parity.compare(ours.head(state), reference["output"])["rel"] < tolerance
    for place, cut in reference["meta"]["cuts"]:
        if place == "output":
            continue
        number = place.removeprefix("msblock")[0]
        if place == "embed":
            found = seen["stem"]
        elif place.endswith("branches"):
            found = seen[f"msblock{number}.encoder3"]
        elif number == "2":  # patches are untouched by the fusion, and do not cross after the last one
            before, tokens = seen["msblock2.encoder3"], seen["msblock2.fusion"]
            found = {name: torch.cat((tokens[name], before[name][:, 1:]), 1) for name in SETS}
        else:
            found = seen[f"msblock{number}.fusion"]
        for name in SETS:
            want, tensor = cut[name], found[name].double()
            assert list(tensor.shape) == want["shape"]
            assert tensor.norm().item() == pytest.approx(want["norm"], rel=tolerance)
            assert tensor.mean().item() == pytest.approx(want["mean"], abs=tolerance * want["std"])
            assert tensor.std().item() == pytest.approx(want["std"], rel=1e-4)
            head = torch.tensor(want["head"]).double()
            assert torch.allclose(tensor.flatten()[: len(head)], head, rtol=1e-3, atol=tolerance * want["std"])


@torch.inference_mode()
def test_an_image_of_240_pixels_is_the_authors_too(parity: Any, reference: dict[str, Any]) -> None:
    ours = timm_crossvit("crossvit_tiny_240")
    ours.load_state_dict(ours.released(reference["state_dict"]))
    images = parity.fixed_input(reference["meta"]["seed"], size=240)
    assert ours.input_size == (3, 240, 240)
    found = parity.compare(ours.eval()(images), reference["output_240"])
    assert found["rel"] < reference["meta"]["tolerance_rel"]


@torch.inference_mode()
def test_chain_equals_timm_at_every_cut(small: CrossViT, images: Any) -> None:
    whole = small.crossvit(images)
    assert torch.equal(small(images), whole)
    for cut in range(1, small.num_blocks):
        half = small.run(images, 0, cut)
        assert all(value.is_contiguous() for value in half.values())
        sent = {name: value.clone() for name, value in half.items()}
        assert torch.equal(small.head(small.run(sent, cut, small.num_blocks)), whole)
        assert all(torch.equal(sent[name], half[name]) for name in sent)


@torch.inference_mode()
def test_cuts_and_tokens_are_what_crosses(small: CrossViT, images: Any) -> None:
    for cut in range(1, small.num_blocks):
        state = small.run(images, 0, cut)
        assert {spec.name: spec.shape for spec in small.cut_spec(cut)} == {
            name: tuple(value.shape[1:]) for name, value in state.items()
        }
        for token_set in (None, "large", "small"):
            shape, tokens = small.token_shape(cut, token_set), small.tokens(state, token_set)
            assert tokens.grid == shape.grid and shape.class_token
            assert tokens.patches.shape == (2, shape.grid[0] * shape.grid[1], shape.width)
            assert tokens.class_token.shape == (2, shape.width)
        assert torch.equal(small.tokens(state).class_token, state["large"][:, 0])
    assert small.token_shape(3)[:2] == ((4, 4), 24) and small.token_shape(3, "small")[:2] == ((8, 8), 16)
    assert small.cut_spec(0)[0].shape == (1, 64, 64) and small.cut_spec(small.num_blocks) == ()


def test_payloads_are_the_published_ones(tiny: CrossViT) -> None:
    sizes = [sum(spec.nbytes for spec in tiny.cut_spec(cut)) for cut in range(1, 18)]
    assert sizes == [305_280] * 15 + [1_152, 0]
    assert tiny.block_names[1:6] == (*(f"msblock0.encoder{index}" for index in range(4)), "msblock0.fusion")


@pytest.mark.parametrize(
    ("name", "count"),
    [("crossvit_tiny_240", 7_014_800), ("crossvit_9_240", 8_553_296), ("crossvit_9_dagger_240", 8_776_592)],
)
def test_parameters_are_the_published_ones(name: str, count: int) -> None:
    assert sum(value.numel() for value in timm_crossvit(name).parameters()) == count


def test_macs_are_the_published_ones(tiny: CrossViT) -> None:
    macs = [*block_macs(tiny), head_macs(tiny)]
    assert sum(macs) == pytest.approx(1.563e9, rel=1e-3)
    shares = [100 * sum(macs[: cut + 1]) / sum(macs) for cut in range(17)]
    for cut, share in ((1, 2.9), (5, 33.9), (6, 35.3), (10, 66.2), (11, 67.6), (15, 98.6)):
        assert shares[cut - 1] == pytest.approx(share, abs=0.1)


@torch.inference_mode()
def test_each_branch_has_its_own_image_size() -> None:
    model = small_crossvit(64, 1, 10, (8, 16), (16, 24), (1, 1), (2, 2), branch_sizes=(56, 48)).eval()
    assert model.token_shape(1, "small").grid == (7, 7) and model.token_shape(1).grid == (3, 3)
    assert model(torch.randn(1, 1, 64, 64)).shape == (1, 10)


def test_training_drops_paths_and_reaches_every_parameter() -> None:
    torch.manual_seed(0)
    model = small_crossvit(32, 1, 3, (8, 16), (8, 8), (1, 2), (2, 2), fusions=2, drop_path=0.5).train()
    images = torch.randn(4, 1, 32, 32)
    assert not torch.equal(model(images), model(images))
    for _ in range(20):  # a dropped path has no gradient
        model(images).sum().backward()
    assert all(value.grad is not None for value in model.parameters())


def test_refused() -> None:
    with pytest.raises(ValueError, match="cannot be cut into patches"):
        small_crossvit(60, 1, 10, (8, 16), (16, 24), (1, 2), (2, 2))
    with pytest.raises(ValueError, match="deeper"):
        small_crossvit(64, 1, 10, (8, 16), (16, 24), (2, 1), (2, 2))
    with pytest.raises(ValueError, match="12 and 16"):
        small_crossvit(64, 1, 10, (8, 16), (16, 24), (1, 2), (2, 2), conv_patches=True)
    with pytest.raises(ValueError, match="not a CrossViT"):
        timm_crossvit("deit_tiny_patch16_224")
