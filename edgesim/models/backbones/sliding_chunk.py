"""2-D sliding-chunk attention of Vision Longformer (Zhang et al., ICCV 2021, "W x W chunks and their neighbours")."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from edgesim.models.backbones.relative_bias import GlobalBias, RelativeBias, grid_positions

GATHERED = 3_000_000
"""Keys and values gathered at one time, in numbers: larger tensors are slower, for their memory is new each time."""


class SlidingChunkAttention(nn.Module):
    """A patch attends to its own W x W chunk, the 8 chunks around it and the global tokens; globals attend to all.

    Tokens are (B, G + H*W, D), the G global tokens first.  A map that W does not divide is padded at the right and the
    bottom; keys outside the map are masked.  All 9 chunks are used in training too (the authors' random shifting, which
    trains with fewer, is left out).  Global and patch tokens share their projections.
    """

    mask: Tensor

    def __init__(
        self, width: int, heads: int, grid: tuple[int, int], window: int, global_tokens: int, relative: bool = False
    ) -> None:
        super().__init__()
        self.heads, self.grid, self.window, self.global_tokens = heads, grid, window, global_tokens
        self.chunks = (-(-grid[0] // window), -(-grid[1] // window))
        self.query = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.proj = nn.Linear(width, width)
        self.bias = _neighbour_bias(window, heads) if relative else None
        self.global_bias = GlobalBias(heads, global_tokens) if relative and global_tokens else None
        self.register_buffer("mask", self._outside(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        query, kv = self.query(tokens), self.kv(tokens)
        patches = self._of_patches(query[:, self.global_tokens :], kv)
        if self.global_tokens:
            patches = torch.cat([self._of_globals(query[:, : self.global_tokens], kv), patches], 1)
        return self.proj(patches)

    def _of_globals(self, query: Tensor, kv: Tensor) -> Tensor:
        """(B, G, D): ordinary attention of the global queries to every token."""
        bias = None if self.global_bias is None else self.global_bias.of_globals(self.grid[0] * self.grid[1])
        key, value = (self._split(part) for part in kv.chunk(2, -1))
        return scaled_dot_product_attention(self._split(query), key, value, bias).transpose(1, 2).flatten(2)

    def _of_patches(self, query: Tensor, kv: Tensor) -> Tensor:
        """(B, H*W, D): each chunk of queries attends to its neighbourhood, for a few images at a time."""
        mask = self._mask()
        images = max(1, GATHERED // (mask.shape[0] * mask.shape[-1] * kv.shape[-1]))
        pieces = zip(query.split(images), kv.split(images), strict=True)
        return torch.cat([self._attend(*piece, mask) for piece in pieces])

    def _attend(self, query: Tensor, kv: Tensor, mask: Tensor) -> Tensor:
        batch = len(query)
        key, value = (self._split(part) for part in self._neighbourhoods(kv).chunk(2, -1))
        mask = mask.expand(batch, -1, -1, -1, -1).flatten(0, 1)
        mixed = scaled_dot_product_attention(self._split(self._cut(query).flatten(0, 2)), key, value, mask)
        return self._join(mixed.transpose(1, 2).flatten(2), batch)

    def _mask(self) -> Tensor:
        """(chunks, 1 or heads, 1 or W*W, G + 9*W*W), to be added to the products of queries and keys."""
        if self.bias is None:
            return self.mask
        bias = self.bias()
        return self.mask + (bias if self.global_bias is None else self.global_bias.of_patches(bias))

    def _split(self, tokens: Tensor) -> Tensor:
        """(N, T, D) to (N, heads, T, D / heads)"""
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def _cut(self, patches: Tensor) -> Tensor:
        """(B, H*W, D) to chunks (B, rows, columns, W*W, D), padded with zeros."""
        (height, width), (rows, columns), side = self.grid, self.chunks, self.window
        image = patches.unflatten(1, self.grid)
        image = pad(image, (0, 0, 0, columns * side - width, 0, rows * side - height))
        return image.unflatten(1, (rows, side)).unflatten(3, (columns, side)).transpose(2, 3).flatten(3, 4)

    def _join(self, chunks: Tensor, batch: int) -> Tensor:
        """The inverse of cutting: (B * rows * columns, W*W, D) to (B, H*W, D)."""
        (height, width), (rows, columns), side = self.grid, self.chunks, self.window
        image = chunks.view(batch, rows, columns, side, side, -1).transpose(2, 3)
        return image.flatten(3, 4).flatten(1, 2)[:, :height, :width].flatten(1, 2)

    def _neighbourhoods(self, kv: Tensor) -> Tensor:
        """(B * chunks, G + 9*W*W, 2D): the global tokens and the 3 x 3 chunks around each, row by row."""
        (rows, columns), count = self.chunks, self.global_tokens
        ring = pad(self._cut(kv[:, count:]), (0, 0, 0, 0, 1, 1, 1, 1))
        parts = [ring[:, row : row + rows, column : column + columns] for row in range(3) for column in range(3)]
        everywhere = kv[:, None, None, :count].expand(-1, rows, columns, -1, -1)
        return torch.cat([everywhere, *parts], 3).flatten(0, 2)

    def _outside(self) -> Tensor:
        """(chunks, 1, 1, G + 9*W*W): minus infinity for keys outside the map, else zero."""
        tokens = torch.ones(1, self.global_tokens + self.grid[0] * self.grid[1], 1)
        return self._neighbourhoods(tokens).log()[:, None, None, :, 0]


def _neighbour_bias(window: int, heads: int) -> RelativeBias:
    """Between a chunk and its 3 x 3 neighbourhood, chunk by chunk: a table of (4W - 1)^2 offsets."""
    chunk = grid_positions(range(window), range(window))
    keys = torch.cat([chunk + window * place for place in grid_positions(range(-1, 2), range(-1, 2))])
    return RelativeBias(chunk, keys, (2 * window - 1, 2 * window - 1), heads)
