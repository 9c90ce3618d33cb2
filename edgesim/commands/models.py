"""``edgesim models``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from edgesim import models
from edgesim.codecs.names import HEADER_BYTES
from edgesim.commands.console import output
from edgesim.errors import InputError
from edgesim.models import registry
from edgesim.models.backbones.base import Backbone
from edgesim.models.cuts import CODECS, INFORMATIVE, Cut, cuts, image_bytes
from edgesim.models.weights import export_weights, load_released, read_foreign
from edgesim.models.zoo import load, zoo_names


def list_command() -> None:
    table = Table("name", "family", "input", title="Backbones")
    for name in models.names():
        table.add_row(name, registry.family(name), _by(registry.preprocess(name).input_size))
    _print_whole(table)
    _say("Any other plain ViT or DeiT of timm goes by timm's name.")
    _say(f"The zoo, with trained weights: {', '.join(zoo_names())}")


def cuts_command(name: str, img_size: int | None) -> None:
    backbone = _backbone(name, img_size)
    rows = list(cuts(backbone))
    chosen = any(cut.informative is not None for cut in rows)
    codecs = (*CODECS, INFORMATIVE) if chosen else CODECS
    table = Table(
        "cut", "block", "crosses", *(f"{codec}, B" for codec in codecs), "MACs done", "bottleneck", title=name
    )
    for column in table.columns[3:]:
        column.justify = "right"
    for number, cut in enumerate(rows, 1):
        table.add_row(str(number), *_row(cut, chosen))
    _print_whole(table)
    _say(f"The image, {_by(backbone.input_size)}, is {image_bytes(backbone):,} B as uint8 (cut 0).")
    _say("Natural bottleneck: fewer fp32 bytes than at every cut before, the uint8 image included.")
    _say(f"A payload has {HEADER_BYTES} B of header besides.")


def import_command(checkpoint: Path, name: str, out: Path | None) -> None:
    out = out or Path(f"{name}.safetensors")
    model = models.create(name)
    load_released(model, read_foreign(checkpoint), checkpoint)
    export_weights(model, out, {"model": name})
    _say(f"{name}, {sum(value.numel() for value in model.parameters()):,} parameters, into {out}")


def _backbone(name: str, img_size: int | None) -> Backbone:
    if name not in zoo_names():
        registry.check_name(name, zoo_names())
        geometry: dict[str, Any] = {} if img_size is None else {"img_size": img_size}
        return models.create(name, **geometry)
    if img_size is not None:
        raise InputError(f"{name} is a trained model of the zoo: its image size is given")
    return load(name).backbone


def _row(cut: Cut, chosen: bool) -> tuple[str, ...]:
    crosses = ", ".join(f"{tensor.name} {_by(tensor.shape)}" for tensor in cut.tensors) or "nothing"
    mark = "yes" if cut.bottleneck else ""
    sizes = [*cut.sizes, cut.informative] if chosen else cut.sizes
    return cut.block, crosses, *("" if size is None else f"{size:,}" for size in sizes), f"{cut.macs_share:.1%}", mark


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _print_whole(table: Table) -> None:
    """As wide as it is: nothing is cut off where the terminal is narrower."""
    console = Console(width=1000)
    Console(width=Measurement.get(console, console.options, table).maximum).print(table)


def _say(line: str) -> None:
    output().print(line, highlight=False, markup=False, soft_wrap=True)
