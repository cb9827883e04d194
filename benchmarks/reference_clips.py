"""Reference clips for `band` metrics: a folder of the user's, or the Backlot's own renderings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.calibrate import calibrate
from benchmarks.clip_files import find_clips
from benchmarks.generators.brackets import render_case
from benchmarks.suite import ReferenceModel, Suite
from eval.case import Case
from eval.clip import ClipSource
from eval.metric import Metric
from eval.video import open_clip, write_clip
from moviegen.backlot import sample_scene

FIRST_SEED = 900_000
"""Reference scenes are drawn from here on: seeds that no suite's case uses, so that no case is its own reference."""


def reference_from_folder(folder: Path, metrics: Sequence[Metric]) -> ReferenceModel:
    """The bands of a folder of good clips. Raises ValueError (too few), ClipError (one cannot be read)."""
    paths = find_clips(folder)
    return calibrate(metrics, (open_clip(path) for path in paths), f"folder {folder.name}")


def reference_from_backlot(suite: Suite, metrics: Sequence[Metric], clips: int) -> ReferenceModel:
    """The bands of `clips` fresh Backlot scenes in the suite's form, read back from files as in a sweep."""
    return calibrate(
        metrics, _backlot_sources(suite, clips), f"Backlot scenes {FIRST_SEED} to {FIRST_SEED + clips - 1}"
    )


def _backlot_sources(suite: Suite, clips: int) -> Iterator[ClipSource]:
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(FIRST_SEED, FIRST_SEED + clips):
            truth = {"scene": sample_scene(seed).to_dict()}
            case = Case(id=f"reference-{seed}", asked=suite.asked.asked(), truth=truth)
            path = Path(folder) / f"{seed}.mp4"
            write_clip(render_case(case), path)
            yield open_clip(path)
            path.unlink()
