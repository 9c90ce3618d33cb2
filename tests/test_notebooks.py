"""Every notebook runs from top to bottom."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from edgesim.models.zoo import zoo_names

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TIMEOUT_S = 600
"""For one cell: the first one to run may have to execute the network."""


@pytest.mark.skipif(not zoo_names(), reason="notebooks run the shipped model, and the zoo is empty")
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(file: Path, tmp_path: Path) -> None:
    copytree(ROOT / "scenarios", tmp_path / "scenarios")
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(file, as_version=4)
    resources = {"metadata": {"path": str(tmp_path / "notebooks")}}
    nbclient.NotebookClient(notebook, timeout=TIMEOUT_S, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = [output for output in outputs if "image/png" in output.get("data", ())]
    assert pictures


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_small_and_says_nothing_of_a_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) < 300_000
    folders = [f"/{name}/" for name in ("home", "tmp", "root", "work")]
    assert not [word for word in (*folders, "Users\\") if word in text]
