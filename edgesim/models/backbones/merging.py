"""The steps of token merging, written from Bolya et al., Token Merging: Your ViT But Faster, ICLR 2023."""

from __future__ import annotations

from itertools import accumulate, repeat
from typing import Any

import torch
from timm.layers import Attention
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn.functional import normalize, pad, scaled_dot_product_attention


def patch_counts(patches: int, merge: int, blocks: int) -> list[int]:
    """Patch tokens before the first block and after each: ``merge`` fewer, but never less than half.

    Raises ValueError for a ``merge`` that the first block cannot do.
    """
    if not 0 <= merge <= patches // 2:
        raise ValueError(f"merge: found {merge}, allowed: 0 to {patches // 2}, half of the patch tokens")
    return list(accumulate(repeat(merge, blocks), lambda left, most: left - min(most, left // 2), initial=patches))


def can_merge(block: nn.Module) -> bool:
    """Whether a block of timm is plain enough to be run by :func:`attend` and the rest of its modules."""
    attention: Any = getattr(block, "attn", None)
    if type(block) is not Block or type(attention) is not Attention:
        return False
    # Newer releases of timm can normalise or gate what attention mixed.
    normed = not isinstance(getattr(attention, "norm", nn.Identity()), nn.Identity)
    return not normed and getattr(attention, "gate", None) is None


def count_sizes(source: Tensor, count: int) -> Tensor:
    """(B, count): how many of the tokens after the stem each of ``count`` tokens stands for."""
    ones = torch.ones(source.shape, device=source.device)
    return ones.new_zeros(source.shape[0], count).scatter_add(1, source, ones)


def attend(attention: Any, tokens: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
    """Proportional attention of timm's module: what it makes of ``tokens`` (B, M, D), and its keys (B, M, head's D).

    sizes: (B, M), whose logarithm is added to the scores.  The keys are the mean over heads.
    """
    query, key, value = attention.qkv(tokens).unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    query, key = attention.q_norm(query), attention.k_norm(key)
    dropout = attention.attn_drop.p if attention.training else 0.0
    mixed = scaled_dot_product_attention(query, key, value, sizes.log()[:, None, None], dropout)
    return attention.proj_drop(attention.proj(mixed.transpose(1, 2).flatten(2))), key.mean(1)


def match(keys: Tensor, merged: int, protected: int) -> Tensor:
    """Bipartite soft matching: (B, M) the place of each token among the M - merged that remain.

    keys: (B, M, D), compared by their cosine.  Every second token, from the first on, may merge into its most similar
    of the others; the ``merged`` most similar pairs do.  Ties go to the first.  What remains of the one half comes
    before the other half.  protected: how many of the first tokens, 0 or 1, do not take part.
    """
    unit = normalize(keys, dim=-1)
    first, second = unit[:, ::2], unit[:, 1::2]
    similarity, partner = (first @ second.transpose(1, 2)).max(-1)
    ranks = similarity[:, protected:].argsort(dim=1, descending=True, stable=True).argsort(1)
    leaves = pad(ranks < merged, (protected, 0))
    remain = first.shape[1] - merged
    of_first = torch.where(leaves, remain + partner, (~leaves).cumsum(1) - 1)
    of_second = remain + torch.arange(second.shape[1], device=keys.device).expand(keys.shape[0], -1)
    places = torch.arange(keys.shape[1], device=keys.device)
    return torch.cat([of_first, of_second], 1)[:, places // 2 + places % 2 * first.shape[1]]


def merge_tokens(tokens: Tensor, sizes: Tensor, targets: Tensor, merged_sizes: Tensor) -> Tensor:
    """(B, remaining, D): the mean of the tokens (B, M, D) with one target, weighted with their sizes (B, M)."""
    weighted = tokens * sizes[..., None]
    sums = tokens.new_zeros(*merged_sizes.shape, tokens.shape[-1])
    return sums.scatter_add(1, targets[..., None].expand_as(weighted), weighted) / merged_sizes[..., None]
