"""Ctrl-C in the middle of a run: it ends at once and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def wait_for(what: str, folder: Path, process: subprocess.Popen[str]) -> None:
    """Until there is a file that matches ``what`` in ``folder``."""
    for _ in range(600):
        if any(folder.rglob(what)):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError(f"no {what} in {folder}")


@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes are sent as POSIX has them")
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("moment", ["parts", "requests.parquet"])
def test_nothing_is_left(bench, jobs: str, moment: str) -> None:
    """As a terminal does it, for every process of the group: while workers start, and while they work."""
    before = sorted(bench.folder.rglob("*"))
    run = [sys.executable, "-m", "edgesim", "run", str(bench.path), "--out", str(bench.out), "--jobs", jobs]
    endless = ["--set", "duration_s=1e6", "--set", "replications=4"]
    process = subprocess.Popen(
        [*run, *endless],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's "&" hands it down ignored
    )
    try:
        wait_for(moment, bench.folder, process)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)  # to the end of stderr: no worker holds it any more
    finally:
        process.kill()
    assert process.returncode not in (0, None) and "Traceback" not in err, err
    assert sorted(bench.folder.rglob("*")) == before
