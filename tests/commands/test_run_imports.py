"""What a run imports, and when: neither torch nor timm with cached outcomes, matplotlib only for whole records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgesim.models.zoo import zoo_names

WATCH = """
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from edgesim.cli import main

class Watch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib":
            (partial,) = Path("runs").glob(".*.partial")
            print("at-first-sight", *sorted(path.name for path in partial.iterdir()), file=sys.stderr)

sys.meta_path.insert(0, Watch())
try:
    main(["run", "scenario.yaml", "--jobs", "1"])
finally:
    print("modules", *sys.modules, file=sys.stderr)
"""


def watched(folder: Path) -> tuple[list[str], set[str]]:
    """What was there when matplotlib was first imported, and all modules imported in the end."""
    environment = os.environ | {"EDGESIM_CACHE": str(folder / "cache")}
    done = subprocess.run([sys.executable, "-c", WATCH], cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = {words[0]: words[1:] for words in map(str.split, done.stderr.splitlines()) if words}
    return lines.get("at-first-sight", []), set(lines["modules"])


def test_the_engine_neither_draws_nor_computes_tensors(bench) -> None:
    bench.path.rename(bench.folder / "scenario.yaml")
    there, modules = watched(bench.folder)
    tables = [f"{stem}.parquet" for stem in ("answers", "links", "nodes", "requests")]
    notes = ["manifest.json", "summary.json", "reliability.json"]
    assert there == sorted([*tables, *notes])
    assert "matplotlib" in modules and not {"torch", "timm", "pandas"} & modules
    there, modules = watched(bench.folder)
    assert not there and not {"torch", "timm", "pandas", "matplotlib"} & modules


@pytest.mark.skipif("fashion_vit" not in zoo_names(), reason="no model has been put into the zoo")
def test_cached_outcomes_of_a_zoo_model_need_no_torch(bench) -> None:
    text = bench.path.read_text()
    model = "  toy: {source: zoo, name: fashion_vit}\n"
    text = text[: text.index("  toy:\n")] + model + text[text.index("devices:") :]
    text = text[: text.index("policies:")] + "policies:\n  local: {type: device_only}\n"
    (bench.folder / "scenario.yaml").write_text(text.replace("data: {source: none}", "data: {source: shipped}"))
    assert {"torch", "timm"} <= watched(bench.folder)[1]
    (folder,) = (bench.folder / "runs").iterdir()
    folder.rename(bench.folder / "first")
    assert not {"torch", "timm"} & watched(bench.folder)[1]
