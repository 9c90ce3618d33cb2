"""``edgesim profile``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from edgesim.commands.console import output
from edgesim.commands.progress import progress_bars
from edgesim.errors import InputError
from edgesim.profiling.profile import Profile


def profile_command(model: str | None, out: Path | None, threads: int, script: bool, from_script: Path | None) -> None:
    console = output()
    if out is None:
        raise InputError("profile: name the file to write with -o FILE")
    if not out.parent.is_dir():
        raise InputError(f"profile: {out.parent} is no folder")
    if from_script is not None:
        from edgesim.profiling.importing import import_profile

        show(import_profile(from_script, out), console)
    elif model is None:
        raise InputError("profile: name a model, such as fashion_vit or deit_tiny_patch16_224")
    elif script:
        from edgesim.profiling.script import write_script

        write_script(model, out)
        console.print(f"{out} written; run it there with: python {out.name} -o FILE", highlight=False)
        return
    else:
        from edgesim.profiling.measure import profile_model

        with progress_bars(Console(stderr=True)) as report:
            show(profile_model(model, out, threads=threads, progress=report), console)
    console.print(f"written to {out}", highlight=False)


def show(profile: Profile, console: Console) -> None:
    from edgesim.profiling.report import report

    for line in report(profile):
        console.print(line, highlight=False, markup=False)
