"""A backbone with exits: the thing that a request runs through."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from edgesim.models.backbones.base import Backbone, State, Tokens
from edgesim.models.branches.base import Branch


class MultiExit(nn.Module):
    """A backbone and its branches.

    branches: for each block count b (1 .. L-1), the module that answers from the state after b blocks.
    Exits count from 0 in order of depth; the last exit is the backbone's own head, after all L blocks.
    """

    def __init__(self, backbone: Backbone, branches: Mapping[int, Branch]) -> None:
        super().__init__()
        inside = all(0 < after < backbone.num_blocks for after in branches)
        if not inside:
            raise ValueError(f"branches sit after 1..{backbone.num_blocks - 1} blocks, found {sorted(branches)}")
        self.backbone = backbone
        self.branches = nn.ModuleDict({str(after): branches[after] for after in sorted(branches)})
        self.exits: tuple[int, ...] = (*sorted(branches), backbone.num_blocks)
        """Blocks run before each exit, by exit."""

    @property
    def num_blocks(self) -> int:
        return self.backbone.num_blocks

    def run(self, images_or_state: Tensor | State, start: int, stop: int) -> Tensor | State:
        return self.backbone.run(images_or_state, start, stop)

    def exit(self, state: State, index: int) -> Tensor:
        """Logits (B, classes) of exit ``index`` from the state after ``exits[index]`` blocks."""
        if self.exits[index] == self.num_blocks:
            return self.backbone.head(state)
        return self.branch(index)(self.exit_tokens(state, index))

    def branch(self, index: int) -> Branch:
        """The branch of an early exit."""
        return self.branches[str(self.exits[index])]  # type: ignore[return-value]

    def exit_tokens(self, state: State, index: int) -> Tokens:
        """What the branch of an early exit reads of the state there."""
        return self.backbone.tokens(state, self.branch(index).token_set)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of the final exit."""
        return self.backbone(images)

    def all_exits(self, images: Tensor) -> Tensor:
        """Logits of every exit, (exits, B, classes)."""
        logits, value, start = [], images, 0
        for index, after in enumerate(self.exits):
            value = self.run(value, start, after)  # type: ignore[assignment]
            logits.append(self.exit(value, index))  # type: ignore[arg-type]
            start = after
        return torch.stack(logits)
