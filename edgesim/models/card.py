"""The card of a trained model, for people."""

from __future__ import annotations

from collections.abc import Sequence

from edgesim.models.checkpoint import Log
from edgesim.models.evaluation import Accuracy
from edgesim.models.training_config import TrainingConfig
from edgesim.models.zoo import ModelCard


def card_text(card: ModelCard, config: TrainingConfig, log: Log, accuracies: Sequence[Accuracy], images: int) -> str:
    """Markdown: purpose, accuracy per exit on ``images`` test images, recipe, time, data and licence."""
    backbone, recipe = config.geometry.backbone, config.recipe
    minutes = sum(row["seconds"] for row in log) / 60
    stopped = "" if len(log) == recipe.epochs else f" (stopped after {len(log)})"
    return f"""# {card.name}

{config.purpose}

A {backbone.type} for {backbone.img_size} x {backbone.img_size} images: {card.num_blocks} blocks with the stem,
{card.parameters:,} parameters with all branches. Early exits: {_branches(config)}. The last exit is the backbone's own
head.

## Accuracy

On the {images:,} test images of {card.data}, which took no part in training or in any choice; 95 % Wilson intervals.
MACs are multiply-accumulates of one image up to the exit, its own branch included.

| exit | blocks | MACs | test accuracy | 95 % interval | validation accuracy |
|---:|---:|---:|---:|---:|---:|
{_rows(card, log, accuracies)}

![Test accuracy of each exit](accuracy.png)

## Training

All exits are trained together from random weights, on the mean of their cross-entropies with the final exit
weighing {recipe.final_exit_weight:g} times as much.

- AdamW, weight decay {recipe.weight_decay:g}, gradients clipped at {recipe.clip_grad:g}
- {recipe.epochs} epochs{stopped}, batches of {recipe.batch_size}
- learning rate {recipe.learning_rate:g}: a linear rise until epoch {recipe.warmup_epochs:g}, a cosine to zero
- stochastic depth {backbone.drop_path:g}, label smoothing {recipe.label_smoothing:g}
- images shifted by up to {recipe.shift} pixels{", half of them mirrored" if recipe.flip else ""}
- {recipe.erase:.0%} of the images with a blanked rectangle of up to {recipe.erase_size} pixels a side
- seed {recipe.seed}

It took {minutes:.0f} minutes on {config.threads} CPU threads.
All settings are in `training.yaml`, each epoch in `log.csv`.

![Training loss and validation accuracy by epoch](training.png)

## Data and licence

Trained on {card.data}: 55,000 of its 60,000 training images; the other 5,000, drawn once with a fixed seed, are the
validation images. Fashion-MNIST is (c) 2017 Zalando SE, under the MIT licence (Xiao, Rasul, Vollgraf,
arXiv 1708.07747).
The weights are under the MIT licence, as edgesim is.

Pixels are scaled to 0..1, then normalised with mean {card.mean[0]:g} and standard deviation {card.std[0]:g}.
Weights: `weights.safetensors`, digest {card.weights_hash}.
"""


def _rows(card: ModelCard, log: Log, accuracies: Sequence[Accuracy]) -> str:
    return "\n".join(
        f"| {exit} | {card.exits[exit]} | {card.macs[exit] / 1e6:.2f} M | {accuracy.share:.2%} "
        f"| {accuracy.low:.2%} .. {accuracy.high:.2%} | {log[-1][f'validation_accuracy_exit_{exit}']:.2%} |"
        for exit, accuracy in enumerate(accuracies)
    )


def _branches(config: TrainingConfig) -> str:
    placed = (f"{each.type} after {', '.join(map(str, each.after))} blocks" for each in config.geometry.branches)
    return "; ".join(placed) or "none"
