"""What a recorded rate looks like in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgesim.network.trace import Trace

OUTAGE_BPS = 0.1e6
OUTAGE_OF_MEDIAN = 0.02
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class RateStatistics:
    """Of a rate in bins of equal length.

    cv: standard deviation over mean.  correlation_1s, correlation_5s: autocorrelation (NaN where bins are too coarse
    or too few, or the rate never changes).  outage_share: bins below max(0.1 Mb/s, 2 % of the median).  outage_mean_s:
    their mean length in a row, those cut off by an end of the trace included (NaN without any).  quantiles_bps: at
    ``QUANTILES``.
    """

    mean_bps: float
    cv: float
    correlation_1s: float
    correlation_5s: float
    outage_share: float
    outage_mean_s: float
    quantiles_bps: tuple[float, ...]


def bin_s_of(trace: Trace, least_s: float) -> float:
    """A length of bins that the trace can fill: its resolution to the millisecond, at least ``least_s``."""
    return max(round(trace.resolution_s, 3), least_s) if math.isfinite(trace.resolution_s) else least_s


def rate_statistics(rates_bps: np.ndarray, bin_s: float) -> RateStatistics:
    """The statistics of rates in bins of ``bin_s``."""
    mean_bps = float(rates_bps.mean())
    out = outages(rates_bps)
    starts = int(out[0]) + int((out[1:] & ~out[:-1]).sum())
    return RateStatistics(
        mean_bps,
        float(rates_bps.std()) / mean_bps if mean_bps else math.nan,
        correlation(rates_bps, 1 / bin_s),
        correlation(rates_bps, 5 / bin_s),
        float(out.mean()),
        float(out.sum()) * bin_s / starts if starts else math.nan,
        tuple(np.quantile(rates_bps, QUANTILES).tolist()),
    )


def outage_below_bps(rates_bps: np.ndarray) -> float:
    """A rate below this is an outage."""
    return max(OUTAGE_BPS, OUTAGE_OF_MEDIAN * float(np.median(rates_bps)))


def outages(rates_bps: np.ndarray) -> np.ndarray:
    """Which bins are outages."""
    return rates_bps < outage_below_bps(rates_bps)


def correlation(rates_bps: np.ndarray, lag: float) -> float:
    """Autocorrelation at the whole lag (in bins) that is nearest."""
    lag = round(lag)
    away = rates_bps - rates_bps.mean()
    variance = float((away**2).mean())
    if not 1 <= lag < len(away) or variance <= 1e-18 * float(rates_bps.max()) ** 2:
        return math.nan
    return float((away[lag:] * away[:-lag]).mean()) / variance
