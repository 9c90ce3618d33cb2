"""``edgesim report``: beside the results, or where it is told; one error where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgesim.cli import main


def test_it_stands_beside_the_results_or_where_it_is_told(bench, tmp_path: Path, capsys) -> None:
    assert bench.run().code == 0
    (folder,) = bench.out.iterdir()
    for arguments, path in (
        ([str(folder)], folder / "report.html"),
        ([str(folder), "-o", str(tmp_path / "a.html")], tmp_path / "a.html"),
    ):
        with pytest.raises(SystemExit, match="^0$"):
            main(["report", *arguments])
        assert f"written to {path}" in capsys.readouterr().out
        assert "<title>" in path.read_text(encoding="utf-8")


def test_a_folder_without_results(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit, match="^2$"):
        main(["report", str(tmp_path)])
    assert "holds neither the results of a run (manifest.json) nor those of a study" in capsys.readouterr().err


def test_a_page_that_cannot_be_written(bench, tmp_path: Path, capsys) -> None:
    assert bench.run().code == 0
    (folder,) = bench.out.iterdir()
    with pytest.raises(SystemExit, match="^2$"):
        main(["report", str(folder), "-o", str(tmp_path / "missing" / "a.html")])
    assert "a.html: cannot be written: No such file or directory" in capsys.readouterr().err
