"""`moviegen sweep`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import FAILURE, err, errors, out, say

if TYPE_CHECKING:
    from benchmarks.store import RunWriter
    from benchmarks.suite import Suite
    from benchmarks.sweep import Options, Summary

GENERATORS_HELP = "NAME, KIND:ARGUMENT or NAME=KIND:ARGUMENT, separated by commas; may be given several times"


def sweep(
    suite: Annotated[str, typer.Argument(help="name of a suite, or the path of a suite file")] = "",
    generators: Annotated[list[str] | None, typer.Option("--generators", "-g", help=GENERATORS_HELP)] = None,
    runs: Annotated[Path, typer.Option(help="folder that holds the runs")] = Path("runs"),
    name: Annotated[str | None, typer.Option(help="name of the new run; default: suite and time")] = None,
    resume: Annotated[str | None, typer.Option(help="name of a run to go on with")] = None,
    reuse: Annotated[str | None, typer.Option(help="take clips from this run instead of making them again")] = None,
    reference: Annotated[Path | None, typer.Option(help="folder of clips that band metrics are judged by")] = None,
    real: Annotated[
        str | None,
        typer.Option(help="real clips that set metrics compare with: a folder, or `backlot` for its shipped set"),
    ] = None,
    set_metric: Annotated[
        list[str] | None, typer.Option("--set-metric", help="also measure this of each generator's clips together")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="with --resume: try clips again that failed or were missing")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many cases")] = None,
    executor: Annotated[
        str | None, typer.Option(help="serial, processes or ray; default: processes, or serial for networks on a GPU")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
    cache: Annotated[Path | None, typer.Option(help="feature cache; default: .cache in the runs folder")] = None,
) -> None:
    """Sweep generators over a suite: make every clip, score it once, store every number, print the leaderboard."""
    with errors():
        from benchmarks.store import StoreError, open_run
        from benchmarks.sweep import Options

        if executor not in {None, "serial", "processes", "ray"}:
            raise StoreError(f"unknown executor {executor!r}: serial, processes or ray")
        options = Options(
            executor=executor,  # type: ignore[arg-type]  # checked above
            workers=workers,
            cache=cache,
            reuse=open_run(runs, reuse) if reuse else None,
            argv=tuple(sys.argv[1:]),
            retry=frozenset({"failed", "missing"}) if retry_failed else frozenset(),
        )
        if resume:
            if generators or suite or name or limit or reference or real or set_metric:
                raise StoreError(
                    "a resumed run keeps its suite, cases, reference, real clips and generators: give --resume alone"
                )
            writer = _again(open_run(runs, resume).folder)
        else:
            additions = Additions(reference, real, tuple(set_metric or ()))
            writer = _new(suite, generators or [], runs, options, name, additions, limit)
        summary = run_with_bar(writer, options)
        if _print(summary):
            raise typer.Exit(FAILURE)


@dataclass(frozen=True, slots=True)
class Additions:
    """What the command line adds to a suite: clips that bands are measured on, real clips, measures of sets."""

    reference: Path | None
    real: str | None
    set_metrics: tuple[str, ...]


def _again(folder: Path) -> RunWriter:
    from benchmarks.store import RunWriter
    from benchmarks.sweep import changed_generators

    writer = RunWriter(folder)
    for changed in changed_generators(writer.manifest):
        say(err(), f"generator {changed!r} has changed since the run began: what is left comes from the changed one")
    return writer


def _new(
    suite_name: str,
    generators: list[str],
    runs: Path,
    options: Options,
    name: str | None,
    additions: Additions,
    limit: int | None,
) -> RunWriter:
    from benchmarks.generator import parse_generators
    from benchmarks.real_clips import real_folder
    from benchmarks.suite import SuiteError, load_suite, suite_path
    from benchmarks.sweep import start, with_cases

    if not suite_name:
        raise SuiteError("which suite? moviegen sweep backlot --generators oracle,noise (moviegen suites lists them)")
    specs = parse_generators(generators)
    suite = _completed(with_cases(load_suite(suite_name), specs, limit), additions)
    folder = suite_path(suite_name).parent
    cases = tuple(suite.expand(folder))
    for spec in specs:  # before the run folder is made: a mistake here should leave nothing behind
        generator = spec.make(cases)
        if hasattr(generator, "report"):
            for line in generator.report(cases):
                say(err(), line)
    return start(suite, specs, runs, options, name, real_folder(additions.real), folder)


def _completed(suite: Suite, additions: Additions) -> Suite:
    from benchmarks.calibrate import suite_metrics, with_reference
    from benchmarks.real_clips import real_model
    from benchmarks.reference_clips import reference_from_folder
    from benchmarks.suite import with_real

    if additions.reference is not None:
        suite = with_reference(suite, reference_from_folder(additions.reference, suite_metrics(suite)))
    if additions.real is not None or additions.set_metrics:
        model = suite.real if additions.real is None else real_model(additions.real)
        suite = with_real(suite, model, additions.set_metrics)
    return suite


def run_with_bar(writer: RunWriter, options: Options) -> Summary:
    """Sweep what is left of a run under a progress bar."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from benchmarks.plain import plain_line
    from benchmarks.sweep import Progress as State
    from benchmarks.sweep import run_sweep

    run = writer.manifest.run
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err()) as bar:
        task = bar.add_task(run, total=writer.manifest.planned_units, rate="")

        def report(state: State) -> None:
            latest = state.latest
            what = state.measuring or ("" if latest is None else f"{latest.generator} · {latest.case}")
            text = plain_line(f"{run}  {what}" if what else run)
            speed = bar.tasks[0].speed
            rate = f"{speed:.1f} clips/s" if speed else ""
            bar.update(task, completed=state.done, description=text[:60], rate=rate)

        try:
            return run_sweep(writer, options, report)
        except KeyboardInterrupt:
            err().print(f"stopped; go on with: moviegen sweep --resume {run}", markup=False)
            raise


def _print(summary: Summary) -> bool:
    """Print the board and what was done; returns whether a generator has answered no case at all."""
    from benchmarks.leaderboard import build_board, render_table
    from benchmarks.store import Run

    console = out()
    render_table(build_board([Run(summary.folder)]), console)
    made = sum(summary.statuses.values())
    rows = ", ".join(f"{count} {status}" for status, count in sorted(summary.rows.items()))
    done = f"{made} clips now, {summary.resumed} earlier, in {summary.seconds:.0f} s"
    work = f"decoded {summary.decodes} clips, computed {summary.features} features"
    if summary.sets:
        work += f", measured {summary.sets} sets"
    console.print()
    say(console, f"run {summary.run}: {done}; rows: {rows or 'none'}; {work}")
    for status in ("failed", "missing"):
        if summary.statuses[status]:
            say(console, f"{status} clips: {summary.statuses[status]} (moviegen runs {summary.run} says why)")
    clips = Run(summary.folder).clips()
    answered = clips["status"].eq("ok").groupby(clips["generator"]).any()
    silent = [str(name) for name in answered.index[~answered]]
    for name in silent:
        say(err(), f"error: {name} has answered no case: moviegen runs {summary.run} says why")
    return bool(silent)
