"""``edgesim compare`` on runs that ``edgesim run`` has made."""

from __future__ import annotations

import pandas as pd


def test_two_runs_are_compared_in_a_table_in_words_and_in_a_file(bench) -> None:
    assert bench.run("--replications", 4).code == 0
    slow = ("--set", "servers.edge.processor.factor=2", "--policy", "remote")
    assert bench.run("--replications", 4, *slow).code == 0
    folders = sorted(bench.out.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    table = bench.folder / "table.csv"
    said = bench.command("compare", *folders, "--metric", "latency_mean_s", "--export", table)
    assert said.code == 0, said
    assert "latency_mean_s at own deadlines" in said.out and "not paired" not in said.out
    assert f"remote in {folders[0].name} is better than remote in {folders[1].name} by" in said.out
    assert "has 4 replications; from 10 on" in said.out
    found = pd.read_csv(table)
    assert len(found) == 4 and list(found.dropna(subset="difference").policy) == ["remote"]
    assert not list(bench.folder.glob(".*.partial"))


def test_bad_input_ends_with_one_message(bench) -> None:
    assert bench.run("--policy", "local").code == 0
    (folder,) = bench.out.iterdir()
    for arguments, message in (
        ((folder, "--export", "table.txt"), "--export table.txt: found .txt, allowed: .csv"),
        ((folder, "--metric", "speed"), "--metric speed:"),
        ((folder, "--deadline", "33"), "--deadline: local in"),
        ((bench.folder / "nowhere",), "found no manifest.json there, allowed: the results folder of a run"),
    ):
        said = bench.command("compare", *arguments)
        assert said.code == 2 and said.err.count("error: ") == 1 and message in said.err
