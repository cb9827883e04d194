"""A run's numbers in VBench's result format, as its scripts read it.

    {dimension: [mean, [{"video_path": …, "video_results": …}, …]], …}

A dimension's mean is over clips, each counting alike: so does VBench on several GPUs, but for background_consistency,
where it averages over all frames of all clips, as it does for subject_consistency on one GPU. Per clip, imaging_quality
stays on MUSIQ's 0-100 and dynamic_degree is true or false, as VBench writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.clip_store import CLIPS
from benchmarks.store import Run
from eval.errors import UserError

CUSTOM = (
    "subject_consistency",
    "background_consistency",
    "temporal_flickering",
    "motion_smoothness",
    "dynamic_degree",
    "aesthetic_quality",
    "imaging_quality",
)
"""What VBench measures of anybody's clips, in its own order."""
PROMPTED = ("overall_consistency",)
"""What it also measures where there are prompts."""

REASONS_SHOWN = 2


class ExportError(UserError):
    """A run that has nothing to export. One line: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class VBenchResults:
    """results: the JSON document. remarks: one line for each dimension that is left out or incomplete, and why."""

    results: dict[str, list[Any]]
    remarks: tuple[str, ...]


def vbench_results(run: Run, generator: str = "", *, incomplete: bool = False) -> VBenchResults:
    """The VBench dimensions of one generator of a run.

    generator: may be left out where the run has only one. incomplete: also give dimensions that some clips have no
    value for, over the others. A clip without a value never counts, as 0 or as anything; a dimension that lacks one
    is left out and named in `remarks`. Raises ExportError for an unknown generator, and where nothing is left.
    """
    name = _generator(run, generator)
    clips = run.clips(generator=name)
    files = dict(zip(_units(clips), clips["file"].tolist(), strict=True))
    expected = [(case.id, case.seed) for case in run.manifest.parsed_suite().expand()]
    metrics = _metrics([facts.name for facts in run.manifest.metrics])
    results: dict[str, list[Any]] = {}
    remarks: list[str] = []
    for dimension in (*CUSTOM, *PROMPTED):
        if dimension not in metrics:
            if dimension in CUSTOM:
                remarks.append(f"{dimension} is left out: suite {run.manifest.suite_name} does not measure it")
            continue
        rows = run.rows(generator=name, metric=metrics[dimension])
        scored = rows[rows["status"] == "ok"]
        if len(scored) < len(expected):
            given = bool(incomplete and len(scored))
            remarks.append(f"{dimension} is {_lacking(rows, expected, given=given)}")
            if not given:
                continue
        values = dict(zip(_units(scored), map(float, scored["value"]), strict=True))
        entries = [
            {**_entry(run, unit, files.get(unit, "")), "video_results": _as_vbench(dimension, value)}
            for unit, value in values.items()
        ]
        results[dimension] = [sum(values.values()) / len(values), entries]
    if not results:
        raise ExportError(f"run {run.id}: no dimension of VBench has a value: {'; '.join(remarks)}")
    return VBenchResults(results, tuple(remarks))


def _generator(run: Run, wanted: str) -> str:
    names = [facts.name for facts in run.manifest.generators]
    if wanted in names or (not wanted and len(names) == 1):
        return wanted or names[0]
    asked = f"has no generator {wanted!r}" if wanted else "holds several generators, and a file of VBench's is of one"
    raise ExportError(f"run {run.id} {asked}: give --generator with one of {', '.join(names)}")


def _units(table: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(map(str, table["case"]), map(int, table["seed"]), strict=True))


def _metrics(names: Sequence[str]) -> Mapping[str, str]:
    """Dimension → the metric of the run that measures it. Our own temporal_flickering is VBench's number too."""
    ours = {"temporal_flickering": "temporal_flickering"} if "temporal_flickering" in names else {}
    return ours | {name.removeprefix("vbench_"): name for name in names if name.startswith("vbench_")}


def _lacking(rows: pd.DataFrame, expected: Sequence[tuple[str, int]], *, given: bool) -> str:
    scored, whole = int((rows["status"] == "ok").sum()), len(expected)
    reasons = "; ".join(_reasons(rows, expected))
    if given:
        return f"the mean of the {scored} of {whole} clips that have a value ({reasons})"
    return f"left out: {whole - scored} of {whole} clips have no value ({reasons})"


def _reasons(rows: pd.DataFrame, expected: Sequence[tuple[str, int]]) -> Iterator[str]:
    broken = rows[rows["status"] != "ok"]
    counted = (broken["status"] + ": " + broken["reason"]).value_counts()
    for reason, count in counted.head(REASONS_SHOWN).items():
        yield f"{count} {reason}"
    if len(counted) > REASONS_SHOWN:
        yield f"{len(counted) - REASONS_SHOWN} more reasons"
    if undone := len(set(expected) - set(_units(rows))):
        yield f"{undone} not done yet"


def _entry(run: Run, unit: tuple[str, int], file: str) -> dict[str, Any]:
    """Which clip it is: where the run keeps it, and beyond VBench's keys its case and seed."""
    case, seed = unit
    return {"video_path": (run.folder / CLIPS / file).as_posix() if file else case, "case": case, "seed": seed}


def _as_vbench(dimension: str, value: float) -> float | bool:
    if dimension == "dynamic_degree":
        return bool(value)
    return 100 * value if dimension == "imaging_quality" else value
