"""What running a model costs, as the engine asks for it: measured or synthetic, behind one interface."""

from __future__ import annotations

from typing import Protocol

from edgesim.models.state import TensorSpec
from edgesim.profiling.measured_costs import ModelCosts, Seconds
from edgesim.profiling.synthetic_costs import SyntheticCosts, synthetic_costs

__all__ = ["Costs", "ModelCosts", "Seconds", "SyntheticCosts", "synthetic_costs"]


class Costs(Protocol):
    """Seconds that one model takes on one device.  ``luck`` in [0, 1) is the quantile of a request's draw."""

    @property
    def num_blocks(self) -> int: ...
    @property
    def exits(self) -> tuple[int, ...]: ...
    @property
    def cuts(self) -> tuple[tuple[TensorSpec, ...], ...]:
        """What crosses at cuts 0..L."""

    @property
    def label(self) -> str:
        """``measured``, ``scaled ...`` or ``synthetic``."""

    @property
    def max_batch(self) -> int | None:
        """The largest batch with a known time; None where there is no limit."""

    def piece(self, start: int, stop: int) -> Seconds:
        """``piece_s`` at batch 1 with all look-ups done, for a piece that many requests run."""

    def branch(self, exit: int) -> Seconds | None:
        """``branch_s`` at batch 1 likewise; None where it costs nothing, as of the next three."""

    def preprocess(self) -> Seconds | None: ...
    def encode(self, codec: str, cut: int) -> Seconds | None: ...
    def decode(self, codec: str, cut: int) -> Seconds | None: ...
    def piece_s(self, luck: float, start: int, stop: int, batch: int = 1) -> float: ...
    def branch_s(self, luck: float, exit: int, batch: int = 1) -> float: ...
    def encode_s(self, codec: str, cut: int, luck: float) -> float: ...
    def decode_s(self, codec: str, cut: int, luck: float) -> float: ...
    def preprocess_s(self, luck: float) -> float: ...
    def gather_s(self, batch: int) -> float: ...
    @property
    def wakes(self) -> bool:
        """Whether ``idle_factor`` is ever anything but 1."""

    def idle_factor(self, gap_s: float) -> float: ...
    def mean_piece_s(self, start: int, stop: int, batch: int = 1) -> float: ...
    def mean_branch_s(self, exit: int, batch: int = 1) -> float: ...
    def mean_encode_s(self, codec: str, cut: int) -> float: ...
    def mean_decode_s(self, codec: str, cut: int) -> float: ...
    @property
    def mean_preprocess_s(self) -> float: ...
