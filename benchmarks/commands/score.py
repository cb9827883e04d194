"""`moviegen score`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.commands.shell import FAILURE, err, errors, out

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.scoring import ScoredClip
    from benchmarks.suite import Suite
    from eval.metric import MetricSpec

MARKS = {"failed": ("✗", "bold red"), "warning": ("!", "yellow"), "note": ("·", "dim")}


def score(
    clips: Annotated[list[Path], typer.Argument(help="folders and files", show_default=False)],
    suite: Annotated[str, typer.Option(help="suite whose metrics to use")] = "footage",
    metric: Annotated[list[str] | None, typer.Option("--metric", "-m", help="only these metrics")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output, nothing else")] = False,
    reference: Annotated[
        Path | None, typer.Option(help="folder of good clips: also say how close each value is")
    ] = None,
    cache: Annotated[Path, typer.Option(help="feature cache")] = Path("runs/.cache"),
    no_cache: Annotated[bool, typer.Option("--no-cache", help="neither read nor write the cache")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="processes to use; default: one per core")] = None,
) -> None:
    """Score clips that exist already, and say plainly what is wrong with them.

    Prompts come from a table beside them (clips.csv, .jsonl or .parquet with columns file and prompt), if there is one.
    """
    with errors():
        from benchmarks.calibrate import suite_metrics, with_reference
        from benchmarks.reference_clips import reference_from_folder
        from benchmarks.scoring import Setup
        from benchmarks.suite import load_suite
        from eval.metric import METRICS

        chosen = load_suite(suite)
        if reference is not None:
            chosen = with_reference(chosen, reference_from_folder(reference, suite_metrics(chosen)))
        names = (
            tuple(METRICS.get(name).spec.name for name in metric) if metric else tuple(m.name for m in chosen.metrics)
        )
        prompts = _collect(clips)
        setup = Setup(names, None if no_cache else cache, chosen.asked.asked(), prompts)
        scored = _score_all(list(prompts), setup, workers)
        if as_json:
            typer.echo(json.dumps({"clips": [_document(clip) for clip in scored]}, ensure_ascii=False, allow_nan=False))
        else:
            for clip in scored:
                _show(clip, chosen, out())
            _sum_up(scored, out())
        if scored and all(clip.info is None for clip in scored):
            raise typer.Exit(FAILURE)


def _collect(arguments: list[Path]) -> dict[Path, str]:
    """Every clip named or found, with its prompt from the table beside it."""
    from benchmarks.clip_files import TableError, find_clips, read_table

    prompts: dict[Path, str] = {}
    for argument in arguments:
        if argument.is_dir():
            found, table = find_clips(argument), read_table(argument)
            if not found:
                raise TableError(f"{argument}: no clips here (mp4, mov, webm, mkv, avi, gif, or folders of PNGs)")
            for path in found:
                row = table.get(path.relative_to(argument).as_posix())
                prompts[path] = row.prompt if row else ""
        elif argument.exists():
            prompts[argument] = ""
        else:
            raise TableError(f"{argument}: there is no such file or folder")
    return prompts


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
