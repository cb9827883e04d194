"""`moviegen submit`: runs that travel from one place to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.shell import err, errors, out, say

submit = typer.Typer(
    help="Pack a run for others, or check and import one made elsewhere.", no_args_is_help=True, rich_markup_mode=None
)

RunsOption = Annotated[Path, typer.Option(help="folder that holds the runs")]


@submit.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="a zip or tar of a run folder, or a folder")],
    runs: RunsOption = Path("runs"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="check only; import nothing")] = False,
    who: Annotated[str, typer.Option(help="who made it, where the file does not say")] = "",
    name: Annotated[str, typer.Option(help="keep it under this name; default: its own")] = "",
    any_suite: Annotated[
        bool, typer.Option("--any-suite", help="also take a suite that differs from the shipped one of its name")
    ] = False,
    max_gib: Annotated[float, typer.Option(min=0.001, max=100_000, help="most that is unpacked, in GiB")] = 128,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
) -> None:
    """Check schema, hashes, suite and coverage of a run made elsewhere, and import it, marked as such.

    What does not match is refused, one line for each mistake, and nothing is kept.
    """
    with errors():
        import benchmarks.submission.submit as submission
        from benchmarks.submission.unpack import Limits

        found = submission.check(
            file,
            runs,
            who=who,
            name=name,
            keep=not dry_run,
            any_suite=any_suite,
            limits=Limits(total_bytes=int(max_gib * 2**30)),
        )
        if as_json:
            typer.echo(submission.imported_json(found))
            return
        console = out()
        for remark in found.remarks:
            say(console, f"note: {remark}")
        by = f" by {found.who}" if found.who else ""
        kept = "it would be imported" if found.folder is None else f"imported as {found.folder}"
        say(console, f"run {found.run}{by} is in order: {kept}")


@submit.command("pack")
def pack(
    run: Annotated[str, typer.Argument(help="name of a run")],
    who: Annotated[str, typer.Option(help="who made it: a team or a person, as others should see it")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="zip to write; default: RUN.zip")] = None,
    runs: RunsOption = Path("runs"),
) -> None:
    """Write a run with its clips into one file that `submit check` takes elsewhere."""
    with errors():
        import benchmarks.submission.submit as submission
        from benchmarks.store import open_run

        stored = open_run(runs, run)
        target = output or Path(f"{stored.id}.zip")
        files = submission.pack(stored, target, who)
        say(err(), f"wrote {target}: {files:,} files, {target.stat().st_size / 1e6:,.1f} MB")
