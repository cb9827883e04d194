"""`moviegen audit watermark`: how well a mark survives, what it costs, how often it lies."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import errors, out, say, table

if TYPE_CHECKING:
    from benchmarks.executors import ExecutorName
    from benchmarks.watermark.audit import Outcome
    from benchmarks.watermark.choose import Choice


@dataclass(frozen=True, slots=True)
class How:
    """How to run, as opposed to what: nothing here changes a figure but for seconds."""

    runs: Path
    run: str | None
    output: Path | None
    executor: ExecutorName
    workers: int | None
    cache: Path | None
    as_json: bool


def watermark(
    mark: Annotated[
        list[str] | None, typer.Option("--mark", "-m", help="marks, with commas; torchscript:FOLDER for your own")
    ] = None,
    clips: Annotated[Path | None, typer.Option("--clips", help="folder of clips to mark")] = None,
    generator: Annotated[
        str, typer.Option("--generator", "-g", help="instead: a generator that makes them (NAME or KIND:ARGUMENT)")
    ] = "",
    suite: Annotated[str, typer.Option(help="with --generator: the suite whose prompts it answers")] = "smoke",
    attacks: Annotated[
        str, typer.Option(help="all, none, families, or names, with commas; NAME=30+40 for strengths of your own")
    ] = "",
    quick: Annotated[bool, typer.Option("--quick", help="a few attacks on short, small clips: minutes")] = False,
    negatives: Annotated[
        Path | None, typer.Option(help="folder of further clips without a mark, for false alarms")
    ] = None,
    backlot: Annotated[
        int | None, typer.Option(min=0, help="unmarked scenes rendered for false alarms; default: 300, 40 if quick")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="repetitions with other messages, keys and attacks")] = 1,
    messages: Annotated[
        str, typer.Option(help="a fresh message for each clip (shared by its attacks) or for each trial: clip or trial")
    ] = "clip",
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many files, or prompts")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="frames of each clip; default: 96, 16 if quick")] = None,
    side: Annotated[
        int | None, typer.Option(min=16, help="longest shorter side in pixels; default: as it is, 256 if quick")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="queries that a forger may ask the detector")] = None,
    tax: Annotated[bool, typer.Option("--tax/--no-tax", help="also score marked and unmarked twins")] = True,
    vmaf: Annotated[
        bool, typer.Option("--vmaf", help="also VMAF of marked clips, by the vmaf program you have")
    ] = False,
    lpips: Annotated[
        Path | None, typer.Option(help="also LPIPS of marked clips, by this TorchScript program of two pictures")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder for the report and its files; default: in the run")
    ] = None,
    runs: Annotated[Path, typer.Option(help="folder that holds the runs")] = Path("runs"),
    run: Annotated[str | None, typer.Option(help="name of the run; default: one for these clips and this plan")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
    executor: Annotated[str, typer.Option(help="serial, processes or ray")] = "processes",
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
    cache: Annotated[Path | None, typer.Option(help="feature cache; default: .cache in the runs folder")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document on standard output, nothing else there")
    ] = False,
) -> None:
    """How well does a mark survive, what does it cost, and how often does it lie? Attacks clips and writes a report.

    An audit that was stopped goes on where it was. The report is one HTML file that opens anywhere; beside it lie all
    trials (Parquet) and all figures (JSON).
    """
    with errors():
        from benchmarks.watermark.choose import Choice
        from safety.watermark.borrowed_quality import Borrowed
        from safety.watermark.plan import WatermarkError

        if executor not in {"serial", "processes", "ray"}:
            raise WatermarkError(f"unknown executor {executor!r}: serial, processes or ray")
        choice = Choice(
            marks=tuple(name.strip() for text in mark or ["learned"] for name in text.split(",") if name.strip()),
            clips=clips,
            generator=generator,
            suite=suite,
            attacks=attacks,
            quick=quick,
            negatives=negatives,
            backlot=backlot,
            seeds=seeds,
            messages=messages,
            limit=limit,
            frames=frames,
            side=side,
            budget=budget,
            tax=tax,
            borrowed=Borrowed(vmaf, lpips),
            confidence=confidence,
        )
        how = How(runs, run, output, executor, workers, cache, as_json)  # type: ignore[arg-type]  # checked above
        _audit(choice, how)


def _audit(choice: Choice, how: How) -> None:
    from benchmarks.audits import audit_folder
    from benchmarks.commands.progress import bar
    from benchmarks.commands.sweep import run_with_bar
    from benchmarks.store import Run
    from benchmarks.sweep import CACHE, Options
    from benchmarks.watermark.audit import KIND, audit_name, conclude, run_trials, trial_count, write_outcome
    from benchmarks.watermark.choose import check, make_setup, run_folder, sweep_writer
    from benchmarks.watermark.trial_store import TrialStore

    started = datetime.now(UTC)
    check(choice)  # all that can be the user's mistake, before a clip is made
    cache = how.cache or how.runs / CACHE
    swept = None
    if choice.generator:
        options = Options(executor=None, workers=how.workers, cache=cache, argv=tuple(sys.argv[1:]))
        writer = sweep_writer(choice, how.runs, options, how.run)
        folder = writer.folder
        run_with_bar(writer, options)
        swept = Run(folder)
    setup, notes = make_setup(choice, swept, cache)
    folder = swept.folder if swept is not None else run_folder(how.runs, how.run, choice, setup.plan)
    place = audit_folder(folder, KIND, audit_name(setup.plan))
    if how.output is not None:
        how.output.mkdir(parents=True, exist_ok=True)  # now, and not after the work, if it cannot be
    with TrialStore(place, setup.plan) as store:
        with bar("watermark", trial_count(setup), "trials", quiet=how.as_json) as progress:
            run_trials(store, setup, how.executor, how.workers, progress.to)
        tables = store.tables()
        outcome = conclude(setup.plan, tables, choice.title, started, sys.argv[1:], notes)
        for target in (place, *([how.output] if how.output else [])):
            write_outcome(outcome, target)
    _say(outcome, how.output or place, as_json=how.as_json)


def _say(outcome: Outcome, folder: Path, *, as_json: bool) -> None:
    from safety.watermark.findings import findings, headline_rows

    if as_json:
        typer.echo(outcome.to_json())
        return
    headings, rows = headline_rows(outcome.figures)
    table(headings, rows)
    for line in findings(outcome.plan, outcome.figures):
        say(out(), line)
    say(out(), f"plan {outcome.plan.sha256[:12]}; {outcome.figures.trials} trials")
    say(out(), f"report: {folder / 'report.html'}")
