"""The parts of a measurement that time codecs and preprocessing.  They need numpy (PNG and JPEG: Pillow)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from torch import Tensor

from edgesim.codecs.informative import has_informative
from edgesim.codecs.tensors import decode, encode
from edgesim.data.images import decode_image, encode_image
from edgesim.models.state import TensorSpec
from edgesim.profiling.sampling import Job, Row, Sampler
from edgesim.profiling.sections import SHARES, Section, Stopwatch, column

BASES = ("fp32", "fp16", "int8", "int8_token", "int4", "int4_token")
IMAGE_CODECS = ("raw", "png", "jpeg25", "jpeg75", "jpeg95")


def codecs(watch: Stopwatch, sampler: Sampler, cuts: Sequence[Sequence[TensorSpec]], images: Any) -> Section:
    """Every codec at the first cut of each shape, one sample at a time.

    images: (N, H, W, C) uint8, coded in turn at cut 0.  Where Pillow is missing, PNG and JPEG are left out.
    """
    jobs: dict[tuple[int, str], Job] = {}
    for cut in range(len(cuts) - 1):
        if cuts[cut] in cuts[:cut]:
            continue
        names = _image_codecs(images.shape[-1]) if cut == 0 else _state_codecs(cuts[cut])
        for name in names:
            jobs[cut, name] = Job(_code_images(name, images) if cut == 0 else _code_state(watch, name, cut, cuts[cut]))
    taken = sampler.collect("codecs", jobs, sampler.effort.rows, SHARES["codecs"])
    return {
        "codecs": [
            {"cut": cut, "codec": name, "encode_s": column(rows, 0), "decode_s": column(rows, 1)}
            for (cut, name), rows in taken.items()
        ]
    }


def _state_codecs(specs: Sequence[TensorSpec]) -> tuple[str, ...]:
    chosen = ("", "+informative") if has_informative(specs) else ("",)
    return tuple(f"{base}{tokens}{coder}" for tokens in chosen for base in BASES for coder in ("", "+zlib"))


def _image_codecs(channels: int) -> tuple[str, ...]:
    return IMAGE_CODECS if find_spec("PIL") and channels in (1, 3) else IMAGE_CODECS[:1]


def _code_state(watch: Stopwatch, name: str, cut: int, specs: Sequence[TensorSpec]) -> Callable[[], Row]:
    state, device = watch.state(1, cut), watch.inputs.device

    def run() -> Row:
        began = time.perf_counter()
        payloads = encode(name, {key: value.cpu() for key, value in state.items()})
        encoded = time.perf_counter()
        arrived = decode(name, payloads, specs)
        for value in arrived.values():
            value.to(device)
        watch.finish()
        return [encoded - began, time.perf_counter() - encoded]

    return run


def _code_images(name: str, images: Any) -> Callable[[], Row]:
    turn = 0

    def run() -> Row:
        nonlocal turn
        image = images[turn % len(images)]
        turn += 1
        began = time.perf_counter()
        payload = encode_image(name, image)
        encoded = time.perf_counter()
        decode_image(name, payload, image.shape)
        return [encoded - began, time.perf_counter() - encoded]

    return run


def preprocessing(watch: Stopwatch, sampler: Sampler, preprocess: Callable[[Any], Tensor], images: Any) -> Section:
    """One uint8 image to the input of block 0, on the device."""
    device = watch.inputs.device
    job = Job(partial(watch.once, lambda: preprocess(images[:1]).to(device)))
    return {"preprocess_s": column(sampler.collect("preprocessing", {0: job}, sampler.effort.rows, 0.01)[0])}
