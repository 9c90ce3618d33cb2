"""The documentation site: it builds without a warning, asks no other host for anything, and names every key."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pages import PAGES, ROOT
from pydantic import BaseModel

from edgesim.scenario.scenario import Scenario
from edgesim.scenario.schema import json_schema
from edgesim.studies.study import Study

pytest.importorskip("mkdocs", reason="the site is built with the extra 'docs'")
FILES = {"scenario": Scenario, "study": Study}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert built.returncode == 0, built.stderr + built.stdout
    return folder


def test_every_page_is_built_and_in_the_navigation(site: Path):
    """The strict build refuses pages that the navigation leaves out, and links and anchors that lead nowhere."""
    pages = {f"{page.stem}.html" for page in PAGES if page.parent.name == "docs"}
    assert pages | {"reference/scenario.html", "reference/study.html"} <= built_pages(site)


def built_pages(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*.html")}


def test_nothing_comes_from_other_hosts(site: Path):
    asked = {page: asked_for(site / page) for page in built_pages(site)}
    assert all(asked.values())  # the theme's own files at least
    assert {page: found for page, urls in asked.items() if (found := [url for url in urls if is_elsewhere(url)])} == {}
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        urls = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", text)
        assert [url for pair in urls for url in pair if is_elsewhere(url)] == [], sheet.name


@pytest.mark.parametrize("url", ["https://fonts.gstatic.com", "http://a.example/b.js", "//cdn.example/c.css"])
def test_other_hosts_are_recognised(url: str, tmp_path: Path):
    page = tmp_path / "page.html"
    page.write_text(f'<link rel="preconnect" href="{url}"><a href="https://fine.example">a link to follow</a>')
    assert [each for each in asked_for(page) if is_elsewhere(each)] == [url]


def is_elsewhere(url: str) -> bool:
    return re.match(r"(?:https?:)?//", url) is not None


def asked_for(page: Path) -> list[str]:
    """What a browser fetches with the page, without anybody's click."""
    collector = _Fetched()
    collector.feed(page.read_text(encoding="utf-8"))
    return collector.urls


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        wanted = [found.get("src")] + ([found.get("href")] if tag == "link" and found.get("rel") != "canonical" else [])
        self.urls += [url for url in wanted if url]


# The reference of keys


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """docs/site is no package: mkdocs loads what is in it by path."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "docs" / "site" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("model", FILES.values(), ids=FILES)
def test_every_mapping_has_one_table_of_all_its_keys(model: type[BaseModel], generator: ModuleType):
    page = generator.reference(model, "Keys")
    tables = re.findall(r"\|---\|---\|---\|---\|\n((?:\|.*\|\n)+)", page)
    found = sorted(sorted(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) for table in tables)
    assert found == sorted(sorted(mapping["properties"]) for mapping in mappings(model))


@pytest.mark.parametrize("model", FILES.values(), ids=FILES)
def test_every_key_is_described(model: type[BaseModel]):
    for mapping in mappings(model):
        missing = [key for key, inner in mapping["properties"].items() if len(inner.get("description", "")) < 6]
        assert mapping["description"] and missing == []


def mappings(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = json_schema(model)
    return [each for each in (schema, *schema.get("$defs", {}).values()) if "properties" in each]


def test_a_row_says_value_unit_default_and_meaning(generator: ModuleType):
    page = generator.reference(Scenario, "Keys")
    rows = [
        "| `warmup_s` | a number at least 0, in s | `0.0` | Requests that arrive before this time do not count, s. |",
        "| `duration_s` | a number above 0, in s | required | Requests arrive up to this time, s. |",
        "| `execution` | tabled or live | `tabled` | tabled: ",
        "| `power` | [a mapping](#devices-name-power) or null | `null` | ",
        "| `sites` | a list, each [a mapping](#links-name-up-sites) | required | The base stations. |",
        "| `servers` | a mapping of names, each to [a mapping](#servers-name) | `{}` | Servers by name. |",
    ]
    assert [row for row in rows if row not in page] == []
    assert "### `links.NAME.up` { #links-name-up }" in page
    assert "#### `process: ar1` { #links-name-up-process-ar1 }" in page
    assert "Also at `servers.NAME.processor`." in page
