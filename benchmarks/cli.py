"""`moviegen`: the command line. Commands live in `benchmarks/commands/` and import heavy parts only when they run."""

from __future__ import annotations

import sys

import typer

from benchmarks.commands import (
    arena,
    audit,
    catalogue,
    deepfake,
    export,
    generate,
    marks,
    provenance,
    results,
    score,
    submit,
    sweep,
    train,
    watermark,
    weights,
)

app = typer.Typer(
    name="moviegen",
    help="Evaluation and safety benchmarks for video generators that make picture and sound.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("sweep")(sweep.sweep)
app.command("score")(score.score)
app.command("leaderboard")(results.leaderboard)
app.command("compare")(results.compare)
app.add_typer(audit.audit, name="audit")
audit.audit.command("provenance")(provenance.provenance)
audit.audit.command("watermark")(watermark.watermark)
audit.audit.command("deepfake")(deepfake.deepfake)
app.add_typer(provenance.keys, name="keys")
app.add_typer(export.export, name="export")
app.add_typer(arena.arena, name="arena")
app.command("runs")(results.runs)
app.add_typer(submit.submit, name="submit")
app.command("dashboard")(results.dashboard)
app.command("generate")(generate.generate)
app.add_typer(marks.marks, name="marks")
app.add_typer(train.train, name="train")
app.command("metrics")(catalogue.metrics)
app.add_typer(catalogue.suites, name="suites")
app.add_typer(catalogue.generators, name="generators")
app.add_typer(weights.weights, name="weights")
app.command("doctor")(catalogue.doctor)


def main() -> None:
    """The console script. Exit status: 0 well, 2 the user's mistake, 1 a failure, 130 interrupted."""
    # A closed pipe (`moviegen metrics | head`) is no error of the user's.
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
