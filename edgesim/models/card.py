"""The card of a trained model, for people."""

from __future__ import annotations

from collections.abc import Sequence

from edgesim.models.checkpoint import Log
from edgesim.models.evaluation import Score
from edgesim.models.training_config import TrainingConfig
from edgesim.models.zoo import ModelCard

DATA = {
    "fashion-mnist": (
        "Fashion-MNIST",
        "Trained on 55,000 of its 60,000 training images; the other 5,000, drawn once with a fixed seed, are the "
        "validation images.",
    ),
    "scenes-class": (
        "Fashion scenes (name the largest item)",
        "Grey scenes of 64 x 64 pixels, composed from Fashion-MNIST's items with clutter (`edgesim.data.scenes`); "
        "training, validation and test scenes share no item.",
    ),
    "scenes-count": (
        "Fashion scenes (count the items)",
        "Grey scenes of 64 x 64 pixels, composed from Fashion-MNIST's items with clutter (`edgesim.data.scenes`); "
        "training, validation and test scenes share no item.",
    ),
    "image-folder": ("a folder of images", "The images are their owner's."),
}
LICENCE = (
    "Fashion-MNIST is (c) 2017 Zalando SE, under the MIT licence (Xiao, Rasul, Vollgraf, arXiv 1708.07747).\n"
    "The weights are under the MIT licence, as edgesim is."
)
FAMILIES = {
    "small_vit": "ViT with a convolutional stem",
    "levit": "LeViT",
    "crossvit": "CrossViT",
    "evo_deit": "Evo-ViT on DeiT",
    "evo_levit": "Evo-ViT on LeViT",
    "vil": "Vision Longformer",
    "shuffle": "Shuffle Transformer",
}


def card_text(card: ModelCard, config: TrainingConfig, log: Log, scores: Sequence[Score], attributes: bool) -> str:
    """Markdown: purpose, score of each exit on the test images, recipe, time, data and licence."""
    name, split = DATA[card.data]
    counting = card.task == "regression"
    interval = "95 % intervals of the mean" if counting else "95 % Wilson intervals"
    return f"""# {card.name}

{config.purpose}

A {FAMILIES[card.geometry.backbone.type]} for images of {" x ".join(map(str, card.input_size))} (channels, height,
width), {card.parameters:,} parameters with all branches, in {card.num_blocks} blocks. {_branches(card)}
The last exit is the backbone's own head.

## {"Error" if counting else "Accuracy"}

On the {card.test_images:,} test images of {name}, which took no part in training; {interval}.
MACs are multiply-accumulates of one image up to the exit, its own branch included.

{_score_table(card, log, scores)}

![Score of each exit on the test images](scores.png)
{_calibration(card)}{_attributes(card) if attributes else ""}
## Training

{_recipe(config, log)}
{config.note}
All settings are in `training.yaml`, each epoch in `log.csv`.

![Training loss and validation score by epoch](training.png)

## Data and licence

{split}
{"" if card.data == "image-folder" else LICENCE}

Pixels are scaled to 0..1, then normalised with mean {_numbers(card.mean)} and standard deviation {_numbers(card.std)}.
Weights: `weights.safetensors` (parameters in half precision), digest {card.weights_hash}.
"""


def _branches(card: ModelCard) -> str:
    named = [
        f"{branch.type} after {after}" for after, branch in sorted(card.geometry.placed(), key=lambda each: each[0])
    ]
    return f"Early exits, by blocks run before them: {', '.join(named)}." if named else "It has no early exits."


def _score_table(card: ModelCard, log: Log, scores: Sequence[Score]) -> str:
    if card.task == "regression":
        head, form, column = "test mean absolute error", "{:.3f}", "validation_error_exit_"
    else:
        head, form, column = "test accuracy", "{:.2%}", "validation_accuracy_exit_"
    lines = [
        f"| exit | blocks | MACs | {head} | 95 % interval | validation |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for exit, score in enumerate(scores):
        value, low, high = map(form.format, score)
        lines.append(
            f"| {exit} | {card.exits[exit]} | {card.macs[exit] / 1e6:.2f} M | {value} | {low} .. {high} "
            f"| {form.format(log[-1][f'{column}{exit}'])} |"
        )
    return "\n".join(lines)


def _calibration(card: ModelCard) -> str:
    if not card.calibration:
        return ""
    rows = [
        f"| {exit} | {each.temperature:.2f} | {each.ece_before:.3f} | {each.ece_after:.3f} | {each.nll_before:.3f} "
        f"| {each.nll_after:.3f} |"
        for exit, each in enumerate(card.calibration)
    ]
    return "\n".join(
        [
            "",
            "## Calibration",
            "",
            "One temperature for each exit, fitted on the validation images (Guo et al. 2017); expected calibration",
            "error (15 bins) and negative log-likelihood on the test images, without and with it.",
            "",
            "| exit | temperature | ECE | ECE with it | NLL | NLL with it |",
            "|---:|---:|---:|---:|---:|---:|",
            *rows,
            "",
            "![Accuracy over confidence of each exit](calibration.png)",
            "",
        ]
    )


def _attributes(card: ModelCard) -> str:
    what = "Mean absolute error" if card.task == "regression" else "Error"
    return f"\n![{what} by number of items and by clutter](attributes.png)\n"


def _recipe(config: TrainingConfig, log: Log) -> str:
    recipe = config.recipe
    minutes = sum(row["seconds"] for row in log) / 60
    branches = sum(len(each.after) for each in config.geometry.branches)
    stages = {"end_to_end": 1, "classifier_wise": branches, "layer_wise": branches + 1}[recipe.strategy]
    stopped = "" if len(log) == stages * recipe.epochs else f" (stopped after {len(log)} in all)"
    lines = [
        f"- {_strategy(config)}",
        f"- AdamW, weight decay {recipe.weight_decay:g}, gradients clipped at {recipe.clip_grad:g}",
        f"- {recipe.epochs} epochs{' of each exit' if stages > 1 else ''}{stopped}, batches of {recipe.batch_size}",
        f"- learning rate {recipe.learning_rate:g}: linear until epoch {recipe.warmup_epochs:g}, then a cosine to zero",
        f"- stochastic depth {config.geometry.backbone.drop_path:g}, label smoothing {recipe.label_smoothing:g}",
        f"- images shifted by up to {recipe.shift} pixels{', half of them mirrored' if recipe.flip else ''}",
        f"- {recipe.erase:.0%} of the images with a blanked rectangle of up to {recipe.erase_size} pixels a side",
        f"- seed {recipe.seed}",
        "",
        f"It took {minutes:.0f} minutes on {config.threads} CPU thread{'s' if config.threads > 1 else ''}.",
    ]
    return "\n".join(lines)


def _strategy(config: TrainingConfig) -> str:
    weight = config.recipe.final_exit_weight
    return {
        "end_to_end": f"end-to-end: all exits together from random weights, the final one's loss weighing {weight:g}",
        "classifier_wise": f"classifier-wise: each branch alone, on the frozen states of {config.start_from}",
        "layer_wise": "layer-wise: up to each exit in turn, everything before it frozen",
    }[config.recipe.strategy]


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
