"""A model as plain operator calls, which run with torch alone.

Every block and branch is traced with ``torch.export`` into the operators it calls, in order, with a free batch size;
its Python text is kept.  Weights do not travel: times do not depend on their values, so their shapes, ranges and
spreads do, and weights like them are drawn where the text runs.  Integer tensors (indices) travel as they are.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram, export

from edgesim.errors import InputError
from edgesim.models.backbones.base import State
from edgesim.models.multi_exit import MultiExit
from edgesim.profiling.exported import ExportedModel

CHECKED_BATCHES = (1, 3)
TOLERANCE = 1e-4


class _Block(nn.Module):
    """Block ``index``, from tensors to tensors (in the order of their names)."""

    def __init__(self, model: MultiExit, index: int, names: list[str]) -> None:
        super().__init__()
        self.model, self.index, self.names = model, index, names

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        before = dict(zip(self.names, values, strict=True)) if self.index else values[0]
        after: Any = self.model.run(before, self.index, self.index + 1)
        return tuple(after[name] for name in sorted(after))


class _Branch(nn.Module):
    def __init__(self, model: MultiExit, index: int, names: list[str]) -> None:
        super().__init__()
        self.model, self.index, self.names = model, index, names

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        return (self.model.exit(dict(zip(self.names, values, strict=True)), self.index),)


def export_model(model: MultiExit) -> dict[str, Any]:
    """What :class:`edgesim.profiling.exported.ExportedModel` is made of, as a JSON object.

    Checked before it is returned: with the true weights the texts give the model's own outputs (relative 1e-4).
    Raises InputError where the model cannot be traced with a free batch size, or where the check fails.
    """
    tensors: dict[str, Tensor] = {}
    images = torch.randn(2, *model.backbone.input_size, generator=torch.Generator().manual_seed(0))
    blocks, branches = [], []
    value: Tensor | State = images
    with torch.no_grad():
        model.all_exits(images)  # what a model caches on its first pass is traced as cached
        for index in range(model.num_blocks):
            names = sorted(value) if isinstance(value, dict) else []
            program = _trace(_Block(model, index, names), value)
            value = model.run(value, index, index + 1)
            blocks.append(_function(program, tensors) | {"inputs": names, "outputs": sorted(value)})
        for exit, after in enumerate(model.exits):
            state: Any = model.run(images, 0, after)
            program = _trace(_Branch(model, exit, sorted(state)), state)
            branches.append(_function(program, tensors) | {"inputs": sorted(state), "outputs": ["logits"]})
    exported = {
        "exits": list(model.exits),
        "input_size": list(model.backbone.input_size),
        "blocks": blocks,
        "branches": branches,
    }
    _check(model, exported, tensors)
    return exported | {"tensors": {name: _description(tensor) for name, tensor in tensors.items()}}


def _trace(module: nn.Module, value: Tensor | State) -> ExportedProgram:
    values = (value,) if isinstance(value, Tensor) else tuple(value[name] for name in sorted(value))
    batch = Dim("batch", min=1, max=1 << 16)
    try:
        return export(module, values, dynamic_shapes=(tuple({0: batch} for _ in values),), strict=False)
    except Exception as error:  # the tracer raises errors of many kinds
        raise InputError(f"this model cannot be exported: {type(error).__name__}: {error}") from error


def _function(program: ExportedProgram, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The program's text, ``forward(self, its weights, its inputs)``, and the names of these weights."""
    graph, signature = program.graph, program.graph_signature
    held = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    held |= signature.inputs_to_lifted_tensor_constants
    used = []
    for node in [node for node in graph.nodes if node.op == "placeholder"]:
        if node.name not in held:
            continue
        if not node.users:
            graph.erase_node(node)
            continue
        name = held[node.name].removeprefix("model.")
        tensors[name] = _held(program, held[node.name])
        used.append(name)
    program.graph_module.recompile()
    return {"code": program.graph_module.code.strip(), "tensors": used}


def _held(program: ExportedProgram, name: str) -> Tensor:
    value = program.state_dict[name] if name in program.state_dict else program.constants[name]
    assert isinstance(value, Tensor)
    return value.detach()


def _description(tensor: Tensor) -> dict[str, Any]:
    """Floats by range and spread, everything else by value."""
    described: dict[str, Any] = {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
    if not tensor.is_floating_point():
        packed = zlib.compress(tensor.contiguous().cpu().numpy().tobytes())
        return described | {"values": base64.b64encode(packed).decode()}
    spread = tensor.std().item() if tensor.numel() > 1 else 0.0
    return described | {
        "mean": tensor.mean().item(),
        "std": spread,
        "low": tensor.min().item(),
        "high": tensor.max().item(),
    }


@torch.no_grad()
def _check(model: MultiExit, exported: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    copy = ExportedModel(exported, tensors)
    for batch in CHECKED_BATCHES:
        images = torch.randn(batch, *model.backbone.input_size, generator=torch.Generator().manual_seed(batch))
        value: Any = images
        for exit, (start, stop) in enumerate(zip((0, *model.exits), model.exits, strict=False)):
            value = copy.run(value, start, stop)
            wanted = model.exit(model.run(images, 0, stop), exit)  # type: ignore[arg-type]
            if not torch.allclose(copy.exit(value, exit), wanted, rtol=TOLERANCE, atol=TOLERANCE * float(wanted.std())):
                raise InputError(f"this model cannot be exported: its copy answers otherwise at exit {exit}")
