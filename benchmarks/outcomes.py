"""How fast outcomes are executed, beside the plain batched forward of the same model: images x blocks a second.

The two take turns in one run, so that both meet the same machine.  "same blocks" compares with the time that the plain
forward spends in just the blocks that the tree of paths runs (a path that starts at cut 3 does not run the stem, which
costs more than another block); codecs, branches and scores are on our side only.

    python benchmarks/outcomes.py [--images 512] [--rounds 5] [--threads 1]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from edgesim.data.fashion_mnist import MEAN, STD, shipped_split
from edgesim.data.images import Preprocess
from edgesim.models.backbones.vit import small_vit
from edgesim.models.branches import MLPBranch
from edgesim.models.multi_exit import MultiExit
from edgesim.outcomes.execute import BATCH_SIZE, execute
from edgesim.outcomes.path import Path

WIDTH, DEPTH = 96, 6
PATH_SETS: dict[str, list[Path]] = {
    "local": [],
    "int8 at every cut": [((cut, "int8"),) for cut in range(1, DEPTH + 1)],
    "int8_token and int4 at every cut": [
        ((cut, codec),) for cut in range(1, DEPTH + 1) for codec in ("int8_token", "int4")
    ],
    "JPEG image": [((0, "jpeg75"),)],
}


def build() -> MultiExit:
    """The default model's geometry, with random weights: what an answer costs does not depend on them."""
    torch.manual_seed(0)
    backbone = small_vit(28, 1, 10, width=WIDTH, depth=DEPTH, heads=3, stem_channels=(24, 48))
    return MultiExit(backbone, {after: MLPBranch(WIDTH, 10) for after in range(2, DEPTH + 1)}).eval()


@torch.inference_mode()
def plain_forward(model: MultiExit, images: np.ndarray, preprocess: Preprocess) -> np.ndarray:
    """Seconds in each block, and last in the head: images in batches, nothing else."""
    seconds = np.zeros(model.num_blocks + 1)
    for start in range(0, len(images), BATCH_SIZE):
        began = time.perf_counter()
        value = preprocess(images[start : start + BATCH_SIZE])
        for block in range(model.num_blocks):
            value = model.run(value, block, block + 1)
            ended = time.perf_counter()
            seconds[block] += ended - began
            began = ended
        model.backbone.head(value)
        seconds[-1] += time.perf_counter() - began
    return seconds


def starts(paths: list[Path]) -> list[int]:
    """The cut at which each chain of the tree starts: the local one, and one for each lossy path here."""
    return [0, *(path[-1][0] for path in paths)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, preprocess = build(), Preprocess((MEAN,), (STD,), (1, 28, 28))
    data = shipped_split("test").take(slice(options.images))
    print(f"{options.images} images, batch {BATCH_SIZE}, {options.threads} thread(s), torch {torch.__version__}")
    print("| paths | edgesim, images x blocks/s | plain forward | ratio | same blocks |\n|---|---|---|---|---|")
    for name, paths in PATH_SETS.items():
        rounds = [one_round(model, data, preprocess, paths) for _ in range(options.rounds + 1)][1:]
        ours, plain, same = np.median(rounds, axis=0)
        print(f"| {name} | {ours:,.0f} | {plain:,.0f} | {ours / plain:.3f} | {same:.3f} |", flush=True)


def one_round(model: MultiExit, data, preprocess: Preprocess, paths: list[Path]) -> tuple[float, float, float]:
    """Images x blocks a second of both, and plain time over ours for the same blocks."""
    before = plain_forward(model, data.images, preprocess)
    began = time.perf_counter()
    execute(model, data, preprocess, paths)
    ours_s = time.perf_counter() - began
    plain = (before + plain_forward(model, data.images, preprocess)) / 2
    blocks = sum(model.num_blocks - cut for cut in starts(paths))
    same_s = sum(plain[cut:].sum() for cut in starts(paths))
    return len(data) * blocks / ours_s, len(data) * model.num_blocks / plain.sum(), same_s / ours_s


if __name__ == "__main__":
    main()
