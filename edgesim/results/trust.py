"""How far to trust results: what their labels mean, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgesim.results.report import Group, Section

MEANINGS = {
    "scaled across models": "the anchor is another model, so this is a guess",
    "scaled": "right at the anchor, block by block a guess; [V] was read in a source, [D] derived from one",
    "assumed": "nobody measured it: it is the scenario's author who stands for it",
    "measured": "on the machine of the profile, and good to the residuals of its fit",
    "synthetic, moment-matched": "made up to have the moments of a published trace, and as good as those moments",
    "synthetic": "made up: for theory, not for a forecast",
    "trace": "recorded once at one place; another ride would differ",
    "executed": "the network itself answered these images, through these cuts and codecs",
    "imported": "somebody else computed them",
}
"""What begins (or is in) a label -> what it is good for; the first that fits counts."""
BATCH_MEANS = (
    "± is half a 95 % interval by batch means of the one replication: how far other draws might move the mean of a run "
    "that has settled. Replications say more."
)
MARKS = ("measured", "scaled", "synthetic", "assumed", "executed", "imported", "trace")


def trust_section(labels: Mapping[str, Any], least: int, most: int, method: str = "replications") -> Section:
    """What intervals and labels say; least, most: replications of any cell.  method: of a summary's intervals."""
    intervals = [BATCH_MEANS] if method == "batch_means" else interval_sentences(least, most)
    sentences = [*intervals, *trust_sentences(labels)]
    return Section("How far to trust this", "trust", groups=[Group("", sentences)])


def trust_sentences(labels: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each label of a manifest."""
    for what, kind in (("Times of", "costs"), ("Answers of", "outcomes"), ("Rate of", "links")):
        for name, label in labels.get(kind, {}).items():
            yield f"{what} {name}: {label}{_meaning(label)}"
    if oracles := labels.get("oracles"):
        yield f"{', '.join(oracles)}: oracle. Knows the future or the label: a bound, never a result."
    for sentence in labels.get("assumptions", ()):
        yield f"{sentence}."
    yield (
        "None of this was compared with a real testbed: trust comparisons between policies more than absolute numbers."
    )


def interval_sentences(least: int, most: int) -> Iterator[str]:
    """What intervals over so many replications (the fewest and most of any cell) say, and what they do not."""
    if most < 1:
        yield "No replication is finished: nothing can be said yet."
        return
    if least < 2:
        yield "One replication: nothing can be said about chance."
        return
    span = f"{least}" if least == most else f"{least} to {most}"
    yield (
        f"± is half a 95 % t-interval over {span} replications: how far other arrivals, links and draws of the same "
        "images might move the mean. It says nothing about other images, another model or another network."
    )
    if least < 10:
        yield f"{least} replications are few: ten are the fewest at which such an interval is usually trusted."


def marks(labels: Mapping[str, Any]) -> list[str]:
    """The words that label the numbers."""
    texts = [text for kind in ("costs", "outcomes", "links") for text in labels.get(kind, {}).values()]
    said = " ".join([*texts, *labels.get("assumptions", ())])
    return [word for word in MARKS if word in said] + (["oracle"] if labels.get("oracles") else [])


def _meaning(label: str) -> str:
    fitting = (meaning for word, meaning in MEANINGS.items() if word in label)
    meaning = next(fitting, "")
    return f". {meaning[:1].upper()}{meaning[1:]}." if meaning else "."
