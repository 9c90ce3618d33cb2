"""How every plot looks: colours that colour-blind readers can tell apart, captions, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design", without its yellow (too pale on white) and black (kept for guides);
# then colours of Paul Tol's "muted" scheme (SRON/EPS/TN/09-002) for runs with many policies.
PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
    "#332288", "#882255", "#999933", "#44AA99", "#AA4499", "#DDCC77", "#117733", "#CC6677",
)  # fmt: skip
MARKERS = "osD^vPX<>*hpd8"
NOTHING_COLOUR = "#BBBBBB"
GUIDE: dict[str, Any] = {"color": "#555555", "linewidth": 0.9, "linestyle": (0, (1, 2))}
SETTINGS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "none",
    "svg.hashsalt": "edgesim",
    "savefig.dpi": 160,
}


class Look(NamedTuple):
    """How one policy looks in every plot."""

    label: str
    colour: str
    marker: str
    line: str


def looks(summary: Mapping[str, Any]) -> dict[str, Look]:
    """Each policy's look, fixed by its place in the scenario; oracles are dashed and named so."""
    found = {}
    for place, (name, policy) in enumerate(summary["policies"].items()):
        colour, marker = PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]
        oracle = policy["oracle"]
        found[name] = Look(f"{name} (oracle)" if oracle else name, colour, marker, "--" if oracle else "-")
    return found


def applied() -> AbstractContextManager[None]:
    """The settings of all plots, while drawing."""
    return rc_context(SETTINGS)


def figure(height: float, width: float = 7.2) -> Figure:
    """A figure in inches; its layout keeps labels, legends and the caption apart."""
    return Figure(figsize=(width, height), layout="constrained")


def caption(drawing: Figure, summary: Mapping[str, Any], *sentences: str) -> None:
    """Under the drawing: how many requests and replications, which seed, and what marks the numbers."""
    replications = summary["replications"]
    caption_of(
        drawing,
        f"{summary['name']}: {summary['requests']:,} requests per policy in {replications} "
        f"replication{'s' if replications != 1 else ''}, seed {summary['seed']}",
        *sentences,
        *label_sentences(summary["labels"]),
    )


def caption_of(drawing: Figure, *parts: str) -> None:
    """Sentences under the drawing."""
    from textwrap import fill

    width = int(drawing.get_figwidth() * 17.5)
    drawing.supxlabel(fill(". ".join(parts) + ".", width), x=0.01, ha="left", fontsize=7.5, color="#333333")


def label_sentences(labels: Mapping[str, Any]) -> list[str]:
    """What is measured, scaled, assumed or synthetic, in words; of links without the sources in brackets."""
    rates = {name: label.partition(" (")[0] for name, label in labels.get("links", {}).items()}
    answers = {name: label for name, label in labels.get("outcomes", {}).items() if label != "executed"}
    groups = {"Costs": _by_label(labels.get("costs", {})), "Rates": _by_label(rates), "Answers": _by_label(answers)}
    if len(set(rates.values())) == 1:
        groups["Rates"] = next(iter(rates.values()))
    return [*(f"{group}: {said}" for group, said in groups.items() if said), *labels.get("assumptions", ())]


def _by_label(labels: Mapping[str, str]) -> str:
    """``NAME, NAME: LABEL; NAME: LABEL``."""
    names: dict[str, list[str]] = {}
    for name, label in labels.items():
        names.setdefault(label, []).append(name)
    return "; ".join(f"{', '.join(named)}: {label}" for label, named in names.items())


def save(drawing: Figure, folder: Path, name: str) -> list[Path]:
    """Write NAME.png, NAME.svg and NAME.pdf, each whole or not at all; their metadata hold the caption, for who cannot
    see it."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    said = " ".join(drawing.get_supxlabel().split())
    of_kind = {
        "png": {"Description": said},
        "svg": {"Date": None, "Description": said},
        "pdf": {"CreationDate": None, "Subject": said},
    }
    for kind, metadata in of_kind.items():
        path = folder / f"{name}.{kind}"
        partial = folder / f"{name}.partial"
        drawing.savefig(partial, format=kind, metadata=metadata)
        partial.replace(path)
        files.append(path)
        drawing.set_layout_engine("none")  # laid out once: the other files keep the places
    return files


def policy_rows(axes: Axes, policies: Mapping[str, Look]) -> None:
    """A row per policy from the top down, named at the left."""
    axes.set_yticks(range(len(policies)), [look.label for look in policies.values()])
    axes.set_ylim(len(policies) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def name_ticks(axes: Axes, places: Sequence[float], names: Sequence[Any], letters: int) -> None:
    """Names below an axis that has room for so many letters side by side; slanted where they need more."""
    axes.set_xticks(places, [str(name) for name in names])
    if max(len(str(name)) for name in names) * len(names) > letters:
        axes.tick_params(axis="x", labelrotation=25)


def legend_right(drawing: Figure, axes: Axes, **options: Any) -> None:
    """A legend beside the axes, so that it never covers data."""
    handles, labels = axes.get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside right upper", fontsize=8, **options)
