"""Relative position biases: a learned number per head and offset between a query and a key on a grid.

They come as (1, heads, queries, keys), ready for ``scaled_dot_product_attention``, which has no fast path for less.
"""

from __future__ import annotations

import torch
from timm.layers import trunc_normal_
from torch import Tensor, nn


def grid_positions(rows: range, columns: range) -> Tensor:
    """(N, 2): row and column of every place, row by row."""
    axes = torch.arange(rows.start, rows.stop), torch.arange(columns.start, columns.stop)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).flatten(0, 1)


class RelativeBias(nn.Module):
    """A table with a row for every offset (query minus key), row by row as in Swin (Liu et al. 2021).

    queries, keys: (Q, 2) and (K, 2) grid positions.  reach: the largest offset of rows and of columns.
    """

    index: Tensor

    def __init__(self, queries: Tensor, keys: Tensor, reach: tuple[int, int], heads: int) -> None:
        super().__init__()
        rows, columns = reach
        self.table = nn.Parameter(torch.empty((2 * rows + 1) * (2 * columns + 1), heads))
        trunc_normal_(self.table, std=0.02)
        offset_rows, offset_columns = (queries[:, None] - keys).unbind(-1)
        index = (offset_rows + rows) * (2 * columns + 1) + offset_columns + columns
        self.register_buffer("index", index, persistent=False)

    def forward(self) -> Tensor:
        """(1, heads, Q, K)"""
        return self.table[self.index.flatten()].view(1, *self.index.shape, -1).permute(0, 3, 1, 2)


def window_bias(grid: tuple[int, int], heads: int) -> RelativeBias:
    """Between any two places of a grid: a table of (2H - 1)(2W - 1) offsets."""
    places = grid_positions(range(grid[0]), range(grid[1]))
    return RelativeBias(places, places, (grid[0] - 1, grid[1] - 1), heads)


class GlobalBias(nn.Module):
    """Biases of global tokens, which have no place: one number per head and token instead of a table.

    to_patches[0] is for a global query and a patch key, to_patches[1] for a patch query and a global key.
    """

    def __init__(self, heads: int, global_tokens: int) -> None:
        super().__init__()
        self.to_patches = nn.Parameter(torch.empty(2, heads, global_tokens))
        self.to_globals = nn.Parameter(torch.empty(heads, global_tokens, global_tokens))
        trunc_normal_(self.to_patches, std=0.02)
        trunc_normal_(self.to_globals, std=0.02)

    def of_globals(self, patches: int) -> Tensor:
        """(1, heads, G, G + patches): global queries, keys with the global tokens first."""
        return torch.cat([self.to_globals, self.to_patches[0, :, :, None].expand(-1, -1, patches)], -1)[None]

    def of_patches(self, patch_bias: Tensor) -> Tensor:
        """(1, heads, Q, G + K): ``patch_bias`` (1, heads, Q, K) with the global keys put first."""
        queries = patch_bias.shape[2]
        return torch.cat([self.to_patches[1:, :, None].expand(-1, -1, queries, -1), patch_bias], -1)
