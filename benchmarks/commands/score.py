"""`moviegen score`."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.shell import FAILURE, err, errors, out, table

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.clip_files import TableRow
    from benchmarks.scoring import ScoredClip
    from benchmarks.set_rows import SetRow
    from benchmarks.suite import Suite
    from eval.metric import MetricSpec

MARKS = {"failed": ("✗", "bold red"), "warning": ("!", "yellow"), "note": ("·", "dim")}


def score(
    clips: Annotated[list[Path], typer.Argument(help="folders and files", show_default=False)],
    suite: Annotated[str, typer.Option(help="suite whose metrics to use")] = "footage",
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "--metrics", "-m", help="only these metrics, and set metrics")
    ] = None,
    real: Annotated[
        str | None,
        typer.Option(help="real clips that set metrics compare with: a folder, or `backlot` for its shipped set"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")] = False,
    reference: Annotated[
        Path | None, typer.Option(help="folder of good clips: also say how close each value is")
    ] = None,
    cache: Annotated[Path, typer.Option(help="feature cache")] = Path("runs/.cache"),
    no_cache: Annotated[bool, typer.Option("--no-cache", help="neither read nor write the cache")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
) -> None:
    """Score clips that exist already, and say plainly what is wrong with them.

    Prompts come from a table beside them (clips.csv, .jsonl or .parquet with columns file and prompt), if there is one;
    with a column portrait, a picture of the person asked for, the identity metrics apply (--suite identity).
    Set metrics (fvd, backlot_precision, ...) measure all the clips together, against the real clips.
    """
    with errors():
        from benchmarks.calibrate import suite_metrics, with_reference
        from benchmarks.reference_clips import reference_from_folder
        from benchmarks.scoring import Setup
        from benchmarks.sets import set_features
        from benchmarks.suite import load_suite

        chosen = load_suite(suite)
        if reference is not None:
            chosen = with_reference(chosen, reference_from_folder(reference, suite_metrics(chosen)))
        names, chosen = _wanted(chosen, metric or [], real)
        found = _collect(clips)
        prompts = {path: row.prompt for path, row in found.items()}
        with _cache_folder(None if no_cache else cache, needed=bool(chosen.set_metrics)) as folder:
            portraits = {path: row.portraits for path, row in found.items()}
            setup = Setup(names, folder, chosen.asked.asked(), prompts, set_features(chosen), portraits)
            scored = _score_all(list(found), setup, workers)
            sets = [] if folder is None else _measured(scored, found, chosen, real, folder, workers)
        if as_json:
            document = {"clips": [_document(clip) for clip in scored], "sets": [_set_document(row) for row in sets]}
            typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
        else:
            for clip in scored:
                _show(clip, chosen, out())
            _show_sets(sets)
            _sum_up(scored, out())
        if scored and all(clip.info is None for clip in scored):
            raise typer.Exit(FAILURE)


def _wanted(suite: Suite, named: list[str], real: str | None) -> tuple[tuple[str, ...], Suite]:
    """The metrics of clips to score, and the suite with the set metrics and the real clips to measure."""
    from benchmarks.real_clips import SHIPPED, real_model
    from benchmarks.suite import SuiteError
    from eval.distribution.spec import SET_METRICS
    from eval.metric import METRICS

    given = [name.strip() for text in named for name in text.split(",") if name.strip()]
    sets = tuple(name for name in given if name in SET_METRICS) if given else suite.set_metrics
    names = tuple(METRICS.get(name).spec.name for name in given if name not in sets)
    if real is not None and not sets:
        raise SuiteError("which set metrics? --real FOLDER -m fvd -m fvd_limit (moviegen metrics lists them)")
    model = suite.real if real is None else real_model(real)
    if sets and model is None:
        raise SuiteError(f"{sets[0]} compares with real clips: --real FOLDER, or --real {SHIPPED} for its shipped set")
    suite = suite.model_copy(update={"real": model, "set_metrics": sets})
    return names if given else tuple(metric.name for metric in suite.metrics), suite


@contextmanager
def _cache_folder(cache: Path | None, *, needed: bool) -> Iterator[Path | None]:
    """The feature cache; where none is to be used but set metrics need one, a folder that is removed afterwards."""
    if cache is not None or not needed:
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="moviegen-features-") as folder:
        yield Path(folder)


def _measured(
    scored: list[ScoredClip],
    rows: Mapping[Path, TableRow],
    suite: Suite,
    real: str | None,
    cache: Path,
    workers: int | None,
) -> list[SetRow]:
    """The suite's set metrics of all clips together. The table's cases and seeds say which clips belong together."""
    from benchmarks.real_clips import real_folder, real_set
    from benchmarks.set_features import StoredFeatures
    from benchmarks.set_scoring import Answer, blank_row, measured_row
    from eval.distribution.spec import SET_METRICS

    answers = [
        Answer(rows[clip.path].case or str(clip.path), rows[clip.path].seed or 0, clip.sha256, clip.path)
        if clip.info is not None
        else Answer(rows[clip.path].case or str(clip.path), rows[clip.path].seed or 0, reason=clip.error)
        for clip in scored
    ]
    stored = StoredFeatures(cache, workers=workers)
    against = real_set(suite.real, real_folder(real), stored)
    found = []
    for name in suite.set_metrics:
        metric = SET_METRICS.get(name)
        blank = blank_row(metric, "", answers, against.sha256)
        found.append(measured_row(blank, metric, answers, against, stored, suite.minimum_coverage))
    return found


def _collect(arguments: list[Path]) -> dict[Path, TableRow]:
    """Every clip named or found, with what the table beside it says."""
    from benchmarks.clip_files import TableError, TableRow, find_clips, read_table

    rows: dict[Path, TableRow] = {}
    for argument in arguments:
        if argument.is_dir():
            table = read_table(argument)
            shown = {(argument / path).parent for row in table.values() for path in row.portraits.values()}
            found = [path for path in find_clips(argument) if path not in shown]
            if not found:
                raise TableError(f"{argument}: no clips here (mp4, mov, webm, mkv, avi, gif, or folders of PNGs)")
            for path in found:
                name = path.relative_to(argument).as_posix()
                row = table.get(name, TableRow(name))
                portraits = {name: str(argument / portrait) for name, portrait in row.portraits.items()}
                rows[path] = replace(row, portraits=portraits)
        elif argument.exists():
            rows[argument] = TableRow(argument.name)
        else:
            raise TableError(f"{argument}: there is no such file or folder")
    return rows


def _score_all(paths: list[Path], setup: Any, workers: int | None) -> list[ScoredClip]:
    from rich.progress import track

    from benchmarks.scoring import score_paths

    results = score_paths(paths, setup, workers=min(workers or 2**16, len(paths), _cores()))
    shown = track(results, "scoring", total=len(paths), console=err(), transient=True)
    done = {clip.path: clip for clip in shown}
    return [done[path] for path in paths]


def _cores() -> int:
    import os

    return os.cpu_count() or 1


def _document(clip: ScoredClip) -> dict[str, Any]:
    return {
        "file": str(clip.path),
        "sha256": clip.sha256,
        "findings": [{"severity": f.severity, "sentence": f.sentence, "metric": f.metric} for f in clip.findings],
        "rows": [
            {
                "metric": score.metric,
                "version": score.version,
                "encoder": score.encoder,
                "value": score.value,
                "status": score.status,
                "reason": score.reason,
            }
            for score in clip.scores
        ],
    }


def _set_document(row: SetRow) -> dict[str, Any]:
    document = asdict(row)
    for name in ("generator", "inputs_sha256", "seconds"):
        del document[name]
    return document


def _show_sets(rows: list[SetRow]) -> None:
    """One line for each set metric: its number with the interval, or why there is none."""
    from benchmarks.set_board import cell_of
    from benchmarks.set_table import cell_text

    if rows:
        shown = [(row.metric, cell_text(cell_of(row)), str(row.samples), row.reason) for row in rows]
        table(("all clips together", "value [95% interval]", "samples", ""), shown)
        out().print()


def _show(clip: ScoredClip, suite: Suite, console: Console) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from benchmarks.plain import plain_line

    heading = Text(plain_line(clip.path.name), style="bold")
    info = clip.info
    if info is not None:
        sound = f"{info.rate_hz} Hz sound" if info.has_audio else "no sound"
        heading.append(
            f"  {info.width}×{info.height}, {info.fps:.5g} fps, {info.duration_s:.2f} s, {sound}", style="not bold dim"
        )
    console.print(heading, soft_wrap=True)
    for finding in clip.findings:
        mark, style = MARKS[finding.severity]
        console.print(
            Padding(Text(f"{mark} {finding.severity}: {plain_line(finding.sentence)}", style=style), (0, 0, 0, 2))
        )
    if info is not None:
        console.print(Padding(_values(clip, suite), (0, 0, 1, 4)))
    else:
        console.print()


def _values(clip: ScoredClip, suite: Suite) -> Any:
    """The numbers, two metrics to a line, grouped by family; closeness to the reference where there is one."""
    from rich.table import Table
    from rich.text import Text

    from eval.metric import METRICS

    table = Table.grid(padding=(0, 2))
    cells = []
    for score in clip.scores:
        spec = METRICS.get(score.metric).spec
        text = score.status if score.value is None else _number(score.value, spec.unit)
        cells.append((spec.name, text, _closeness(suite, spec, score.value)))
    half = math.ceil(len(cells) / 2)
    for left, right in zip(cells[:half], [*cells[half:], ("", "", "")], strict=False):
        table.add_row(*(Text(text) for text in (*left, *right)))
    return table


def _closeness(suite: Suite, spec: MetricSpec, value: float | None) -> str:
    """How close a `band` value is to the reference clips, 0 to 1; empty without reference."""
    from benchmarks.manifest import MetricFacts
    from benchmarks.normalise import band_utility

    quantiles = suite.reference.quantiles.get(spec.name) if suite.reference else None
    if quantiles is None or value is None or spec.direction != "band":
        return ""
    import numpy as np

    return f"{band_utility(MetricFacts.of(spec), quantiles)(np.array([value]))[0]:.2f}"


def _number(value: float, unit: str) -> str:
    return f"{value:.4g}" if unit in {"", "1"} else f"{value:.4g} {unit}"


def _sum_up(scored: list[ScoredClip], console: Console) -> None:
    worst = [next((f.severity for f in clip.findings if f.severity != "note"), "clean") for clip in scored]
    ranked = [
        "failed" if any(f.severity == "failed" for f in clip.findings) else kind
        for clip, kind in zip(scored, worst, strict=True)
    ]
    counts = {kind: ranked.count(kind) for kind in ("failed", "warning", "clean")}
    text = f"{len(scored)} clips: {counts['failed']} failed, {counts['warning']} with warnings, {counts['clean']} clean"
    console.print(text, markup=False)
