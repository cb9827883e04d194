"""`moviegen arena`: what raters said, out of the votes file and into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import errors, out, say, table

if TYPE_CHECKING:
    from benchmarks.arena.results import AxisResult
    from benchmarks.estimates import Interval

arena = typer.Typer(
    help="Votes of people who saw two clips without knowing whose. Vote in `moviegen dashboard`, page Arena.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
RunsOption = Annotated[Path, typer.Option(help="folder that holds the runs and votes.sqlite")]
MOST_METRICS = 12


@arena.command("results")
def results(
    run: Annotated[str, typer.Argument(help="name of a run")],
    axis: Annotated[list[str] | None, typer.Option(help="an axis, such as realness; default: all with votes")] = None,
    runs: RunsOption = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")] = False,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
) -> None:
    """Say who is preferred, how surely, how far raters agree, and which metrics foresee their votes."""
    with errors():
        from dataclasses import replace

        from benchmarks.arena.axes import find_axis
        from benchmarks.arena.results import arena_results
        from benchmarks.store import open_run

        wanted = [find_axis(name) for name in axis or []]
        found = arena_results(open_run(runs, run), confidence=confidence)
        if wanted:
            found = replace(found, axes=tuple(result for result in found.axes if result.axis in wanted))
        if as_json:
            typer.echo(found.to_json())
            return
        console = out()
        for note in found.notes:
            say(console, note)
        if not found.axes:
            say(console, f"no votes on {run} yet: moviegen dashboard --runs {runs}, page Arena")
        for result in found.axes:
            _show(result)


def _show(result: AxisResult) -> None:
    from benchmarks.arena.results import sentences

    console = out()
    say(console, "")
    say(console, f"{result.axis.label}: {result.axis.question}", "bold")
    for line in sentences(result):
        say(console, line)
    table(
        ("rank", "generator", "strength", "chance against average", "votes", "cases", ""),
        [
            (
                "–" if row.rank is None else "–".join(dict.fromkeys(map(str, row.rank))),
                row.generator,
                _told(row.strength, "+.2f"),
                _told(row.chance, ".0%"),
                str(row.votes),
                str(row.cases),
                row.reason,
            )
            for row in result.strengths
        ],
    )
    table(
        ("a", "b", "net win rate", "p (adjusted)", "wins", "ties", "losses"),
        [
            (
                row.a,
                row.b,
                _told(row.net, "+.0%"),
                "–" if row.p_adjusted is None else f"{row.p_adjusted:.3f}",
                *map(str, (row.wins, row.ties, row.losses)),
            )
            for row in result.net_wins
        ],
    )
    foreseen = [row for row in result.predictions if row.accuracy.value is not None]
    table(
        ("metric", "foresees", "p (adjusted)", "comparisons"),
        [
            (row.metric, _told(row.accuracy, ".0%"), f"{row.p_adjusted:.3f}", str(row.items))
            for row in foreseen[:MOST_METRICS]
        ],
    )
    if len(foreseen) > MOST_METRICS:
        say(console, f"and {len(foreseen) - MOST_METRICS} metrics that foresee less: --json has them all")


def _told(interval: Interval, form: str) -> str:
    if interval.value is None:
        return "–"
    if interval.low is None or interval.high is None:
        return format(interval.value, form)
    return f"{format(interval.value, form)} [{format(interval.low, form)}, {format(interval.high, form)}]"


@arena.command("export")
def export(
    run: Annotated[str, typer.Argument(help="name of a run")],
    csv: Annotated[Path | None, typer.Option(help="write the votes as CSV; - for standard output")] = None,
    parquet: Annotated[Path | None, typer.Option(help="write the votes as Parquet")] = None,
    runs: RunsOption = Path("runs"),
) -> None:
    """Write a run's votes, one row per vote."""
    with errors():
        from benchmarks.arena.files import votes_csv, votes_parquet
        from benchmarks.arena.votes import FILE, VoteBox, VotesError
        from benchmarks.commands.results import write_text
        from benchmarks.store import open_run
        from eval.cache import write_atomically

        if csv is None and parquet is None:
            raise VotesError("nothing to write: give --csv FILE, --parquet FILE or both")
        votes = VoteBox(runs / FILE).votes(open_run(runs, run).id)
        if csv is not None:
            write_text(csv, votes_csv(votes))
        if parquet is not None:
            if parquet.is_dir():
                raise VotesError(f"{parquet} is a folder: name a file to write")
            write_atomically(parquet, votes_parquet(votes))
            typer.echo(f"wrote {parquet}", err=True)


@arena.command("import")
def take_in(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet as `moviegen arena export` writes it")],
    runs: RunsOption = Path("runs"),
) -> None:
    """Add votes cast elsewhere on the same clips, all or none; votes that are here already are passed over."""
    with errors():
        from benchmarks.arena.files import import_votes

        added, known = import_votes(file, runs)
        say(out(), f"{added} votes added, {known} were here already")
