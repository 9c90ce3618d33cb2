"""Measuring a model on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgesim.models.multi_exit import MultiExit
from edgesim.profiling.codec_sections import codecs, preprocessing
from edgesim.profiling.facts import model_facts
from edgesim.profiling.lock import exclusive
from edgesim.profiling.machine import describe
from edgesim.profiling.profile import FORMAT, VERSION, Profile, save_profile
from edgesim.profiling.sampling import Effort, Progress, Sampler
from edgesim.profiling.sections import Stopwatch, model_sections
from edgesim.profiling.subjects import subject

STANDARD = Effort()


@contextmanager
def threads_fixed(threads: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(
    model: MultiExit,
    name: str,
    images: np.ndarray,
    preprocess: Callable[[np.ndarray], Tensor],
    content: str,
    *,
    threads: int = 1,
    effort: Effort = STANDARD,
    progress: Progress = lambda *_: None,
) -> Profile:
    """Measure ``model`` (in ``eval`` mode, on the CPU) for at most ten minutes.

    images: (N, H, W, C) uint8, N >= 1, what the codecs code and the model sees; ``content`` says what they show.
    progress: called as (section, rounds done, rounds wanted).
    Raises InputError where another measurement runs, or where the machine is too busy to measure on.
    """
    cuts = [model.backbone.cut_spec(cut) for cut in range(model.num_blocks + 1)]
    with exclusive(), threads_fixed(threads):
        machine = describe(threads, "cpu")
        facts = model_facts(model, name)
        sampler = Sampler(effort, compare_clocks=True, progress=progress)
        with torch.inference_mode():
            watch = Stopwatch(model, preprocess(images))
            sections = model_sections(watch, sampler, cuts)
            sections |= codecs(watch, sampler, cuts, images) | preprocessing(watch, sampler, preprocess, images)
    document = {"format": FORMAT, "version": VERSION, "model": facts, "machine": machine, "numeric_format": "fp32"}
    counts = {"content": content, "kept": sampler.kept, "rejected": sampler.rejected}
    return Profile.model_validate_json(json.dumps(document | counts | sections))


def profile_model(
    name: str, path: Path, *, threads: int = 1, effort: Effort = STANDARD, progress: Progress = lambda *_: None
) -> Profile:
    """Measure the model of that name (of the zoo, or of timm) and write its profile to ``path``."""
    it = subject(name)
    profile = measure(
        it.model, name, it.images, it.preprocess, it.content, threads=threads, effort=effort, progress=progress
    )
    save_profile(profile, path)
    return profile
