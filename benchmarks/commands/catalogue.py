"""`moviegen metrics`, `suites`, `generators`, `doctor`: what there is, and whether it works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import FAILURE, err, errors, out, say, table

if TYPE_CHECKING:
    from benchmarks.metric_list import Listed

WIDTH = 120

suites = typer.Typer(help="List, check, import and calibrate suites.", no_args_is_help=True, rich_markup_mode=None)
generators = typer.Typer(help="List generators, or try one.", no_args_is_help=True, rich_markup_mode=None)

JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")]


def metrics(
    name: Annotated[str, typer.Argument(help="a metric to explain; default: list all")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the metrics of clips and of sets, or explain one: range, direction, licence, source, and blind spots."""
    with errors():
        from benchmarks.metric_list import every_metric, find_metric, metric_document

        chosen = [find_metric(name)] if name else every_metric()
        if as_json:
            typer.echo(json.dumps([metric_document(one) for one in chosen], indent=2))
        elif name:
            _explain(chosen[0])
        else:
            _list(chosen)


def _explain(one: Listed) -> None:
    about = "all clips of a generator together" if one.kind == "set" else "each clip"
    licences = [f"{encoder} (licence: {licence})" for encoder, licence in one.encoders.items()]
    typer.echo(f"{one.name} v{one.version} ({one.family}, of {about}): {one.summary}")
    typer.echo(f"range {one.range}; direction: {one.direction}; encoder: {', '.join(licences) or 'none'}")
    typer.echo(f"cannot see: {one.blind_spots}\nsource: {one.source}")


def _list(metrics: Sequence[Listed]) -> None:
    """One table, a heading for each family; at most 120 columns, and plain text where nobody is looking."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("metric", no_wrap=True)
    for heading, width in (("better", 6), ("range", 15), ("encoder", 16), ("licence", 15)):
        shown.add_column(heading, overflow="fold", max_width=width)
    shown.add_column("source", overflow="fold")
    family = ""
    for one in metrics:
        if one.family != family:
            family = one.family
            shown.add_row(f"\n{family}{' (all clips together)' if one.kind == 'set' else ''}", style="bold")
        encoders, licences = ("\n".join(texts) for texts in (one.encoders, one.encoders.values()))
        shown.add_row(one.name, one.direction, one.range, encoders or "none", licences or "–", one.source)
    console = out()
    wide = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    wide.print(shown, width=min(WIDTH, wide.width))


@suites.command("list")
def list_suites() -> None:
    """The suites that come with the project."""
    with errors():
        from benchmarks.suite import load_suite, suite_names

        loaded = [load_suite(name) for name in suite_names()]
        table(
            ("suite", "cases", "metrics", "hash", "what for"),
            [
                (f"{s.name} v{s.version}", str(len(s.cases)), str(len(s.metrics)), s.sha256[:12], s.description)
                for s in loaded
            ],
        )


@suites.command("check")
def check_suite(suite: Annotated[str, typer.Argument(help="name or path")]) -> None:
    """Validate a suite and name every mistake with its place."""
    with errors():
        from benchmarks.suite import load_suite

        loaded = load_suite(suite)
        size = f"{len(loaded.cases)} cases, {len(loaded.metrics)} metrics"
        typer.echo(f"{loaded.name} v{loaded.version}: {size}, {loaded.sha256}")


@suites.command("import")
def import_suite(
    prompts: Annotated[Path, typer.Argument(help="a prompt list: Movie Gen Bench .txt, .csv, .jsonl; VBench .json")],
    output: Annotated[Path, typer.Option("--output", "-o", help="suite file to write")],
    like: Annotated[str, typer.Option(help="suite whose metrics and weights to take")] = "footage",
) -> None:
    """Make a suite from a prompt list; tags are kept, prompts that occur twice are reported."""
    with errors():
        from benchmarks.prompts.read import read_prompts
        from benchmarks.suite import load_suite, write_suite

        found = read_prompts(prompts)
        for twice in found.duplicates:
            say(err(), f"item {twice.again} repeats item {twice.first}: {twice.prompt[:60]}")
        name = "".join(c if c.isalnum() else "-" for c in output.stem.lower()).strip("-")[:40] or "imported"
        parts = {"name": name, "version": 1, "description": f"prompts of {prompts.name}", "cases": found.cases}
        write_suite(load_suite(like).model_copy(update=parts), output)
        typer.echo(f"wrote {output}: {len(found.cases)} cases, {len(found.duplicates)} duplicated prompts left out")


@suites.command("calibrate")
def calibrate_suite(
    suite: Annotated[Path, typer.Argument(help="suite file; its reference is written beside it")],
    clips: Annotated[Path | None, typer.Option(help="folder of good clips; default: fresh Backlot scenes")] = None,
    count: Annotated[int, typer.Option(min=8, help="how many Backlot scenes")] = 256,
) -> None:
    """Measure where good clips lie on the band metrics, and store it with the suite."""
    with errors():
        from benchmarks.calibrate import suite_metrics
        from benchmarks.reference_clips import reference_from_backlot, reference_from_folder
        from benchmarks.suite import load_suite, write_reference

        loaded = load_suite(str(suite))
        chosen = suite_metrics(loaded)
        reference = reference_from_folder(clips, chosen) if clips else reference_from_backlot(loaded, chosen, count)
        path = write_reference(reference, suite)
        typer.echo(f"wrote {path}: {len(reference.quantiles)} bands from {reference.clips} clips")


@generators.command("list")
def list_generators() -> None:
    """The kinds of generators."""
    with errors():
        from benchmarks.generator import KINDS

        rows = [(f"{k.name}:{k.argument.upper()}" if k.argument else k.name, k.bracket or "", k.summary) for k in KINDS]
        table(("generator", "bracket", "what it is"), rows)


@generators.command("check")
def check_generator(
    generator: Annotated[str, typer.Argument(help="as for sweep --generators")],
    suite: Annotated[str, typer.Option(help="suite to take the case from")] = "smoke",
) -> None:
    """Try one case: set the generator up, make a clip, read it back, score it."""
    with errors():
        from benchmarks.trial import try_generator

        trial = try_generator(generator, suite)
        for line in trial.lines:
            say(out(), line)
        if not trial.well:
            raise typer.Exit(FAILURE)


def doctor() -> None:
    """Examine the installation, and say what to do about what is wrong."""
    with errors():
        from benchmarks.doctor import examine

        checks = list(examine())
        for check in checks:
            say(out(), f"{check.state:8} {check.text}")
        if any(check.state == "problem" for check in checks):
            raise typer.Exit(FAILURE)
