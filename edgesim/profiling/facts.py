"""What of a model is counted, not timed."""

from __future__ import annotations

from typing import Any

from edgesim.models.multi_exit import MultiExit
from edgesim.profiling import macs


def block_names(model: MultiExit) -> list[str]:
    return ["stem", *(f"block {index}" for index in range(1, model.num_blocks))]


def model_facts(model: MultiExit, name: str) -> dict[str, Any]:
    """The fields of :class:`edgesim.profiling.profile.ModelFacts`."""
    backbone = model.backbone
    cuts = [backbone.cut_spec(cut) for cut in range(model.num_blocks + 1)]
    branches = [macs.parameters(model.branches[str(after)]) for after in model.exits[:-1]]
    return {
        "name": name,
        "hash": macs.structure_hash(backbone),
        "parameters": macs.parameters(backbone),
        "branch_parameters": [*branches, 0],
        "blocks": block_names(model),
        "exits": list(model.exits),
        "cuts": [
            [{"name": spec.name, "shape": list(spec.shape), "dtype": spec.dtype, "kind": spec.kind} for spec in cut]
            for cut in cuts
        ],
        "input_size": list(backbone.input_size),
        "num_classes": backbone.num_classes,
        "block_macs": list(macs.block_macs(backbone)),
        "branch_macs": list(macs.branch_macs(model)),
        "state_bytes": [sum(spec.nbytes for spec in cut) for cut in cuts],
        "peak_bytes": macs.peak_bytes(model),
    }
