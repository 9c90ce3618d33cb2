"""Profiles and device presets for people to read."""

from __future__ import annotations

import numpy as np

from edgesim.profiling.fit import fit_pieces
from edgesim.profiling.presets import PRESETS, Preset, device_factor
from edgesim.profiling.profile import Machine, Profile, shipped_profile, shipped_profiles

DEVICE_COLUMNS = ("name", "anchor", "format", "factor", "batch", "mark", "source")


def report(profile: Profile) -> list[str]:
    """The model, the machine, whole passes by batch size, the fit of pieces with its residuals, idling, rejections."""
    model, machine = profile.model, profile.machine
    macs = sum(model.block_macs) + model.branch_macs[-1]
    lines = [
        f"{model.name}: {profile.num_blocks} blocks, {len(model.exits)} exits, {model.parameters:,} parameters, "
        f"{macs / 1e6:,.1f} M MACs, {profile.numeric_format}",
        f"on {machine_in_words(machine)}, load {machine.load_average[0]:g}",
    ]
    for times in profile.chain:
        totals = np.sum(times.rows_s, axis=1) * 1e3
        low, middle, high = np.quantile(totals, [0.05, 0.5, 0.95])
        lines.append(f"batch {times.batch}: {middle:.3f} ms a pass ({low:.3f} to {high:.3f}), {len(totals)} samples")
    for fit in fit_pieces(profile).values():
        lines.append(
            f"piece at batch {fit.batch} = {fit.overhead_s * 1e3:.3f} ms + {fit.factor:.3f} x its blocks; residuals: "
            f"median {100 * np.median(np.abs(fit.residuals)):.1f} %, largest {100 * fit.largest_residual:.1f} %"
        )
    awake = np.median(profile.idle[0].seconds)
    gaps = ", ".join(
        f"{np.median(each.seconds) / awake:.2f} after {each.gap_s * 1e3:g} ms" for each in profile.idle[1:]
    )
    lines.append(f"a pass takes longer after idling: x {gaps}")
    lines.append(f"{profile.rejected} of {profile.kept + profile.rejected} samples rejected; images: {profile.content}")
    return lines


def machine_in_words(machine: Machine) -> str:
    """Where and when something was measured."""
    return (
        f"{machine.cpu} ({machine.device}), {machine.threads} of {machine.cores} cores, torch {machine.torch}, "
        f"{machine.date}"
    )


def device_rows() -> list[tuple[str, ...]]:
    """Every preset as a row of ``DEVICE_COLUMNS``; the factor is a dash where no profile of the anchor ships."""
    return [_device_row(device) for device in PRESETS.values()]


def _device_row(device: Preset) -> tuple[str, ...]:
    anchor = device.anchor
    known = anchor.model in shipped_profiles() and not device.throughput_only
    factor = f"{device_factor(device, shipped_profile(anchor.model)):.3g}" if known else "-"
    batch = "throughput only" if device.throughput_only else "1" if device.accelerator else "any"
    at = f"{anchor.model} {anchor.image_ms:.4g} ms at batch {anchor.batch}"
    return device.name, at, device.numeric_format, factor, batch, device.mark, device.source
