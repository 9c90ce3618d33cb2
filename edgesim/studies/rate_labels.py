"""What a reader of results should know of a link's rate: where it is from, and what it says nothing about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgesim.network.build import build_rate, load_trace, markov_law
from edgesim.network.link_presets import LINK_PRESETS
from edgesim.network.markov import StepLaw
from edgesim.network.presets import LABEL, find_preset
from edgesim.network.realised import realised
from edgesim.scenario.links import Link
from edgesim.scenario.rates import Rate, TraceRate
from edgesim.scenario.rates_markov import MarkovRate

SURROUNDINGS = {
    "umi": "UMi street canyon of 3GPP TR 38.901",
    "uma": "UMa of 3GPP TR 38.901",
    "inh": "InH office of 3GPP TR 38.901",
    "log_distance": "log-distance path loss",
}


def rate_label(rate: Rate) -> str:
    """Where a rate is from, in a few words."""
    if rate.warp is None:
        return _source(rate)
    changes = ", ".join(f"{name} {value:g}" for name, value in rate.warp if value is not None)
    return f"{_source(rate)}, warped: {changes}"


def preset_label(link: Link, rate: Rate, direction: str) -> str | None:
    """What the link's preset says of its rate, where that was not overridden."""
    if link.preset is None or rate.process != "constant" or rate.warp is not None:
        return None
    preset = LINK_PRESETS[link.preset]
    same = rate.rate_mbps == preset.rate_mbps(direction)
    return f"{link.preset}: {preset.label} ({preset.source})" if same else None


def _source(rate: Rate) -> str:
    if rate.process == "seasonal":
        return f"{rate_label(rate.of)}, times a sinusoid"
    if rate.process == "trace":
        return _trace_label(rate)
    if rate.process == "ar1" and rate.preset is not None:
        return f"{LABEL}: {rate.preset} ({find_preset(rate.preset).source})"
    if rate.process == "markov" and rate.file is not None:
        return f"synthetic, {len(markov_law(rate).rates_bps)} Markov states fitted to {rate.file.name}"
    if rate.process == "radio":
        return f"synthetic: radio, {SURROUNDINGS[rate.path_loss.type]}"
    return "synthetic"


def _trace_label(rate: TraceRate) -> str:
    chosen = "".join(f", {name} {value}" for name, value in (rate.where or {}).items())
    known = load_trace(rate).direction
    direction = "" if known == "unknown" else f", {known}loads"
    scaled = f", scaled by {rate.scale:g}" if rate.scale != 1 else ""
    return f"trace {rate.file.name}{chosen}{direction}{scaled}"


def rate_warnings(where: str, direction: str, rate: Rate, deadlines_ms: Sequence[float]) -> Iterator[str]:
    """Sentences on the rate at the key ``where`` that feeds the ``direction`` up or down of a link."""
    source = _download(rate)
    if source is not None and direction == "up":
        yield f"{where}: {source} and feeds an uplink; uplinks are usually slower."
    resolution_ms = _resolution_ms(rate) * (rate.warp and rate.warp.correlation_factor or 1)
    shorter = [deadline_ms for deadline_ms in deadlines_ms if deadline_ms < resolution_ms]
    if shorter:
        yield (
            f"{where}: the rate changes every {resolution_ms:g} ms, which says nothing about variability inside "
            f"deadlines below that (the shortest here is {min(shorter):g} ms)."
        )


def is_warped(rate: Rate) -> bool:
    """Whether a warp is at work, in the rate or in the one that it is made of."""
    return rate.warp is not None or (rate.process == "seasonal" and is_warped(rate.of))


def steady_warning(where: str, rate: Rate, horizon_s: float, root: int, *key: str | int) -> Iterator[str]:
    """A sentence where the path of (root seed, key) is too much cut by outages for the CV that its warp asks for."""
    warp = rate.warp
    if warp is None or (warp.cv is None and warp.cv_factor is None):
        return
    plain = build_rate(rate.model_copy(update={"warp": None}), root, *key, horizon_s=horizon_s)
    wanted = warp.cv if warp.cv is not None else (warp.cv_factor or 0.0) * realised(plain, horizon_s).cv()
    found = realised(build_rate(rate, root, *key, horizon_s=horizon_s), horizon_s)
    if len(found.rates_bps) and found.cv() > wanted + 0.01:
        yield (
            f"{where}: a coefficient of variation of {wanted:.2f} cannot be had with the outages of the first device "
            f"in replication 0, which alone bring {found.cv():.2f}: this is what its path has, and others may as well."
        )


def _download(rate: Rate) -> str | None:
    """What was measured on downloads, if it was."""
    if rate.process == "seasonal":
        return _download(rate.of)
    if rate.process == "trace":
        trace = load_trace(rate)
        return f"{trace.path.name} records downloads" if trace.direction == "down" else None
    if rate.process == "ar1" and rate.preset is not None and find_preset(rate.preset).direction == "down":
        return f"preset {rate.preset} describes downloads"
    return None


def _resolution_ms(rate: Rate) -> float:
    """The time within which a rate that is given on a grid stays as it is; 0 without a grid."""
    if rate.process == "seasonal":
        return _resolution_ms(rate.of)
    if rate.process == "trace":
        return 1e3 * load_trace(rate).resolution_s
    if isinstance(rate, MarkovRate):
        law = markov_law(rate)
        return 1e3 * law.step_s if isinstance(law, StepLaw) else 0.0
    return getattr(rate, "step_ms", None) or 0.0
