"""Vision Longformer against the reference outputs, the published counts and its own pieces (Zhang et al. 2021)."""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from edgesim.models.backbones.sliding_chunk import SlidingChunkAttention  # noqa: E402
from edgesim.models.backbones.vil import VARIANTS, FullAttention, ViL  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity"

SMALL: dict[str, Any] = {
    "img_size": 64,
    "in_chans": 1,
    "num_classes": 10,
    "widths": (8, 12, 16),
    "depths": (1, 2, 2),
    "heads": (1, 2, 4),
    "patch_sizes": (4, 2, 2),
    "global_tokens": (1, 2, 0),
    "window": 3,
}


def small(**changes: Any) -> ViL:
    """A small model whose every tensor matters."""
    torch.manual_seed(0)
    model = ViL(**{**SMALL, **changes}).eval()
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return model


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    if not (PARITY / "vil_tiny.pt").exists():
        pytest.skip("no reference outputs beside the project")
    sys.path.insert(0, str(PARITY))
    try:
        import reference
    finally:
        sys.path.remove(str(PARITY))
    return reference.load("vil_tiny")


@pytest.fixture(scope="module")
def tiny(reference: dict[str, Any]) -> ViL:
    model = ViL(**VARIANTS["vil_tiny"]).eval()
    model.load_state_dict(dict(model.released(reference["state_dict"])))
    return model


def check_statistics(tensor: torch.Tensor, expected: dict[str, Any], tolerance: float) -> None:
    values = tensor.double()
    assert list(tensor.shape) == expected["shape"]
    assert tensor[0].numel() * 4 == expected["bytes_per_image"]
    assert float(values.norm()) == pytest.approx(expected["norm"], rel=tolerance)
    assert float(values.std()) == pytest.approx(expected["std"], rel=tolerance)
    assert float(values.mean()) == pytest.approx(expected["mean"], abs=tolerance * expected["std"])
    head = torch.tensor(expected["head"], dtype=torch.float64)
    assert float((values.flatten()[: len(head)] - head).norm() / head.norm()) < tolerance


@torch.inference_mode()
def test_reference_outputs_and_every_cut(tiny: ViL, reference: dict[str, Any]) -> None:
    tolerance = reference["meta"]["tolerance_rel"]
    expected = iter(reference["meta"]["cuts"])
    state = tiny.stem(reference["input"])
    for index, (place, layer) in enumerate(tiny._places):
        if index and layer < 0:
            state = tiny.block(index, state)
        if layer < 0:
            name, found = f"stage{place + 1}.0.PatchEmbed", [state["tokens"]]
            names = [name]
        else:  # one block of the chain is two of the authors'
            between = tiny.stages[place].layers[layer]
            attended = between.attend(state["tokens"])
            names = [f"stage{place + 1}.{2 * layer + 1}.AttnBlock", f"stage{place + 1}.{2 * layer + 2}.MlpBlock"]
            found = [attended, between.mix(attended)]
            state = tiny.block(index, state)
            if "map" in state:
                names.append(f"stage{place + 1}.end(map, global token dropped)")
                found.append(state["map"])
            else:
                assert torch.equal(found[-1], state["tokens"])
        for name, tensor in zip(names, found, strict=True):
            expected_name, statistics = next(expected)
            assert name == expected_name
            check_statistics(tensor, statistics["x"], tolerance)
    logits = tiny.head(state)
    assert float((logits - reference["output"]).norm() / reference["output"].norm()) < tolerance
    name, statistics = next(expected)
    assert name == "output" and next(expected, None) is None
    check_statistics(logits, statistics["logits"], tolerance)


@torch.no_grad()
@pytest.mark.parametrize("mistake", ["cyclic", "own chunk", "eps", "tables swapped", "no norm", "no class position"])
def test_a_single_mistake_shows(tiny: ViL, reference: dict[str, Any], mistake: str) -> None:
    """The reference tells the readings apart, by far more than the tolerance."""
    model = deepcopy(tiny)
    embed: Any = model.stages[0].embed
    for attention in sliding(model):
        if mistake == "cyclic":
            attention.mask.zero_()
        elif mistake == "own chunk":
            attention.mask[..., 1 : 1 + 4 * 49] = attention.mask[..., 1 + 5 * 49 :] = float("-inf")
    if mistake == "eps":
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-5
    elif mistake == "tables swapped":
        embed.row_positions, embed.column_positions = embed.column_positions, embed.row_positions
    elif mistake == "no norm":
        embed.norm = torch.nn.Identity()
    elif mistake == "no class position":
        embed.global_positions = None
    want = reference["output"]
    assert float((model(reference["input"]) - want).norm() / want.norm()) > 5 * reference["meta"]["tolerance_rel"]


def sliding(model: ViL) -> list[SlidingChunkAttention]:
    return [module for module in model.modules() if isinstance(module, SlidingChunkAttention)]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("vil_tiny", 6_707_080),
        ("vil_tiny_rpb", 6_719_698),
        ("vil_small", 24_635_752),
        ("vil_small_rpb", 24_657_328),
        ("vil_medium_deep", 39_721_192),
        ("vil_medium_deep_rpb", 39_782_296),
        ("vil_medium_wide", 39_776_488),
        ("vil_base_deep", 55_696_360),
        ("vil_base_wide", 78_998_760),
    ],
)
def test_parameters_are_the_published_ones(name: str, parameters: int) -> None:
    with torch.device("meta"):
        model = ViL(**VARIANTS[name])
    assert sum(value.numel() for value in model.parameters()) == parameters


def test_macs_are_the_published_ones() -> None:
    tiny = ViL(**VARIANTS["vil_tiny"]).eval()
    blocks = block_macs(tiny)
    # The authors' code computes the keys and values of all tokens a second time, for the global tokens, with the
    # same weights; we do it once.
    second = {1: 3137 * 48 * 96, 3: 785 * 96 * 192}
    published = [macs + second.get(index, 0) for index, macs in enumerate(blocks)]
    total = sum(published) + head_macs(tiny)
    assert total == pytest.approx(1.460e9, abs=0.5e6)
    shares = [100 * sum(published[: cut + 1]) / total for cut in range(tiny.num_blocks)]
    for cut, share in ((2, 16.6), (4, 29.0), (14, 92.9), (16, 100.0)):
        assert shares[cut - 1] == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize("changes", [{}, {"relative": True}, {"img_size": (52, 70)}, {"global_tokens": (0, 1, 1)}])
@torch.inference_mode()
def test_chain_equals_whole_and_cuts_are_what_crosses(changes: dict[str, Any]) -> None:
    model = small(**changes)
    images = torch.randn(3, *model.input_size)
    whole = model(images)
    state: Any = images
    for cut in range(1, model.num_blocks):
        state = model.run(state, cut - 1, cut)
        assert all(value.is_contiguous() for value in state.values())
        assert {name: tuple(value.shape[1:]) for name, value in state.items()} == {
            spec.name: spec.shape for spec in model.cut_spec(cut)
        }
        before = {name: value.clone() for name, value in state.items()}
        assert torch.equal(model.head(model.run(state, cut, model.num_blocks)), whole)
        assert all(torch.equal(state[name], value) for name, value in before.items())
    assert model.cut_spec(0)[0].shape == model.input_size and model.cut_spec(model.num_blocks) == ()


@torch.inference_mode()
def test_tokens_keep_the_order_of_the_image() -> None:
    model = small(img_size=(64, 48))
    images = torch.randn(2, 1, 64, 48)
    for after in range(1, model.num_blocks + 1):
        state = model.run(images, 0, after)
        tokens, shape = model.tokens(state), model.token_shape(after)
        assert tokens.grid == shape.grid and (tokens.class_token is not None) == shape.class_token
        assert tokens.patches.shape == (2, shape.grid[0] * shape.grid[1], shape.width)
        if "map" in state:
            assert torch.equal(tokens.patches[:, shape.grid[1] + 2], state["map"][:, :, 1, 2])
        elif tokens.class_token is not None:
            assert torch.equal(tokens.class_token, state["tokens"][:, 0])
    assert model.block_names == (
        *("stem", "stage1.0", "stage2.embed", "stage2.0", "stage2.1", "stage3.embed", "stage3.0", "stage3.1"),
    )
    assert [model.token_shape(after).class_token for after in range(1, 9)] == [True, False, True, True, *[False] * 4]
    assert [model.token_shape(after).heads for after in (1, 3, 6)] == [1, 2, 4]


@torch.inference_mode()
def test_rows_have_the_first_half_of_the_positions() -> None:
    embed = small(img_size=(64, 48)).stages[0].embed
    plain = embed.norm(embed.proj(images := torch.randn(1, 1, 64, 48)).flatten(2).mT)
    added = (embed(images)[:, 1:] - plain).unflatten(1, (16, 12))
    assert torch.allclose(added[0, :, 0, :4], embed.row_positions[0], atol=1e-5)
    assert torch.allclose(added[0, 0, :, 4:], embed.column_positions[0], atol=1e-5)


@torch.inference_mode()
def test_other_sizes_are_padded_at_the_right_and_the_bottom() -> None:
    """An image that the patches do not divide gives what the same image with zeros around gives."""
    odd, even = small(img_size=(50, 61)), small(img_size=(52, 64))
    even.load_state_dict(odd.state_dict())
    images = torch.randn(2, 1, 50, 61)
    padded = torch.nn.functional.pad(images, (0, 3, 0, 2))
    assert torch.equal(odd(images), even(padded))
    assert odd.token_shape(1).grid == (13, 16) and odd.token_shape(3).grid == (7, 8)


@torch.inference_mode()
def test_full_attention_with_relative_bias_pair_by_pair() -> None:
    """Row offset times the columns of the table plus column offset, query minus key; global tokens have their own."""
    torch.manual_seed(0)
    height, width, heads = 3, 4, 2
    attention = FullAttention(8, heads, (height, width), 1, relative=True)
    for value in attention.parameters():
        torch.nn.init.normal_(value)
    places = [None, *((row, column) for row in range(height) for column in range(width))]
    bias = torch.empty(heads, 13, 13)
    for q, query in enumerate(places):
        for k, key in enumerate(places):
            if query and key:
                row, column = query[0] - key[0] + height - 1, query[1] - key[1] + width - 1
                bias[:, q, k] = attention.bias.table[row * (2 * width - 1) + column]
            elif query or key:
                bias[:, q, k] = attention.global_bias.to_patches[1 if query else 0, :, 0]
            else:
                bias[:, q, k] = attention.global_bias.to_globals[:, 0, 0]
    tokens = torch.randn(2, 13, 8)
    query, key, value = attention.qkv(tokens).unflatten(-1, (3, heads, 4)).permute(2, 0, 3, 1, 4)
    mixed = (query @ key.mT / 2 + bias).softmax(-1) @ value
    expected = attention.proj(mixed.transpose(1, 2).flatten(2))
    assert torch.allclose(attention(tokens), expected, rtol=1e-4, atol=1e-4)


def test_a_fresh_model_learns() -> None:
    torch.manual_seed(0)
    model = ViL(**SMALL, drop_path=0.1)
    images, labels = torch.randn(8, 1, 64, 64), torch.arange(8)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(40):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(value.grad is not None for value in model.parameters())
    assert losses[-1] < 0.5 * losses[0]


def test_released_names_of_the_relative_form() -> None:
    """The authors' names, shared projections and index buffers included, fill our model."""
    model = small(relative=True)
    theirs = {
        "layer1.1.attn.local_relative_position_bias_table": "stages.0.layers.0.attn.bias.table",
        "layer2.3.attn.g2l_relative_position_bias": "stages.1.layers.1.attn.global_bias.to_patches",
        "layer2.1.attn.g2g_relative_position_bias": "stages.1.layers.0.attn.global_bias.to_globals",
        "layer2.4.norm.weight": "stages.1.layers.1.norm2.weight",
        "layer3.0.norm_embed.bias": "stages.2.embed.norm.bias",
        "head.bias": "classifier.bias",
    }
    own = model.state_dict()
    released = {name: own[ours] for name, ours in theirs.items()}
    released["layer1.1.attn.query_global.weight"] = own["stages.0.layers.0.attn.query.weight"]
    released["layer1.1.attn.relative_position_index"] = torch.zeros(3)
    assert list(model.released(released)) == list(theirs.values())
