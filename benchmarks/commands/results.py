"""`moviegen leaderboard`, `compare`, `runs`, `dashboard`: what was stored, shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands.shell import errors, out, say

if TYPE_CHECKING:
    from benchmarks.store import Run

RunsOption = Annotated[Path, typer.Option(help="folder that holds the runs")]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")]


def _latest_or(runs: Path, names: Sequence[str]) -> list[Run]:
    from benchmarks.store import StoreError, list_runs, open_run

    if names:
        return [open_run(runs, name) for name in names]
    stored = list_runs(runs)
    if not stored:
        raise StoreError(f"no runs in {runs}: make one with `moviegen sweep backlot -g oracle,noise`")
    return stored[:1]


def leaderboard(
    run: Annotated[list[str] | None, typer.Argument(help="runs of one suite; default: the newest")] = None,
    runs: RunsOption = Path("runs"),
    as_json: JsonOption = False,
    csv: Annotated[Path | None, typer.Option(help="write the table as CSV; - for standard output")] = None,
    html: Annotated[Path | None, typer.Option(help="write one self-contained page; - for standard output")] = None,
    draws: Annotated[int, typer.Option(min=100, max=100_000, help="bootstrap draws")] = 2000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
) -> None:
    """Rank the generators of one or more runs, every number with its interval."""
    with errors():
        from benchmarks.leaderboard import build_board, render_table

        board = build_board(_latest_or(runs, run or []), draws=draws, confidence=confidence)
        if as_json:
            typer.echo(board.to_json())
            return
        for target, text in ((csv, board.to_csv), (html, board.to_html)):
            if target is not None:
                write_text(target, text())
        if csv is None and html is None:
            render_table(board, out())


def write_text(target: Path, text: str) -> None:
    """Write a document, or print it where the target is `-`. Raises StoreError for a folder."""
    from benchmarks.store import StoreError
    from eval.cache import write_atomically

    if target.is_dir():
        raise StoreError(f"{target} is a folder: name a file to write")
    if str(target) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(target, text.encode())
        typer.echo(f"wrote {target}", err=True)


def compare(
    run: Annotated[str, typer.Argument(help="name of a run")],
    a: Annotated[str, typer.Argument(help="a generator of the run")],
    b: Annotated[str, typer.Argument(help="another one")],
    runs: RunsOption = Path("runs"),
    as_json: JsonOption = False,
    draws: Annotated[int, typer.Option(min=100, max=100_000, help="bootstrap draws")] = 2000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the intervals")] = 0.95,
) -> None:
    """Compare two generators of a run, paired case by case."""
    with errors():
        import benchmarks.compare as paired
        from benchmarks.store import open_run

        comparison = paired.compare(open_run(runs, run), a, b, draws=draws, confidence=confidence)
        if as_json:
            typer.echo(comparison.to_json())
        else:
            paired.render_comparison(comparison, out())


def runs(
    run: Annotated[str, typer.Argument(help="a run to show in full; default: list all")] = "",
    runs: RunsOption = Path("runs"),
) -> None:
    """List the stored runs, or show one: what was planned, what was done, what failed and why."""
    with errors():
        from benchmarks.store import list_runs, open_run

        console = out()
        if run:
            _show(open_run(runs, run))
            return
        for stored in list_runs(runs):
            manifest = stored.manifest
            names = ", ".join(generator.name for generator in manifest.generators)
            line = f"{stored.id}  {manifest.suite_name} v{manifest.suite_version}  {manifest.status}  {names}"
            say(console, line)


def _show(run: Run) -> None:
    console, manifest = out(), run.manifest
    console.print(
        f"{run.id}: suite {manifest.suite_name} v{manifest.suite_version} {manifest.suite_hash[:12]}", markup=False
    )
    console.print(
        f"made {manifest.created:%Y-%m-%d %H:%M} UTC with version {manifest.code.version} {manifest.code.commit[:12]}"
    )
    clips = run.clips()
    console.print(f"{manifest.status}: {len(clips)} of {manifest.planned_units} units stored")
    if manifest.status == "partial":
        say(console, f"go on with: moviegen sweep --resume {run.id}")
    broken = clips[clips["status"] != "ok"]
    for (generator, status, reason), group in broken.groupby(["generator", "status", "reason"]):
        say(console, f"{status}: {generator}: {len(group)} clips: {reason}")


def dashboard(
    runs: RunsOption = Path("runs"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    allow_remote: Annotated[bool, typer.Option(help="needed for any address but this machine's own")] = False,
) -> None:
    """Serve the leaderboard in the browser, on this machine only unless told otherwise."""
    with errors():
        # The command line is on the floor below the dashboard: it finds it by name, as it would any plug-in.
        from importlib import import_module

        import_module("dashboards.serve").serve(runs, host=host, port=port, allow_remote=allow_remote)
