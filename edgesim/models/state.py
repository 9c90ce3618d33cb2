"""What flows between two blocks: named tensors, described without torch.

A *state* is a mapping from names to tensors.  A :class:`TensorSpec` says what one of them looks like
for a single sample, so that payload sizes can be worked out without importing torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

Kind = Literal["float", "index"]
BYTES = {"float32": 4, "float16": 2, "uint8": 1, "int16": 2, "int32": 4, "int64": 8}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a state, for one sample.

    name: its key in the state.  shape: without the batch axis.  dtype: numpy's name.
    kind: ``float`` may be quantised, ``index`` is always sent without loss.

    >>> TensorSpec("tokens", (50, 96)).nbytes
    19200
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    kind: Kind = "float"

    @property
    def numel(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.numel * BYTES[self.dtype]
