"""The pages of docs/ name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pages import PAGES, ROOT

from edgesim.compute.power_presets import POWER_PRESETS
from edgesim.network.link_presets import LINK_PRESETS
from edgesim.network.radio_power_presets import RADIO_PRESETS
from edgesim.policies.registry import BUILT_IN
from edgesim.profiling.presets import PRESETS
from edgesim.scenario import policies
from edgesim.scenario.connections import Connection
from edgesim.scenario.events import Event, EventSpec
from edgesim.scenario.servers import Server

FILES = re.compile(r"`((?:edgesim|tests|scenarios|docs|benchmarks|notebooks)/[\w/.]+\.\w+)`")
SPECS: dict[str, Any] = {
    str(get_args(spec.model_fields["type"].annotation)[0]): spec
    for spec in vars(policies).values()
    if getattr(spec, "__module__", "") == policies.__name__
    and "type" in getattr(spec, "model_fields", ())
    and spec is not policies.UserPolicy
}


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_that_are_named_exist(page: Path) -> None:
    assert [name for name in FILES.findall(page.read_text(encoding="utf-8")) if not (ROOT / name).exists()] == []


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    """Where a new page belongs is for mkdocs.yml to say; the build of the site would refuse it otherwise."""
    said = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    assert {page.name for page in PAGES[1:]} <= set(re.findall(r": ([\w/]+\.md)$", said, flags=re.MULTILINE))


def test_every_rule_says_where_it_is() -> None:
    """A rule is a paragraph that begins in bold; those before "Not yet" name a file of the code."""
    rules = [each for each in text("semantics.md").split("## Not yet")[0].split("\n\n") if each.startswith("**")]
    assert len(rules) >= 30
    assert [rule[:40] for rule in rules if "*Code:*" not in rule] == []


def test_every_policy_has_its_section_and_keys() -> None:
    page = text("policies.md").split("## Estimators")[0]
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    assert sections.keys() == SPECS.keys() == BUILT_IN.keys() | {"static_best"}
    for name, section in sections.items():
        rows = re.findall(r"^\| (`.*?`) \|", section, flags=re.MULTILINE)
        keys = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
        assert keys == SPECS[name].model_fields.keys() - {"type", "models"}, name
        assert "Plan: " in section or name in ("link_oracle", "clairvoyant")
        assert "Needs: " in section


def test_every_preset_has_its_row() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| ([VD]) \|", text("profile.md"), flags=re.MULTILINE))
    assert rows == {name: preset.mark for name, preset in PRESETS.items()}


def test_every_preset_of_power_has_its_row() -> None:
    """With its numbers and what they are; a radio's, at least its name and slopes."""
    page = text("energy.md")
    for name, preset in POWER_PRESETS.items():
        idle = "" if preset.idle_w is None else f"{preset.idle_w:g} "
        assert f"| `{name}` | {idle}| {preset.compute_w:g} | {preset.label} |" in page
    for name, radio in RADIO_PRESETS.items():
        slopes = (radio.values["send_uj_per_bit"], radio.values["receive_uj_per_bit"])
        assert f"| `{name}` | {slopes[0]:.5g} / {slopes[1]:.5g} |" in page


def test_every_key_of_a_server_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", text("servers.md").split("## Queue")[0], flags=re.MULTILINE)
    assert sorted(rows) == sorted(Server.model_fields)


def keys_of(section: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))


def test_every_key_of_an_event_has_its_row() -> None:
    page = text("events.md").split("## Fallback")[0]
    when, *sections = re.split(r"^### (\w+)\n", page, flags=re.MULTILINE)
    found = dict(zip(sections[::2], sections[1::2], strict=True))
    assert keys_of(when) == EventSpec.model_fields.keys()
    for spec in get_args(get_args(Event)[0]):
        (kind,) = get_args(spec.model_fields["what"].annotation)
        assert keys_of(found.pop(kind)) == spec.model_fields.keys() - EventSpec.model_fields.keys() - {"what"}
    assert not found


def test_every_key_of_a_connection_has_its_row() -> None:
    section = text("servers.md").split("## Connections and tiers")[1].split("\n## ")[0]
    assert keys_of(section) == Connection.model_fields.keys()


def test_every_preset_of_links_has_its_row() -> None:
    """With its numbers; those of a family share a row that names its ends."""
    page = text("network.md")
    for name, preset in LINK_PRESETS.items():
        both = f"{preset.rate_mbps('up'):g}, {preset.rate_mbps('down'):g} | {preset.values['delay_ms']:g} |"
        assert name.startswith(("lora", "ble")) or f"| `{name}` | {both}" in page
    assert "| `lora-sf7` ... `lora-sf12` | 0.00547 ... 0.000293 both ways | 50 |" in page
    assert "| `ble-1m`, `ble-2m` | 0.7 or 1.4 both ways | 15 |" in page
