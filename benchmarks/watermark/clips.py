"""The clips of a watermark audit: a folder's, a run's, and unmarked ones to be read only. Read or rendered in
workers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import benchmarks.model_attacks  # noqa: F401 - attacks with models join the others, in every worker
from benchmarks.clip_files import TABLE_NAMES, find_clips, read_table
from benchmarks.store import Run
from eval.case import Case
from eval.clip import Clip, ClipError
from eval.hashing import json_sha256
from eval.marks.mark import MarkError
from safety.watermark.marker import Marker, find_marker
from safety.watermark.plan import Form, WatermarkError
from safety.watermark.subjects import Held, Subject, fitted, read_stretch, stretches

BACKLOT, LATENT = "backlot", "latent"
BACKLOT_SIDE, BACKLOT_FPS = 192, 8.0
"""Pixels and rate of rendered negatives: large enough for every mark that is shipped."""
FIRST_SCENE = 7_000_000
"""Seeds of scenes from here on are no suite's and no training's."""
TAGS = ("tags", "scene")


def folder_subjects(folder: Path, form: Form, limit: int | None = None) -> tuple[Subject, ...]:
    """The stretches of a folder's clips; prompts and tags from the table beside them, where there is one.

    Raises WatermarkError for a folder without clips. A clip that cannot be read becomes a subject all the same: its
    trials fail, with the reason.
    """
    if not folder.is_dir():
        raise WatermarkError(f"{folder}: there is no such folder; name one that holds clips")
    paths = find_clips(folder)[:limit]
    if not paths:
        raise WatermarkError(f"{folder}: no clips in this folder; name one that holds mp4, mov, webm, mkv, avi or gif")
    told, tags = read_table(folder), read_tags(folder)
    found: list[Subject] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        row = told.get(name)
        case = None if row is None or not row.prompt else Case(row.case or name, prompt=row.prompt, seed=row.seed or 0)
        try:
            found += stretches(path, name, form, case=case, tags=tags.get(name, ()))
        except ClipError as error:
            found.append(Subject(name, name, json_sha256([name, str(error)]), str(path.absolute())))
    return tuple(found)


def read_tags(folder: Path) -> Mapping[str, tuple[str, ...]]:
    """File → tags, from the columns `tags` (with ; between) and `scene` of the table beside the clips."""
    import pandas as pd

    path = next((folder / name for name in TABLE_NAMES[:1] if (folder / name).is_file()), None)
    if path is None:
        return {}
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    columns = [name for name in TAGS if name in frame.columns]
    return {
        str(row["file"]): tuple(tag.strip() for name in columns for tag in str(row[name]).split(";") if tag.strip())
        for _, row in frame.iterrows()
    }


def run_subjects(run: Run, generator: str, form: Form) -> tuple[Subject, ...]:
    """The clips that a generator made in a run; seeds of a case are one cluster. Raises WatermarkError without any."""
    cases = {(case.id, case.seed): case for case in run.manifest.parsed_suite().expand()}
    found: list[Subject] = []
    for line in run.clips(generator=generator).to_dict("records"):
        case = cases.get((str(line["case"]), int(line["seed"])))
        path = run.clip_path(str(line["file"])) if line["file"] else None
        name = f"{line['case']} seed {line['seed']}"
        if path is not None and case is not None:
            found += stretches(path, name, form, case=case, tags=case.tags, cluster=case.id)
    if not found:
        raise WatermarkError(f"{generator} made no clip that could be marked: moviegen runs {run.id} says why")
    return tuple(found)


def backlot_negatives(count: int) -> tuple[Subject, ...]:
    """Scenes of the Backlot that nobody asks for, rendered where they are read."""
    seeds = range(FIRST_SCENE, FIRST_SCENE + count)
    form = [BACKLOT_SIDE, BACKLOT_FPS]
    return tuple(
        Subject(f"{BACKLOT} {seed}", f"{BACKLOT} {seed}", json_sha256([BACKLOT, seed, *form]), start=seed)
        for seed in seeds
    )


def load(subject: Subject, form: Form) -> Held:
    """The subject in memory: a stretch of its file, or its scene. Raises ClipError."""
    if subject.path:
        return read_stretch(Path(subject.path), subject.start, form)
    begun = time.perf_counter()
    clip = _rendered(subject.start, min(form.frames, 32))
    return Held(fitted(clip, form.side), time.perf_counter() - begun, len(clip.frames_TCHW))


def _rendered(seed: int, frames: int) -> Clip:
    from moviegen.backlot.render import render
    from moviegen.backlot.scene import sample_scene

    return render(sample_scene(seed), width=BACKLOT_SIDE, height=BACKLOT_SIDE, fps=BACKLOT_FPS, frames=frames)


def find(name: str, subjects: tuple[Subject, ...] = ()) -> Marker:
    """The mark of that name, the reference model's own included. Raises UnknownName and MarkError.

    subjects: the clips of the audit, whose marks a generator has to know.
    """
    if name == LATENT:
        from benchmarks.watermark.latent import LatentMarker

        return LatentMarker(subjects)
    return find_marker(name)


def require_generated(names: tuple[str, ...], generator: str, messages: str) -> None:
    """Raises MarkError where a mark that is put in while a clip is made is asked of clips that exist."""
    if LATENT in names and generator != "reference":
        raise MarkError("mark 'latent' is put in while the reference model makes a clip: give --generator reference")
    if LATENT in names and messages == "trial":
        raise MarkError("mark 'latent' makes a clip for each message: give --messages clip")
