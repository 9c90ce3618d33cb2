"""A backbone: a chain of blocks that can be run in pieces."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from edgesim.models.state import TensorSpec

State = dict[str, Tensor]


class Tokens(NamedTuple):
    """A state seen as tokens.

    patches: (B, H*W, D), in image order (row by row).  grid: (H, W).  class_token: (B, D) or None.
    """

    patches: Tensor
    grid: tuple[int, int]
    class_token: Tensor | None


class TokenShape(NamedTuple):
    """What :class:`Tokens` look like at one place: enough to build a branch there.

    grid: (H, W).  width: D.  class_token: whether there is one.  heads, mlp_ratio: of the backbone's own encoder
    layers there, for a branch that copies their shape.
    """

    grid: tuple[int, int]
    width: int
    class_token: bool
    heads: int
    mlp_ratio: float


class Backbone(nn.Module):
    """A chain of ``num_blocks`` blocks; block 0 is the stem, which takes images.

    Running the chain in pieces gives the same numbers as running it whole, bit for bit at one batch size and
    thread count.
    """

    num_blocks: int
    num_classes: int
    width: int
    input_size: tuple[int, int, int]
    """(channels, height, width) of the images that the stem takes."""
    block_names: tuple[str, ...]
    """A name for each block, such as ``stem``, ``stage1.0`` or ``stage2.merge``."""
    token_sets: tuple[str, ...] = ("tokens",)
    """Names of the token sets that a branch can read, its default first."""

    @abstractmethod
    def stem(self, images: Tensor) -> State: ...

    @abstractmethod
    def block(self, index: int, state: State) -> State: ...

    @abstractmethod
    def head(self, state: State) -> Tensor:
        """Logits (B, classes) of the backbone's own head, from the state after the last block."""

    @abstractmethod
    def tokens(self, state: State, token_set: str | None = None) -> Tokens:
        """The tokens of a state in image order; of the first of ``token_sets`` where none is named."""

    @abstractmethod
    def token_shape(self, after: int, token_set: str | None = None) -> TokenShape:
        """The shape of ``tokens`` of the state after ``after`` blocks."""

    @abstractmethod
    def cut_spec(self, cut: int) -> tuple[TensorSpec, ...]:
        """What crosses at ``cut`` for one sample: nothing at the last cut, the float image at cut 0."""

    def released(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The tensors of the authors' checkpoint under this module's own names."""
        return weights

    def run(self, images_or_state: Tensor | State, start: int, stop: int) -> Tensor | State:
        """Run blocks ``start`` .. ``stop - 1``.

        images_or_state: (B, C, H, W) preprocessed images if ``start`` is 0, else the state after
        ``start`` blocks.  Returns the state after ``stop`` blocks (the input itself if nothing is run).
        Raises ValueError for a range outside 0 .. num_blocks.
        """
        if not 0 <= start <= stop <= self.num_blocks:
            raise ValueError(f"blocks {start}..{stop} are not within 0..{self.num_blocks}")
        value = images_or_state
        for index in range(start, stop):
            value = self.stem(value) if index == 0 else self.block(index, value)  # type: ignore[arg-type]
        return value

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, classes) of the final exit."""
        return self.head(self.run(images, 0, self.num_blocks))  # type: ignore[arg-type]
