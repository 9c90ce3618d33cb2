"""The wheel: a flat layout hides what it lacks from tests that run at the root."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
NOT_SHIPPED = ("__pycache__", "*.pyc", "*.partial", ".*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because setuptools leaves its traces in the tree and takes old ones up again."""
    source = tmp_path_factory.mktemp("source")
    copytree(ROOT / "edgesim", source / "edgesim", ignore=ignore_patterns(*NOT_SHIPPED))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            copy(ROOT / name, source)
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", ".", cwd=source)
    return next((source / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel and nothing else; its dependencies are those of this interpreter."""
    target = tmp_path_factory.mktemp("installed")
    _python("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel), cwd=target)
    return target


def _python(*arguments: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=os.environ | environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    source = wheel.parents[1]
    expected = {str(path.relative_to(source)) for path in (source / "edgesim").rglob("*") if path.is_file()}
    with ZipFile(wheel) as files:
        found = {name for name in files.namelist() if name.startswith("edgesim/")}
    assert found == expected
    assert {"edgesim/py.typed", "edgesim/data/fashion_mnist/NOTICE", "edgesim/data/fashion_mnist/test.npz"} <= found


def test_the_wheel_carries_licence_and_command(wheel: Path) -> None:
    with ZipFile(wheel) as files:
        names = files.namelist()
        commands = next(name for name in names if name.endswith(".dist-info/entry_points.txt"))
        assert "edgesim = edgesim.cli:main" in files.read(commands).decode()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_package_data_are_read_where_it_is_installed(installed: Path, tmp_path: Path) -> None:
    code = (
        "import edgesim; from edgesim.data.fashion_mnist import shipped_split; from edgesim.models.zoo import *\n"
        "print(edgesim.__file__, len(shipped_split('test')), *[model_card(name).exits for name in zoo_names()])"
    )
    said = _python("-c", code, cwd=tmp_path, PYTHONPATH=str(installed))
    assert said.startswith(str(installed)) and " 2000" in said


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, edgesim; print(*sys.modules)"
    heavy = {"torch", "timm", "numpy", "pandas", "matplotlib", "scipy", "pyarrow", "pydantic", "simpy"}
    assert not heavy & set(_python("-c", code, cwd=ROOT).split())


@pytest.mark.slow
def test_the_quickstart_runs_from_the_wheel_in_another_folder(installed: Path, tmp_path: Path) -> None:
    copy(ROOT / "scenarios" / "quickstart.yaml", tmp_path)
    environment = {"PYTHONPATH": str(installed), "EDGESIM_CACHE": str(tmp_path / "cache")}
    _python("-m", "edgesim", "run", "quickstart.yaml", cwd=tmp_path, **environment)
    assert list((tmp_path / "runs").glob("quickstart-*/summary.json"))
