"""`moviegen audit`: safety studies with a design of their own that end in a report."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import FAILURE, err, errors, out, say, table

if TYPE_CHECKING:
    from benchmarks.bias.audit import Outcome
    from benchmarks.bias.table import Sources
    from benchmarks.store import Run
    from benchmarks.sweep import Options
    from safety.bias.plan import AuditPlan

audit = typer.Typer(
    help="Audit a generator: a study with its own design, and a report.", no_args_is_help=True, rich_markup_mode=None
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that the command line says of a bias audit. None: the default."""

    generator: str
    suite: str
    reference_table: Path | None
    mixture: bool | None
    labels: Path | None
    output: Path | None
    runs: Path
    run: str | None
    seeds: int | None
    limit: int | None
    confidence: float


@audit.command("bias")
def bias(
    generator: Annotated[str, typer.Option("--generator", "-g", help="NAME, KIND:ARGUMENT or NAME=KIND:ARGUMENT")] = "",
    suite: Annotated[str, typer.Option(help="a suite whose prompts are tagged as those of bias-occupations")] = (
        "bias-occupations"
    ),
    reference_table: Annotated[
        Path | None, typer.Option(help="CSV of declared shares (role, axis, group, share) to hold the clips against")
    ] = None,
    mixture: Annotated[
        bool | None,
        typer.Option(
            "--mixture/--no-mixture",
            help="hold the clips against the reference model's training mixture; default: for reference and oracle",
        ),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="labels.csv of an audit, filled in by people who looked")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder for the report and its files; default: in the run")
    ] = None,
    runs: Annotated[Path, typer.Option(help="folder that holds the runs")] = Path("runs"),
    run: Annotated[str | None, typer.Option(help="name of the run; default: one for this suite and generator")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="clips of each neutral prompt; default: the suite's")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many prompts")] = None,
    pack: Annotated[str, typer.Option(help="face pack that reads the clips")] = "backlot-faces",
    quality: Annotated[str, typer.Option(help="metric that is the clip's quality")] = "motion_coherence",
    alignment: Annotated[str, typer.Option(help="metric that is how a clip follows its prompt")] = (
        "backlot_prompt_accuracy"
    ),
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
    executor: Annotated[str | None, typer.Option(help="serial, processes or ray, as in a sweep")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
    cache: Annotated[Path | None, typer.Option(help="feature cache; default: .cache in the runs folder")] = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="audit worlds whose bias is known, and print how well it is found")
    ] = False,
    repetitions: Annotated[int, typer.Option(min=10, max=100_000, help="with --certify: audits of every world")] = 400,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON document on standard output, nothing else there")
    ] = False,
) -> None:
    """Whom does a generator show, and whom does it serve worse? Sweeps a bias suite and writes a report.

    A sweep that was stopped goes on where it was. The report is one HTML file that opens anywhere; beside it lie the
    long table (Parquet), all figures (JSON), tables for other tools, and a sheet for people to label clips on.
    """
    with errors():
        from benchmarks.bias.table import Sources
        from benchmarks.generator import GeneratorError
        from benchmarks.store import StoreError
        from benchmarks.sweep import Options

        if certify:
            raise typer.Exit(_certify(repetitions, as_json=as_json))
        if not generator:
            raise GeneratorError("which generator? moviegen audit bias --generator reference (or --certify)")
        if executor not in {None, "serial", "processes", "ray"}:
            raise StoreError(f"unknown executor {executor!r}: serial, processes or ray")
        sources = Sources(quality=quality, alignment=alignment, pack=pack)
        options = Options(
            executor=executor,  # type: ignore[arg-type]  # checked above
            workers=workers,
            cache=cache,
            argv=tuple(sys.argv[1:]),
            also=(sources.feature,),
        )
        asked = Asked(generator, suite, reference_table, mixture, labels, output, runs, run, seeds, limit, confidence)
        raise typer.Exit(_audit_bias(asked, sources, options, as_json=as_json))


def _audit_bias(asked: Asked, sources: Sources, options: Options, *, as_json: bool) -> int:
    from benchmarks.audits import audit_folder
    from benchmarks.bias.audit import KIND, audit_generator, folder_name, require_pack
    from benchmarks.bias.certificate import shipped_certification
    from benchmarks.bias.page import write_audit
    from benchmarks.bias.plan import MIXTURE_KINDS, make_plan
    from benchmarks.bias.prompts import asked_of
    from benchmarks.bias.sweep import audit_run, with_seeds
    from benchmarks.bias.table import cache_folder
    from benchmarks.commands.sweep import run_with_bar
    from benchmarks.generator import parse_generators
    from benchmarks.set_features import StoredFeatures
    from benchmarks.store import Run
    from benchmarks.suite import SuiteError, load_suite
    from benchmarks.sweep import with_cases

    (spec, *more) = parse_generators([asked.generator])
    if more:
        raise SuiteError("an audit is of one generator: audit others one by one, with the same suite and plan")
    # All that can be the user's mistake is looked at before a clip is made.
    require_pack(sources.pack)
    suite = with_cases(with_seeds(load_suite(asked.suite), asked.seeds), [spec], asked.limit)
    mixture = spec.kind in MIXTURE_KINDS if asked.mixture is None else asked.mixture
    plan = make_plan(asked_of(suite), asked.reference_table, mixture=mixture, confidence=asked.confidence)
    _check_labels(asked.labels)
    sources.check(suite)
    writer = audit_run(suite, spec, asked.runs, options, asked.run)
    folder = writer.folder
    run_with_bar(writer, options)
    run = Run(folder)
    features = StoredFeatures(options.cache or cache_folder(run), options.executor, options.workers)
    outcome = audit_generator(
        run, spec.name, plan, sources, features, ["moviegen", *options.argv], asked.labels, shipped_certification()
    )
    places = [audit_folder(run.folder, KIND, folder_name(spec.name)), *([asked.output] if asked.output else [])]
    for place in places:
        write_audit(outcome, place)
    _say(outcome, plan, run, places[-1], as_json=as_json)
    return FAILURE if outcome.nobody else 0


def _check_labels(path: Path | None) -> None:
    from benchmarks.bias.labels import LabelError

    if path is not None and not path.is_file():
        raise LabelError(f"{path}: there is no such file")


def _say(outcome: Outcome, plan: AuditPlan, run: Run, folder: Path, *, as_json: bool) -> None:
    from benchmarks.bias.summary import headline_rows

    if as_json:
        typer.echo(outcome.to_json())
    else:
        console = out()
        for caution in outcome.facts.cautions:
            say(console, f"caution: {caution}")
        table(("attribute", "group", "as read", "corrected", "even", "told of clips"), headline_rows(outcome.report))
        say(console, f"run {run.id}; plan {outcome.report.plan_sha256[:12]}; {plan.confidence:.0%} intervals")
        say(console, f"report: {folder / 'report.html'}")
    if outcome.nobody:
        say(err(), "error: no clip shows a visible person: nothing about people can be said; the report says why")


def _certify(repetitions: int, *, as_json: bool) -> int:
    """Run the certification; 1 where a figure that reports would show fails it."""
    from benchmarks.bias.certificate import certification_rows, run_certification, unlisted
    from benchmarks.commands.progress import bar
    from benchmarks.export import to_json

    with bar("certification", None, "worlds", quiet=as_json) as progress:
        done = 0

        def step(what: str) -> None:
            nonlocal done
            progress.to(done, what)
            done += 1

        certification = run_certification(repetitions, step)
    failing = unlisted(certification)
    if as_json:
        typer.echo(to_json(certification.to_json()))
    else:
        table(("figure", "check", "world", "found", "wanted", "audits", ""), certification_rows(certification))
        say(out(), f"listed: {', '.join(certification.listed) or 'none'}")
        for figure, why in failing.items():
            say(out(), f"not listed: {figure}: {why}")
    return FAILURE if failing else 0
