"""Shuffle Transformer against the reference outputs, the published counts and its own pieces (Huang et al. 2021)."""

from __future__ import annotations

import sys
from copy import deepcopy
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from edgesim.models.backbones.shuffle import VARIANTS, ShuffleTransformer, WindowAttention  # noqa: E402
from edgesim.profiling.macs import block_macs, head_macs  # noqa: E402

PARITY = Path(__file__).parents[3] / "shared" / "parity"

SMALL: dict[str, Any] = {
    "img_size": 64,
    "in_chans": 1,
    "num_classes": 10,
    "width": 8,
    "depths": (2, 2, 2),
    "heads": (1, 2, 4),
    "window": 4,
    "stem_channels": 4,
}


def small(**changes: Any) -> ShuffleTransformer:
    """A small model whose every tensor matters."""
    torch.manual_seed(0)
    model = ShuffleTransformer(**{**SMALL, **changes}).eval()
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    if not (PARITY / "shuffle_t.pt").exists():
        pytest.skip("no reference outputs beside the project")
    sys.path.insert(0, str(PARITY))
    try:
        import reference
    finally:
        sys.path.remove(str(PARITY))
    return reference.load("shuffle_t")


@pytest.fixture(scope="module")
def shuffle_t(reference: dict[str, Any]) -> ShuffleTransformer:
    model = ShuffleTransformer(**VARIANTS["shuffle_t"]).eval()
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
def test_reference_outputs_and_every_cut(shuffle_t: ShuffleTransformer, reference: dict[str, Any]) -> None:
    tolerance = reference["meta"]["tolerance_rel"]
    state: Any = reference["input"]
    *cuts, (_, output) = reference["meta"]["cuts"]
    assert [name.removesuffix(".window").removesuffix(".shuffle") for name, _ in cuts] == list(shuffle_t.block_names)
    for index, (_, statistics) in enumerate(cuts):
        state = shuffle_t.run(state, index, index + 1)
        check_statistics(state["map"], statistics["x"], tolerance)
    logits = shuffle_t.head(state)
    check_statistics(logits, output["logits"], tolerance)
    assert float((logits - reference["output"]).norm() / reference["output"].norm()) < tolerance


@torch.no_grad()
@pytest.mark.parametrize("mistake", ["no shuffle", "all shuffle", "no norm", "no bias", "relu"])
def test_a_single_mistake_shows(shuffle_t: ShuffleTransformer, reference: dict[str, Any], mistake: str) -> None:
    """The reference tells the readings apart, by far more than the tolerance."""
    model = deepcopy(shuffle_t)
    for block in model.chain:
        attention = getattr(block, "attn", None)
        if attention is None:
            continue
        if mistake in ("no shuffle", "all shuffle"):
            attention.shuffle = mistake == "all shuffle"
        elif mistake == "no norm":
            block.norm2 = torch.nn.Identity()
        elif mistake == "no bias":
            attention.bias.table.zero_()
        else:
            block.mlp[1] = torch.nn.ReLU()
    want = reference["output"][:1]
    error = float((model(reference["input"][:1]) - want).norm() / want.norm())
    assert error > 5 * reference["meta"]["tolerance_rel"]


@pytest.mark.parametrize(
    ("name", "parameters"), [("shuffle_t", 28_532_482), ("shuffle_s", 50_076_178), ("shuffle_b", 88_398_560)]
)
def test_parameters_are_the_published_ones(name: str, parameters: int) -> None:
    with torch.device("meta"):
        model = ShuffleTransformer(**VARIANTS[name])
    assert sum(value.numel() for value in model.parameters()) == parameters


def test_macs_are_the_published_ones() -> None:
    model = ShuffleTransformer(**VARIANTS["shuffle_t"]).eval()
    macs = [*block_macs(model), head_macs(model)]
    assert sum(macs) == pytest.approx(4.673e9, abs=0.5e6)
    shares = [100 * done / sum(macs) for done in accumulate(macs)]
    for cut, share in ((1, 2.7), (3, 19.4), (4, 20.7), (6, 36.5), (7, 37.7), (13, 83.7), (14, 84.9), (16, 100.0)):
        assert shares[cut - 1] == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize("changes", [{}, {"img_size": (64, 128)}, {"window": 2, "depths": (1, 2, 3)}, {"in_chans": 3}])
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
    model = small(img_size=(64, 128))
    images = torch.randn(2, 1, 64, 128)
    for after in range(1, model.num_blocks + 1):
        state = model.run(images, 0, after)
        tokens, shape = model.tokens(state), model.token_shape(after)
        assert tokens.class_token is None and not shape.class_token and tokens.grid == shape.grid
        assert tokens.patches.shape == (2, shape.grid[0] * shape.grid[1], shape.width)
        assert torch.equal(tokens.patches[:, shape.grid[1] + 2], state["map"][:, :, 1, 2])
    names = ("stem", "stage1.0", "stage1.1", "stage2.merge", "stage2.0", "stage2.1", "stage3.merge")
    assert model.block_names[:7] == names
    assert [model.token_shape(after)[:2] for after in (3, 4)] == [((16, 32), 8), ((8, 16), 16)]
    assert [model.token_shape(after).heads for after in (3, 4, 7)] == [1, 2, 4]


@pytest.mark.parametrize("shuffle", [False, True])
@torch.inference_mode()
def test_windows_one_token_at_a_time(shuffle: bool) -> None:
    """Neighbours attend to each other, or, shuffled, the tokens of one row and column in each of W x W regions."""
    torch.manual_seed(0)
    height, width, side, heads = 6, 9, 3, 2
    attention = WindowAttention(4, heads, side, shuffle)
    torch.nn.init.normal_(attention.bias.table)
    image = torch.randn(1, 4, height, width)
    query, key, value = attention.to_qkv(image)[0].unflatten(0, (3, heads, -1)).flatten(3)  # (3, heads, d, tokens)
    places = [(row, column) for row in range(height) for column in range(width)]

    def window_and_place(at: int, length: int) -> tuple[int, int]:
        return (at % (length // side), at // (length // side)) if shuffle else (at // side, at % side)

    mixed = torch.zeros(heads, 2, len(places))
    for q, query_at in enumerate(places):
        scores = torch.full((heads, len(places)), float("-inf"))
        for k, key_at in enumerate(places):
            (row, from_row), (key_row, to_row) = (window_and_place(at[0], height) for at in (query_at, key_at))
            (column, from_column), (key_column, to_column) = (
                window_and_place(at[1], width) for at in (query_at, key_at)
            )
            if (row, column) == (key_row, key_column):
                bias = attention.bias.table[(from_row - to_row + 2) * 5 + from_column - to_column + 2]
                scores[:, k] = (query[:, :, q] * key[:, :, k]).sum(1) * 2**-0.5 + bias
        mixed[:, :, q] = (scores.softmax(1)[:, None] * value).sum(2)
    expected = attention.proj(mixed.view(1, 4, height, width))
    assert torch.allclose(attention(image), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "sizes"),
    [
        ({"img_size": 60}, "60x60.*multiples of 64: 64, 128, 192"),
        ({"img_size": (64, 96)}, "64x96"),
        ({**VARIANTS["shuffle_t"], "img_size": 192, "window": 7}, "192x192.*7x7.*multiples of 224: 224, 448, 672"),
    ],
)
def test_an_image_that_windows_do_not_tile_is_refused(changes: dict[str, Any], sizes: str) -> None:
    with pytest.raises(ValueError, match=sizes):
        small(**changes)


def test_a_fresh_model_learns() -> None:
    torch.manual_seed(0)
    model = ShuffleTransformer(**SMALL, drop_path=0.1)
    images, labels = torch.randn(8, 1, 64, 64), torch.arange(8)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(value.grad is not None for value in model.parameters())
    assert losses[-1] < 0.5 * losses[0]


def test_a_checkpoint_of_another_size_keeps_the_names_without_a_place() -> None:
    model = small()
    released = model.released({"stage3.layers.4.0.norm1.weight": torch.zeros(1), "head.bias": torch.zeros(1)})
    assert list(released) == ["stage3.layers.4.0.norm1.weight", "classifier.bias"]
