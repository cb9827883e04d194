"""`moviegen export`: a run in other tools' formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.shell import err, errors, say

export = typer.Typer(help="Write a run in another tool's format.", no_args_is_help=True, rich_markup_mode=None)


@export.command("vbench")
def export_vbench(
    run: Annotated[str, typer.Argument(help="name of a run, such as one of suite vbench-custom")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSON file to write; - for standard output")],
    generator: Annotated[
        str, typer.Option("--generator", "-g", help="whose clips; not needed where the run has one")
    ] = "",
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="also give dimensions that some clips lack, over the others")
    ] = False,
    runs: Annotated[Path, typer.Option(help="folder that holds the runs")] = Path("runs"),
) -> None:
    """Write VBench's result file: every dimension with its mean over clips, each clip counting alike.

    A dimension that some clip has no value for is left out, and named on standard error; it is never 0.
    """
    with errors():
        from benchmarks.commands.results import write_text
        from benchmarks.export import to_json
        from benchmarks.store import open_run
        from benchmarks.vbench_export import vbench_results

        found = vbench_results(open_run(runs, run), generator, incomplete=incomplete)
        for remark in found.remarks:
            say(err(), remark)
        write_text(output, to_json(found.results) + "\n")
