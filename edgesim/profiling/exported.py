"""Runs a model that was exported as operator calls; needs torch alone."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


class ExportedModel:
    """A multi-exit model from the texts of its blocks and branches.

    exported: what :func:`edgesim.profiling.exporting.export_model` gives.  tensors: the weights by name.
    """

    def __init__(self, exported: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        self.exits: tuple[int, ...] = tuple(exported["exits"])
        self.num_blocks = len(exported["blocks"])
        self._blocks = [_Function(each, tensors) for each in exported["blocks"]]
        self._branches = [_Function(each, tensors) for each in exported["branches"]]

    def run(self, images_or_state: Any, start: int, stop: int) -> Any:
        value = images_or_state
        for index in range(start, stop):
            value = self._blocks[index](value)
        return value

    def exit(self, state: Any, index: int) -> Tensor:
        return self._branches[index](state)["logits"]


class _Function:
    def __init__(self, exported: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        space: dict[str, Any] = {"torch": torch, "device": torch.device, "inf": math.inf, "nan": math.nan}
        exec(exported["code"], space)
        self._forward: Callable[..., Sequence[Tensor]] = space["forward"]
        self._tensors = [tensors[name] for name in exported["tensors"]]
        self._inputs, self._outputs = exported["inputs"], exported["outputs"]

    def __call__(self, value: Any) -> dict[str, Tensor]:
        inputs = [value[name] for name in self._inputs] if self._inputs else [value]
        return dict(zip(self._outputs, self._forward(None, *self._tensors, *inputs), strict=True))


def draw_tensors(descriptions: Mapping[str, Mapping[str, Any]], device: str) -> dict[str, Tensor]:
    """Weights like the described ones: normal draws of their mean and spread, kept within their range."""
    generator = torch.Generator().manual_seed(0)
    return {name: _draw(each, generator).to(device) for name, each in descriptions.items()}


def _draw(described: Mapping[str, Any], generator: torch.Generator) -> Tensor:
    shape, dtype = described["shape"], getattr(torch, described["dtype"])
    if "values" in described:
        raw = bytearray(zlib.decompress(base64.b64decode(described["values"])))
        return torch.frombuffer(raw, dtype=dtype).reshape(shape)
    drawn = torch.randn(shape, generator=generator) * described["std"] + described["mean"]
    return drawn.clamp(described["low"], described["high"]).to(dtype)
