"""How fast the backbones run, each beside what it is to be compared with, in one run and on one thread.

    python benchmarks/models.py [--rounds 7]

Each pair takes turns; the figure is the median over the rounds of the ratio of their times, the reference's over ours:
above 1, ours is faster.  Weights are random, images are noise of 224 pixels (240 for CrossViT).  Let nothing else run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import timm
import torch
from torch import Tensor, nn

from edgesim import models
from edgesim.models.backbones.base import Backbone
from edgesim.models.backbones.sliding_chunk import SlidingChunkAttention
from edgesim.profiling.macs import count_macs

TIMM = {"deit_tiny_patch16_224": 0.95, "levit_128s": 0.95, "crossvit_tiny_240": 0.95}
"""Wrapped models, and what is asked of their ratio."""
PARTITIONED = (*TIMM, "evo_deit_tiny", "vil_tiny", "shuffle_t")


@dataclass(frozen=True)
class Pair:
    """Two things that are timed in turns."""

    what: str
    reference: Callable[[], object]
    ours: Callable[[], object]
    asked: float
    factor: float = 1.0
    """By which the ratio of times is multiplied."""


def model(name: str) -> Backbone:
    torch.manual_seed(0)
    return models.create(name, num_classes=1000).eval()


def images(backbone: Backbone, batch: int) -> Tensor:
    return torch.randn(batch, *backbone.input_size)


def in_pieces(backbone: Backbone, batch: Tensor) -> Tensor:
    """A cut after every block."""
    value = batch
    for block in range(backbone.num_blocks):
        value = backbone.run(value, block, block + 1)  # type: ignore[assignment]
    return backbone.head(value)  # type: ignore[arg-type]


def macs(module: nn.Module, batch: Tensor) -> float:
    return count_macs(lambda: module(batch))


def pairs() -> Iterator[Pair]:
    for name in PARTITIONED:
        backbone = model(name)
        for batch in (1, 8):
            x = images(backbone, batch)
            yield Pair(
                f"{name} in pieces beside whole, batch {batch}",
                lambda backbone=backbone, x=x: backbone(x),
                lambda backbone=backbone, x=x: in_pieces(backbone, x),
                0.95,
            )
    for name, asked in TIMM.items():
        backbone, plain = model(name), timm.create_model(name).eval()
        for batch in (1, 8):
            x = images(backbone, batch)
            yield Pair(
                f"{name} beside timm, batch {batch}",
                lambda plain=plain, x=x: plain(x),
                lambda backbone=backbone, x=x: backbone(x),
                asked,
            )
    deit, evo, vil = (model(name) for name in ("deit_tiny_patch16_224", "evo_deit_tiny", "vil_tiny"))
    x = images(deit, 32)
    yield Pair("Evo-DeiT-Tiny beside DeiT-Tiny, batch 32", lambda: deit(x), lambda: evo(x), 1.3)
    for batch in (1, 8):
        x = images(deit, batch)
        share = macs(vil, x) / macs(deit, x)
        what = f"ViL-Tiny beside DeiT-Tiny by the MAC, batch {batch}"
        yield Pair(what, lambda x=x: deit(x), lambda x=x: vil(x), 1 / 3, share)
    yield from attention_pairs()


def attention_pairs() -> Iterator[Pair]:
    """Sliding chunks beside full attention over the same tokens."""
    for width, heads in ((48, 1), (96, 3)):
        sliding = SlidingChunkAttention(width, heads, (56, 56), 7, 1).eval()
        full = timm.layers.Attention(width, heads, qkv_bias=True).eval()
        for batch in (1, 8):
            tokens = torch.randn(batch, 1 + 56 * 56, width)
            yield Pair(
                f"sliding chunks beside full attention, 56 x 56 tokens of {width}, batch {batch}",
                lambda full=full, tokens=tokens: full(tokens),
                lambda sliding=sliding, tokens=tokens: sliding(tokens),
                2.0,
            )


def seconds(run: Callable[[], object]) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    print("| pair | reference, ms | ours, ms | ratio | asked |\n|---|---:|---:|---:|---:|")
    for pair in pairs():
        times = [(seconds(pair.reference), seconds(pair.ours)) for _ in range(rounds + 1)][1:]
        reference, ours = (1e3 * median(side) for side in zip(*times, strict=True))
        ratio = pair.factor * median(one / other for one, other in times)
        print(f"| {pair.what} | {reference:.1f} | {ours:.1f} | {ratio:.2f} | {pair.asked:.2f} |", flush=True)


if __name__ == "__main__":
    main()
