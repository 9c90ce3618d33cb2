"""``edgesim outcomes import``: somebody else's answers, from their file to a curve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edgesim.profiling import profile

SCENARIO = """\
name: theirs
duration_s: 20
replications: 2
deadlines_ms: [50, 1000]
data: {source: none}
models:
  theirs: {source: outcomes, folder: theirs, profile: profile.json}
devices:
  camera:
    link: access
    server: edge
    after_deadline: continue
    arrivals: {process: periodic, rate_hz: 5}
links:
  access:
    up: {process: constant, rate_mbps: 5}
    down: {process: constant, rate_mbps: 20}
    delay_ms: 2
    prior_mbps: 5
servers:
  edge: {processor: {factor: 0.2}}
policies:
  local: {type: device_only}
  first: {type: device_only, exit: 0}
  half: {type: fixed_cut, cut: 2, codec: fp16}
"""
SAMPLES, CLASSES, WRONG = 60, 3, 6
KNOWN = profile.shipped_profiles()


def answers(file: Path, exits: tuple[int, ...], wrong: int) -> Path:
    """A file in which every exit is sure, and ``wrong`` samples in ``SAMPLES`` are answered wrongly."""
    labels = np.arange(SAMPLES) % CLASSES
    said = np.where(np.arange(SAMPLES) < wrong, (labels + 1) % CLASSES, labels)
    np.savez(file, blocks=exits, logits=np.tile(9.0 * np.eye(CLASSES)[said], (len(exits), 1, 1)), labels=labels)
    return file


@pytest.mark.skipif(not KNOWN, reason="no profile ships")
def test_from_a_file_to_a_curve(command, tmp_path: Path) -> None:
    shipped = Path(profile.__file__).with_name("profiles") / f"{[*KNOWN][0]}.json"
    (tmp_path / "profile.json").write_bytes(shipped.read_bytes())
    (tmp_path / "theirs.yaml").write_text(SCENARIO)
    exits = profile.load_profile(tmp_path / "profile.json").model.exits
    for split in ("validation", "test"):
        source = answers(tmp_path / f"{split}.npz", exits, WRONG)
        said = command("outcomes", "import", source, tmp_path / "theirs", "--split", split)
        assert said.code == 0 and f"{SAMPLES} samples, {len(exits)} exits into" in said.out
        behind = answers(tmp_path / f"{split}-2.npz", tuple(after for after in exits if after >= 2), 2 * WRONG)
        options = ("--split", split, "--path", "2:fp16")
        assert command("outcomes", "import", behind, tmp_path / "theirs", *options).code == 0
    said = command("run", tmp_path / "theirs.yaml", "--out", tmp_path / "runs", "--jobs", 1)
    assert said.code == 0, said
    (folder,) = (tmp_path / "runs").iterdir()
    requests = pd.read_parquet(folder / "requests.parquet")
    wrong = requests["sample"].map(lambda sample: sample < WRONG)
    twice = requests["sample"].map(lambda sample: sample < 2 * WRONG)
    expected = wrong.where(requests.policy != "half", twice)
    assert (requests.final_correct == ~expected).all() and expected.any()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gone.npz", None, "No such file"),
        ("a.npz", b"no zip", "not a readable npz file"),
        ("a.npz", b"", "not a readable npz file"),
        ("a.txt", b"", "from .npz or .csv files"),
        ("a.csv", b"", "line 1: columns"),
        ("a.csv", b"\xff\xfe\x00", "not a readable CSV file"),
        (
            "a.csv",
            b"sample,blocks,prediction,confidence,correct\n0,1,2,sure,1\n",
            "line 2: confidence must be a number",
        ),
        ("a.csv", b"sample,blocks,prediction,confidence,correct\n0,1,2,1.5,1\n", "confidence must be within 0..1"),
        ("a.csv", b"sample,blocks,prediction,confidence,correct\n0,1,2,nan,1\n", "confidence must be within 0..1"),
        ("a.csv", b"sample,blocks,prediction,confidence,correct\n1,1,2,0.5,1\n", "without gaps"),
    ],
)
def test_wrong_files(command, tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = command("outcomes", "import", tmp_path / name, tmp_path / "theirs")
    assert said.code == 2 and said.err.startswith(f"error: {tmp_path / name}") and words in said.err
    assert not (tmp_path / "theirs").exists()


def test_wrong_options(command, tmp_path: Path) -> None:
    source = answers(tmp_path / "a.npz", (1, 2), WRONG)
    for options, words in (
        (("--split", "train"), "validation or test, found 'train'"),
        (("--path", "here"), "is not a path"),
        (("--path", "1:int3"), "int3"),
        (("--path", "1:int8"), "import the local path first"),
    ):
        said = command("outcomes", "import", source, tmp_path / "theirs", *options)
        assert said.code == 2 and said.err.startswith("error: ") and words in said.err
    assert not (tmp_path / "theirs").exists()


def test_a_folder_that_cannot_be_written(command, tmp_path: Path) -> None:
    source = answers(tmp_path / "a.npz", (1, 2), WRONG)
    (tmp_path / "theirs").write_text("a file")
    said = command("outcomes", "import", source, tmp_path / "theirs")
    assert said.code == 2 and said.err.startswith(f"error: {tmp_path / 'theirs'}")
