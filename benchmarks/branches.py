"""The seven exit branches on one backbone: accuracy against cost at each depth, from the cards of the zoo.

    python benchmarks/branches.py [--docs docs]

Prints the table of ``models.md`` and writes its plot, ``images/branches.png`` (and SVG), into the folder of the docs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from edgesim.models.evaluation import wilson
from edgesim.models.zoo import ModelCard, model_card

BACKBONE = "fashion_vit"
BRANCHES = {
    "mlp": ("MLP-EE", "#000000"),
    "cnn_ignore": ("CNN-Ignore-EE", "#E69F00"),
    "cnn_add": ("CNN-Add-EE", "#56B4E9"),
    "cnn_project": ("CNN-Project-EE", "#009E73"),
    "vit": ("ViT-EE", "#0072B2"),
    "mlp_mixer": ("MLP-Mixer-EE", "#D55E00"),
    "resmlp": ("ResMLP-EE", "#CC79A7"),
}


def interval(card: ModelCard, exit: int) -> tuple[float, float]:
    """95 % Wilson interval of an exit's test accuracy, in percent."""
    _, low, high = wilson(round(card.scores[exit] * card.test_images), card.test_images)
    return 100 * low, 100 * high


def table(cards: dict[str, ModelCard]) -> str:
    depths = next(iter(cards.values())).exits[:-1]
    head = "| branch | " + " | ".join(f"after {after} blocks: %, MMACs" for after in depths) + " |"
    lines = [head, "|---|" + "---:|" * len(depths)]
    best = [max(card.scores[exit] for card in cards.values()) for exit in range(len(depths))]
    for name, card in cards.items():
        cells = []
        for exit in range(len(depths)):
            share = f"{100 * card.scores[exit]:.2f}"
            marked = f"**{share}**" if card.scores[exit] == best[exit] else share
            cells.append(f"{marked}, {card.macs[exit] / 1e6:.2f}")
        lines.append(f"| {BRANCHES[name][0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(cards: dict[str, ModelCard]) -> Figure:
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.add_subplot()
    for name, card in cards.items():
        label, colour = BRANCHES[name]
        last = len(card.exits) - 1
        work = [macs / 1e6 for macs in card.macs[:last]]
        shares = [100 * share for share in card.scores[:last]]
        ends = [interval(card, exit) for exit in range(last)]
        errors = [[share - low for share, (low, _) in zip(shares, ends, strict=True)]]
        errors.append([high - share for share, (_, high) in zip(shares, ends, strict=True)])
        axes.errorbar(work, shares, errors, color=colour, marker="o", markersize=4, capsize=2, label=label, linewidth=1)
    card = next(iter(cards.values()))
    final = 100 * card.scores[-1]
    axes.axhline(final, color="grey", linestyle=":", linewidth=1)
    axes.annotate(
        f"the backbone's own head, {final:.2f} %",
        (card.macs[0] / 1e6, final),
        (0, 4),
        textcoords="offset points",
        fontsize=8,
    )
    axes.set(xlabel="work up to the exit, its branch included [million MACs]", ylabel="test accuracy [%]")
    axes.set_title(f"Seven branches on {BACKBONE}, frozen; 10,000 test images, 95 % intervals", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    docs = parser.parse_args().docs
    cards = {name: model_card(f"{BACKBONE}_{name}") for name in BRANCHES}
    print(table(cards))
    figure = plot(cards)
    for kind in ("png", "svg"):
        figure.savefig(docs / "images" / f"branches.{kind}", dpi=120)


if __name__ == "__main__":
    main()
