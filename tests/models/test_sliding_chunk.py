"""Sliding-chunk attention against full attention with a mask, written plainly."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from edgesim.models.backbones import sliding_chunk  # noqa: E402
from edgesim.models.backbones.sliding_chunk import SlidingChunkAttention  # noqa: E402


def plain_bias(attention: SlidingChunkAttention) -> torch.Tensor:
    """(heads, T, T): minus infinity where a query may not look, else the relative bias; one pair at a time."""
    (height, width), side, first = attention.grid, attention.window, attention.global_tokens
    places = [None] * first + [(row, column) for row in range(height) for column in range(width)]
    bias = torch.zeros(attention.heads, len(places), len(places))
    for q, query in enumerate(places):
        for k, key in enumerate(places):
            if query and key:
                if any(abs(a // side - b // side) > 1 for a, b in zip(query, key, strict=True)):
                    bias[:, q, k] = float("-inf")
                elif attention.bias is not None:
                    row, column = (a - b + 2 * side - 1 for a, b in zip(query, key, strict=True))
                    bias[:, q, k] = attention.bias.table[row * (4 * side - 1) + column]
            elif attention.global_bias is not None:
                if query is None and key is None:
                    bias[:, q, k] = attention.global_bias.to_globals[:, q, k]
                elif query is None:
                    bias[:, q, k] = attention.global_bias.to_patches[0, :, q]
                else:
                    bias[:, q, k] = attention.global_bias.to_patches[1, :, k]
    return bias


def plain_attention(attention: SlidingChunkAttention, tokens: torch.Tensor) -> torch.Tensor:
    def split(values: torch.Tensor) -> torch.Tensor:
        return values.unflatten(-1, (attention.heads, -1)).transpose(1, 2)

    key, value = attention.kv(tokens).chunk(2, -1)
    query = split(attention.query(tokens))
    scores = query @ split(key).mT * query.shape[-1] ** -0.5 + plain_bias(attention)
    return attention.proj((scores.softmax(-1) @ split(value)).transpose(1, 2).flatten(2))


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("grid", [(12, 15), (13, 10), (2, 14), (3, 3), (4, 7)])
@pytest.mark.parametrize("global_tokens", [0, 1, 2])
def test_equals_masked_full_attention(grid: tuple[int, int], global_tokens: int, relative: bool) -> None:
    torch.manual_seed(0)
    attention = SlidingChunkAttention(8, 2, grid, 3, global_tokens, relative)
    for value in attention.parameters():  # fresh biases are too small to matter
        torch.nn.init.normal_(value)
    tokens = torch.randn(2, global_tokens + grid[0] * grid[1], 8)
    with torch.no_grad():
        found, expected = attention(tokens), plain_attention(attention, tokens)
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("relative", [False, True])
def test_images_gathered_in_pieces_keep_their_places(relative: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    attention = SlidingChunkAttention(8, 2, (7, 5), 3, 1, relative)
    tokens = torch.randn(5, 36, 8)
    per_image = attention.mask.shape[0] * attention.mask.shape[-1] * 16
    with torch.no_grad():
        whole = attention(tokens)
        monkeypatch.setattr(sliding_chunk, "GATHERED", 2 * per_image)
        assert torch.allclose(attention(tokens), whole, rtol=1e-4, atol=1e-5)


def test_gradients_equal_those_of_full_attention() -> None:
    torch.manual_seed(1)
    attention = SlidingChunkAttention(8, 2, (7, 5), 3, 1, relative=True)
    tokens = torch.randn(2, 36, 8)
    weights = torch.randn(2, 36, 8)
    parameters = list(attention.parameters())
    found = torch.autograd.grad((attention(tokens) * weights).sum(), parameters)
    expected = torch.autograd.grad((plain_attention(attention, tokens) * weights).sum(), parameters)
    for ours, plain in zip(found, expected, strict=True):
        assert torch.allclose(ours, plain, rtol=1e-3, atol=1e-4)


class Largest(TorchDispatchMode):
    """The number of elements of the largest tensor that an operator makes."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, torch.Tensor):
                self.elements = max(self.elements, value.untyped_storage().nbytes() // value.element_size())
        return result


@pytest.mark.parametrize("relative", [False, True])
def test_never_makes_the_full_matrix(relative: bool) -> None:
    attention = SlidingChunkAttention(16, 2, (56, 56), 7, 1, relative)
    with torch.no_grad(), Largest() as largest:
        attention(torch.zeros(1, 3137, 16))
    assert largest.elements < 3137**2 / 3
