"""Reference clips for `band` metrics: a folder of the user's, or the Backlot's own renderings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.calibrate import calibrate
from benchmarks.clip_files import find_clips
from benchmarks.generators.brackets import render_case
from benchmarks.suite import ReferenceModel, Suite
from eval.case import Case
from eval.metric import Metric
from eval.planner import ClipToScore
from eval.video import open_clip, write_clip
from moviegen.backlot import sample_scene

FIRST_SEED = 900_000
"""Reference scenes are drawn from here on: seeds that no suite's case uses, so that no case is its own reference."""


def reference_from_folder(folder: Path, metrics: Sequence[Metric]) -> ReferenceModel:
    """The bands of a folder of good clips. Raises ValueError (too few), ClipError (one cannot be read)."""
    paths = find_clips(folder)
    return calibrate(metrics, (ClipToScore(open_clip(path)) for path in paths), f"folder {folder.name}")


def reference_from_backlot(suite: Suite, metrics: Sequence[Metric], clips: int) -> ReferenceModel:
    """The bands of `clips` fresh Backlot scenes in the suite's form, read back from files as in a sweep."""
    seeds = range(FIRST_SEED, FIRST_SEED + clips)
    cases = (
        Case(id=f"reference-{seed}", asked=suite.asked.asked(), truth={"scene": sample_scene(seed).to_dict()})
        for seed in seeds
    )
    return reference_from_cases(cases, metrics, f"Backlot scenes {seeds[0]} to {seeds[-1]}")


def reference_from_cases(cases: Iterable[Case], metrics: Sequence[Metric], made_by: str) -> ReferenceModel:
    """The bands of the exact answers to Backlot cases, scored as such, read back from files as in a sweep."""
    return calibrate(metrics, _rendered(cases), made_by)


def _rendered(cases: Iterable[Case]) -> Iterator[ClipToScore]:
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            path = Path(folder) / f"{case.id}.mp4"
            write_clip(render_case(case), path)
            yield ClipToScore(open_clip(path), case)
            path.unlink()
