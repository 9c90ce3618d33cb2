"""Reports of real results in a real browser: every picture is drawn, and nothing is fetched from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from headless import CHROMIUM, Tab, browser
from small_runs import small
from small_studies import write_study

from edgesim.cli import main
from edgesim.results.report import NAME, write_report
from edgesim.results.run_report import run_page
from edgesim.studies.run import run_scenario

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open reports with")
WIDTHS = "[...document.images].map(image => image.complete ? image.naturalWidth : 0)"
OUTSIDE = "http://127.0.0.1:9/pixel.png"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def run_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run_scenario(small(replications=2), tmp_path_factory.mktemp("runs")).folder
    write_report(run_page(folder), folder / NAME)
    return folder / NAME


@pytest.fixture(scope="module")
def study_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``edgesim study`` leaves it."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.raises(SystemExit, match="^0$"):
        main(["study", str(write_study(folder)), "--jobs", "1", "--out", str(folder / "out")])
    (found,) = folder.glob(f"out/*/{NAME}")
    return found


def left(tab: Tab) -> list[str]:
    """What was asked for outside of the page's own file."""
    return [address for address in tab.requests if not address.startswith(("file:", "data:"))]


def fits(tab: Tab) -> bool:
    """Whether nothing but the boxes that scroll is wider than the window."""
    return bool(tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_run_in_a_browser(tab: Tab, run_report: Path, width: int, dark: bool) -> None:
    tab.open(run_report, width, dark)
    plots = {path.stem for path in run_report.parent.glob("plots/*.svg")}
    widths = tab.evaluate(WIDTHS)
    assert len(widths) == len(plots) >= 5 and all(widths)
    assert [address for address in tab.requests if address.startswith("file:")] == [run_report.resolve().as_uri()]
    assert len(tab.requests) > 5 and not left(tab)
    assert fits(tab)
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 24, 31)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_study_in_a_browser(tab: Tab, study_report: Path, width: int) -> None:
    tab.open(study_report, width)
    plots = {path.stem for path in study_report.parent.glob("plots/*.svg")}
    widths = tab.evaluate(WIDTHS)
    assert len(widths) == len(plots) >= 6 and all(widths)
    assert tab.requests[0] == study_report.resolve().as_uri() and not left(tab)
    assert fits(tab)
    assert tab.evaluate("document.querySelector('#answer li').textContent").startswith("With ")


def test_a_page_that_asks_for_more_is_found_out(tab: Tab, run_report: Path, tmp_path: Path) -> None:
    page = run_report.read_text()
    start, policy = page.index("<meta http-equiv"), "img-src data:;"
    assert policy in page[start : start + 200]
    outside = page.replace("</main>", f'<img src="{OUTSIDE}" alt="outside"></main>').replace(policy, "img-src *;")
    (tmp_path / "outside.html").write_text(outside)
    tab.open(tmp_path / "outside.html")
    assert left(tab) == [OUTSIDE] and tab.evaluate(WIDTHS)[-1] == 0


def test_all_of_it_is_printed(tab: Tab, study_report: Path) -> None:
    """What is folded away on the screen is on the paper."""
    tab.open(study_report)
    open_ones = "each => each.clientHeight > 2 * each.firstElementChild.clientHeight"
    shown = f"[...document.querySelectorAll('details')].map({open_ones})"
    folded = tab.evaluate(shown)
    assert len(folded) >= 4 and not any(folded)
    tab.media("print")
    assert all(tab.evaluate(shown))
