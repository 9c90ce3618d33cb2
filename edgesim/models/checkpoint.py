"""The checkpoint of a training: one safetensors file with the model, AdamW's slots, and the log as metadata.

Keys: ``model.NAME`` as in the model's state dict, ``optimizer.INDEX.SLOT`` by parameter index.
Metadata: ``epoch`` (epochs done), ``log`` (JSON rows, one an epoch), ``recipe`` (JSON; absent from the first format).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from edgesim.errors import InputError
from edgesim.models.recipe import Recipe

Log = list[dict[str, float]]


@dataclass
class Checkpoint:
    """What a training needs to go on as if it had never stopped."""

    epoch: int
    log: Log
    recipe: Recipe | None
    weights: dict[str, Tensor] = field(default_factory=dict)
    slots: dict[int, dict[str, Tensor]] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it whole or not at all."""
    tensors = {f"model.{name}": value.contiguous() for name, value in checkpoint.weights.items()}
    for index, slots in checkpoint.slots.items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in slots.items()}
    metadata = {"epoch": str(checkpoint.epoch), "log": json.dumps(checkpoint.log)}
    if checkpoint.recipe:
        metadata["recipe"] = checkpoint.recipe.model_dump_json()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata)
    partial.replace(path)


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises InputError naming the file where it is missing, damaged or no checkpoint."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a checkpoint, or damaged: {error}") from None
    if missing := {"epoch", "log"} - set(metadata):
        raise InputError(f"{path}: not a checkpoint: its metadata lack {' and '.join(sorted(missing))}")
    recipe = Recipe.model_validate_json(metadata["recipe"]) if "recipe" in metadata else None
    checkpoint = Checkpoint(int(metadata["epoch"]), json.loads(metadata["log"]), recipe)
    for key, value in tensors.items():
        part, name = key.split(".", 1)
        if part == "model":
            checkpoint.weights[name] = value
        else:
            index, slot = name.split(".")
            checkpoint.slots.setdefault(int(index), {})[slot] = value
    return checkpoint
