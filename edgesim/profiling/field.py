"""What a measuring script does on the machine that it was carried to; needs torch alone.

With numpy the codecs and preprocessing are measured too, with Pillow also PNG and JPEG.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgesim.errors import InputError
from edgesim.models.state import TensorSpec
from edgesim.profiling.digest import digest
from edgesim.profiling.exported import ExportedModel, draw_tensors
from edgesim.profiling.lock import exclusive
from edgesim.profiling.machine import describe
from edgesim.profiling.macs import count_macs
from edgesim.profiling.sampling import Effort, Sampler
from edgesim.profiling.sections import Stopwatch, model_sections


def measure_here(payload: Mapping[str, Any], device: str, threads: int, effort: Effort) -> dict[str, Any]:
    """A profile, as a JSON object.

    payload: ``model`` (the profile's facts), ``exported``, ``images`` (uint8, packed), ``shape``, ``mean``, ``std``,
    ``content``, ``format``, ``version``.  Raises InputError where the model is not what its facts say.
    """
    facts = payload["model"]
    cuts = [tuple(TensorSpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in cut) for cut in facts["cuts"]]
    with exclusive(), torch.inference_mode():
        torch.set_num_threads(threads)
        machine = describe(threads, device)
        model = ExportedModel(payload["exported"], draw_tensors(payload["exported"]["tensors"], device))
        inputs = torch.randn(4, *facts["input_size"], generator=torch.Generator().manual_seed(0)).to(device)
        check_macs(model, inputs[:1], facts)
        sampler = Sampler(effort, compare_clocks=device == "cpu", progress=_show)
        watch = Stopwatch(model, inputs)
        sections = model_sections(watch, sampler, cuts)
        sections |= _codecs(watch, sampler, cuts, payload) if find_spec("numpy") else {"codecs": [], "preprocess_s": []}
    return {
        "format": payload["format"],
        "version": payload["version"],
        "model": facts,
        "machine": machine,
        "numeric_format": "fp32",
        "content": payload["content"],
        "kept": sampler.kept,
        "rejected": sampler.rejected,
        **sections,
    }


def check_macs(model: ExportedModel, image: Tensor, facts: Mapping[str, Any]) -> None:
    """Raise InputError unless every block and branch does the multiply-accumulates that the facts say."""
    value: Any = image
    for index, wanted in enumerate(facts["block_macs"]):
        _same_macs(f"block {index}", count_macs(partial(model.run, value, index, index + 1)), wanted)
        value = model.run(value, index, index + 1)
        if index + 1 in model.exits:
            exit = model.exits.index(index + 1)
            _same_macs(f"exit {exit}", count_macs(partial(model.exit, value, exit)), facts["branch_macs"][exit])


def _same_macs(what: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise InputError(f"{what} does {found} multiply-accumulates here, {wanted} where it was exported")


def _codecs(
    watch: Stopwatch, sampler: Sampler, cuts: Sequence[Sequence[TensorSpec]], payload: Mapping[str, Any]
) -> dict[str, Any]:
    import numpy as np

    from edgesim.data.images import Preprocess
    from edgesim.profiling.codec_sections import codecs, preprocessing

    raw = zlib.decompress(base64.b64decode(payload["images"]))
    images = np.frombuffer(bytearray(raw), np.uint8).reshape(payload["shape"])
    preprocess = Preprocess(tuple(payload["mean"]), tuple(payload["std"]), tuple(payload["model"]["input_size"]))
    watch = Stopwatch(watch.chain, preprocess(images).to(watch.inputs.device))
    return codecs(watch, sampler, cuts, images) | preprocessing(watch, sampler, preprocess, images)


def _show(section: str, done: int, wanted: int) -> None:
    print(f"\r{section}: {done}/{wanted}    ", end="\n" if done >= wanted else "", file=sys.stderr, flush=True)


def main(payload: Mapping[str, Any], arguments: Sequence[str]) -> int:
    """The script's command line; 0, or 2 after a message."""
    name = payload["model"]["name"]
    parser = argparse.ArgumentParser(description=f"Measure {name} on this machine and write its profile.")
    parser.add_argument("-o", "--output", type=Path, default=Path(f"{name}.profile.json"))
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of torch on the CPU")
    parser.add_argument("--rows", type=int, default=30, help="samples to keep; three times as many at batch 1")
    parser.add_argument("--budget", type=float, default=600.0, help="seconds for everything")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32], help="1 must be among them")
    parser.add_argument(
        "--tolerance", type=float, default=0.05, help="wall time over CPU time, before a sample is rejected"
    )
    given = parser.parse_args(arguments)
    standard = Effort()
    effort = replace(
        standard,
        batches=tuple(given.batches),
        piece_batches=tuple(size for size in standard.piece_batches if size in given.batches),
        rows=given.rows,
        first_rows=round(given.rows * standard.first_rows / standard.rows),
        budget_s=given.budget,
        tolerance=given.tolerance,
    )
    try:
        document = measure_here(payload, given.device, given.threads, effort)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    partial_file = given.output.with_name(given.output.name + ".partial")
    partial_file.write_text(json.dumps({"hash": digest(document), **document}) + "\n")
    partial_file.replace(given.output)
    print(f"{given.output}: {document['kept']} samples kept, {document['rejected']} rejected")
    return 0
