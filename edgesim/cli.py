"""The command line: one thin command each, no logic.  Everything heavy is imported inside the commands."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgesim.commands.file_or_command import FileOrCommand
from edgesim.errors import InputError

app = typer.Typer(
    help="Where should a vision transformer run, and when should it stop? Simulates devices, links and servers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
outcomes_app = typer.Typer(help="Answers of models that somebody else executed.", no_args_is_help=True)
models_app = typer.Typer(help="Backbones and the models that ship: lists, cuts, weights, test.", no_args_is_help=True)
validate_app = typer.Typer(help="Compare the simulator with theory.", no_args_is_help=True)
app.add_typer(outcomes_app, name="outcomes")
app.add_typer(models_app, name="models")
trace_app = typer.Typer(help="Recorded rates of links.", no_args_is_help=True)
study_app = typer.Typer(
    help="Questions: a scenario along axes. edgesim study STUDY.yaml runs one.", no_args_is_help=True, cls=FileOrCommand
)
app.add_typer(validate_app, name="validate")
app.add_typer(study_app, name="study")
app.add_typer(trace_app, name="trace")


def _version(asked: bool) -> None:
    if asked:
        import edgesim

        typer.echo(f"edgesim {edgesim.__version__}")
        raise typer.Exit


@app.callback()
def edgesim_options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    pass


ScenarioFile = Annotated[Path, typer.Argument(help="Scenario YAML.", show_default=False)]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key, e.g. links.lte.delay_ms=40.")
]


@app.command()
def run(
    scenario: ScenarioFile,
    policy: Annotated[list[str] | None, typer.Option(help="Only this policy (may be repeated).")] = None,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(help="In place of the scenario's seed.")] = None,
    replications: Annotated[int | None, typer.Option(help="In place of the scenario's number.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = os.cpu_count() or 1,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("runs"),
    force: Annotated[bool, typer.Option("--force", help="Run again even if the results are there.")] = False,
) -> None:
    """Run a scenario: tables, plots and a summary in OUT/NAME-HASH."""
    from edgesim.commands.run import run_command

    run_command(scenario, policy or [], set_ or [], seed, replications, jobs, out, force)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Results folders of runs.", show_default=False)],
    metric: Annotated[str, typer.Option(help="A metric of docs/metrics.md.")] = "on_time_accuracy",
    deadline: Annotated[
        str | None,
        typer.Option(metavar="MS", help="Deadline of the axis, or own; that of the summaries where not given."),
    ] = None,
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to this CSV file.")] = None,
) -> None:
    """Policies of several runs, each with the first run's, or of one run with its best: what is distinguishable."""
    from edgesim.commands.compare import compare_command

    compare_command(runs, metric, deadline, export)


ALL_CORES = os.cpu_count() or 1
Jobs = Annotated[int, typer.Option(min=1, help="Worker processes on this machine.")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Workers of a Dask scheduler, e.g. tcp://10.0.0.1:8786.")
]
StudyFolder = Annotated[Path, typer.Argument(help="Results folder of a study.", show_default=False)]


@study_app.command("run", hidden=True)
def study_run(
    study: Annotated[Path, typer.Argument(help="Study YAML.", show_default=False)],
    replications: Annotated[int | None, typer.Option(min=1, help="In place of the study's number.")] = None,
    jobs: Jobs = ALL_CORES,
    scheduler: Scheduler = None,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("studies"),
) -> None:
    """Run what is not yet in OUT/NAME-HASH: tables and plots there."""
    from edgesim.commands.study import run_command

    run_command(study, replications, jobs, scheduler, out)


@study_app.command("status")
def study_status(folder: StudyFolder) -> None:
    """How far a study is, and what failed."""
    from edgesim.commands.study import status_command

    status_command(folder)


@study_app.command("resume")
def study_resume(folder: StudyFolder, jobs: Jobs = ALL_CORES, scheduler: Scheduler = None) -> None:
    """Go on with a study that was stopped."""
    from edgesim.commands.study import resume_command

    resume_command(folder, jobs, scheduler)


@study_app.command("export")
def study_export(
    folder: StudyFolder,
    out: Annotated[Path, typer.Argument(help="Table to write: .parquet or .csv.", show_default=False)],
    quantity: Annotated[list[str] | None, typer.Option(help="Only this quantity (may be repeated).")] = None,
    replications: Annotated[
        bool, typer.Option("--replications", help="A row for each replication, not their means.")
    ] = False,
) -> None:
    """Write a study's means and intervals, or its replications, as one tidy table."""
    from edgesim.commands.study import export_command

    export_command(folder, out, quantity or [], replications)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Results folder of a run or of a study.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The page to write; FOLDER/report.html where not given.")
    ] = None,
) -> None:
    """Write what a run or a study found as one HTML page that needs nothing beside it."""
    from edgesim.commands.report import report_command

    report_command(folder, out)


@app.command()
def timeline(
    run: Annotated[
        Path, typer.Argument(help="Results folder of a run, or the scenario that was run.", show_default=False)
    ],
    requests: Annotated[
        str, typer.Option(metavar="A..B", help="Which, numbered by arrival over all devices.")
    ] = "0..199",
    policy: Annotated[str | None, typer.Option(help="Under which policy; the first where not given.")] = None,
    replication: Annotated[int, typer.Option(min=0, help="In which replication.")] = 0,
    deadline: Annotated[
        float | None, typer.Option(metavar="MS", help="Deadline of the axis; devices' own where not given.")
    ] = None,
    scenario_folder: Annotated[
        Path | None, typer.Option(help="What its paths count from; here, or the scenario's folder, where not given.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="The trace; RUN/timeline-POLICY-REPLICATION[-DEADLINEms].json where not given."
        ),
    ] = None,
) -> None:
    """When did what happen to requests of a run? A trace for ui.perfetto.dev and chrome://tracing."""
    from edgesim.commands.timeline import timeline_command

    timeline_command(run, requests, policy, replication, deadline, scenario_folder, out)


@app.command()
def profile(
    model: Annotated[str | None, typer.Argument(help="A model of the zoo or of timm.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The profile, or the script, to write.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads that torch may use.")] = 1,
    script: Annotated[bool, typer.Option("--script", help="Write a script that measures on another machine.")] = False,
    from_script: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Read what such a script has written.")
    ] = None,
) -> None:
    """Measure what a model costs here (10 minutes at most; let nothing else run), or on another machine by --script."""
    from edgesim.commands.profile import profile_command

    profile_command(model, out, threads, script, from_script)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(help="Training YAML.", show_default=False)],
    export: Annotated[Path | None, typer.Option(help="Folder to export the trained model to.")] = None,
) -> None:
    """Train a multi-exit model; goes on from the last whole epoch where there is one."""
    from edgesim.commands.train import train_command

    train_command(config, export)


@app.command()
def devices() -> None:
    """List the device presets with their anchors and sources."""
    from edgesim.commands.devices import devices_command

    devices_command()


@app.command()
def links() -> None:
    """List the presets of links and of their rates with their numbers and sources."""
    from edgesim.commands.links import links_command

    links_command()


@models_app.command("list")
def models_list() -> None:
    """List the backbones that go by name, and the models of the zoo."""
    from edgesim.commands.models import list_command

    list_command()


@models_app.command("cuts")
def models_cuts(
    name: Annotated[str, typer.Argument(help="A backbone, or a model of the zoo.", show_default=False)],
    img_size: Annotated[int | None, typer.Option(min=1, help="Side of the image, in pixels.")] = None,
) -> None:
    """What crosses after each block, its bytes by codec, and the natural bottlenecks."""
    from edgesim.commands.models import cuts_command

    cuts_command(name, img_size)


@models_app.command("eval")
def models_eval(
    name: Annotated[str, typer.Argument(help="A model of the zoo.", show_default=False)],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with Fashion-MNIST's idx files, for all test images; those that ship where not given."
        ),
    ] = None,
) -> None:
    """Run a model of the zoo on its test images, beside what its card says."""
    from edgesim.commands.evaluation import eval_command

    eval_command(name, data)


@models_app.command("import")
def models_import(
    checkpoint: Annotated[Path, typer.Argument(help="The authors' weights: safetensors or .pth.", show_default=False)],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="The backbone they are of.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="The file to write; NAME.safetensors where not given.")] = None,
) -> None:
    """Convert the authors' weights to a safetensors file that a scenario can name."""
    from edgesim.commands.models import import_command

    import_command(checkpoint, name, out)


@outcomes_app.command("import")
def outcomes_import(
    source: Annotated[Path, typer.Argument(help="npz or CSV file.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Folder for the tables.", show_default=False)],
    split: Annotated[str, typer.Option(help="test or validation.")] = "test",
    path: Annotated[str, typer.Option(help="Where it was executed: local, or CUT:CODEC.")] = "local",
) -> None:
    """Import the answers of somebody else's exits."""
    from edgesim.commands.outcomes import import_command

    import_command(source, folder, split, path)


@app.command()
def schema(
    study: Annotated[bool, typer.Option("--study", help="Of study files, in place of scenarios.")] = False,
) -> None:
    """Print the JSON Schema of scenarios, for completion in editors."""
    import json

    from edgesim.scenario.scenario import Scenario
    from edgesim.scenario.schema import json_schema
    from edgesim.studies.study import Study

    typer.echo(json.dumps(json_schema(Study if study else Scenario), indent=2))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The scenario to write.")] = Path("scenario.yaml"),
) -> None:
    """Write a commented starter scenario."""
    from edgesim.commands.init import init_command

    init_command(file)


TraceFile = Annotated[Path, typer.Argument(help="File of rates, in any format that is known.", show_default=False)]
TraceFormat = Annotated[str | None, typer.Option("--format", help="Its format; recognised where not given.")]
TimeColumn = Annotated[str | None, typer.Option(help="CSV: the column of times; time_s where not given.")]
RateColumn = Annotated[str | None, typer.Option(help="CSV: the column of rates; rate_mbps where not given.")]
TraceUnit = Annotated[str | None, typer.Option("--unit", help="CSV: bps, kbps, mbps or gbps.")]
Where = Annotated[list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only these rows (may be repeated).")]


@trace_app.command("show")
def trace_show(
    file: TraceFile,
    format: TraceFormat = None,
    time_column: TimeColumn = None,
    rate_column: RateColumn = None,
    unit: TraceUnit = None,
    where: Where = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the rate and its autocorrelation, e.g. to rate.png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Duration, resolution, mean, variation, autocorrelation and outages of a recorded rate."""
    from edgesim.commands.trace import reading_of, show_command

    show_command(file, reading_of(format, time_column, rate_column, unit, where or []), plot, as_json)


@trace_app.command("fit")
def trace_fit(
    file: TraceFile,
    format: TraceFormat = None,
    time_column: TimeColumn = None,
    rate_column: RateColumn = None,
    unit: TraceUnit = None,
    where: Where = None,
    step_ms: Annotated[
        float | None, typer.Option(min=1, help="Step of the processes; the trace's resolution, at least 100.")
    ] = None,
    states: Annotated[int, typer.Option(min=2, max=50, help="Most states of the Markov chain.")] = 8,
    seed: Annotated[int, typer.Option(help="Root of the random numbers of generated paths.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """AR(1) with outages and Markov chain that reproduce a recorded rate, how well, and their YAML."""
    from edgesim.commands.trace import reading_of
    from edgesim.commands.trace_fit import fit_command

    fit_command(file, reading_of(format, time_column, rate_column, unit, where or []), step_ms, states, seed, as_json)


@validate_app.command()
def theory(
    requests: Annotated[int, typer.Option(min=10_000, help="Requests of each queue.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Root of all random numbers.")] = 1,
) -> None:
    """Simulate queues and transfers whose theory is known; theory beside simulation."""
    from edgesim.commands.validate import theory_command

    theory_command(requests, seed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: bad input, and files that cannot be read or written, end with one message and exit code 2."""
    warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # type: ignore[assignment]
    try:
        app(arguments)
    except InputError as error:
        sys.exit(_refused(str(error)))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.exit(_refused(f"{where}{error.strerror or error}"))


def _refused(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 2
