"""A recorded rate: over time, and its autocorrelation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from edgesim.errors import InputError
from edgesim.network.trace import Trace
from edgesim.network.trace_statistics import correlation, outage_below_bps, outages
from edgesim.results.plots import style

MOST_LAG_S = 60.0


def save(trace: Trace, rates_bps: np.ndarray, bin_s: float, path: Path) -> None:
    """Draw the trace in bins of ``bin_s`` to a file whose ending says the format, whole or not at all.

    InputError where the ending is no format of pictures.
    """
    known = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        raise InputError(f"{path}: a picture's name ends in {', '.join(f'.{each}' for each in known)}")
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    with style.applied():
        draw(trace, rates_bps, bin_s).savefig(partial)
    partial.replace(path)


def draw(trace: Trace, rates_bps: np.ndarray, bin_s: float) -> Figure:
    """Above the mean rate of each bin, outages shaded; below the autocorrelation up to a minute or a quarter."""
    drawing = style.figure(4.6)
    above, below = drawing.subplots(2, 1, height_ratios=(3, 2))
    edges_s = np.arange(len(rates_bps) + 1) * bin_s
    above.stairs(rates_bps / 1e6, edges_s, color=style.PALETTE[0], linewidth=0.9)
    out = np.append(outages(rates_bps), False)
    if out.any():
        place = {"step": "post", "transform": above.get_xaxis_transform(), "linewidth": 0}
        label = f"outage: below {outage_below_bps(rates_bps) / 1e6:.2g} Mb/s"
        above.fill_between(edges_s, 0, 1, where=out, **place, color=style.PALETTE[1], alpha=0.25, label=label)
        above.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8)
    above.set(xlabel="time (s)", ylabel="rate (Mb/s)", xlim=(0, edges_s[-1]), ylim=(0, None))
    above.set_title(f"{trace.path.name}, in bins of {bin_s:g} s", loc="left", fontsize=9)
    most = max(min(int(MOST_LAG_S / bin_s), len(rates_bps) // 4), 1)
    correlations = [1.0, *(correlation(rates_bps, lag) for lag in range(1, most + 1))]
    below.axhline(0, **style.GUIDE)
    below.plot(np.arange(most + 1) * bin_s, correlations, color=style.PALETTE[0])
    below.set(xlabel="lag (s)", ylabel="autocorrelation", xlim=(0, most * bin_s), ylim=(None, 1.02))
    return drawing
