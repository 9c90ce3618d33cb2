"""``edgesim links``."""

from __future__ import annotations

from rich.table import Table

from edgesim.commands.console import output
from edgesim.network.link_presets import LINK_PRESETS
from edgesim.network.presets import LABEL, PRESETS


def links_command() -> None:
    links = Table(
        "name", "up Mb/s", "down Mb/s", "delay ms", "what it is", "source", title="Links, as `preset` of a link"
    )
    for name, preset in LINK_PRESETS.items():
        both = (f"{preset.rate_mbps(direction):.4g}" for direction in ("up", "down"))
        links.add_row(name, *both, f"{preset.values['delay_ms']:g}", preset.label, preset.source)
    rates = Table(
        "name",
        "mean Mb/s",
        "CV",
        "acf 1 s",
        "outages",
        "direction",
        "source",
        title="Rates, as `preset` of `process: ar1`",
        caption=f"{LABEL}; outages: share of the time, mean length",
    )
    for name, row in PRESETS.items():
        moments = row.moments
        outages = f"{moments.outage_share:.1%}, {moments.outage_mean_s:g} s" if moments.outage_share else "none"
        values = (f"{value:.4g}" for value in (moments.mean_bps / 1e6, moments.cv, moments.correlation_1s))
        rates.add_row(name, *values, outages, row.direction, row.source)
    for table in (links, rates):
        table.columns[0].no_wrap = True  # the name is what a scenario's `preset` takes
        output().print(table)
