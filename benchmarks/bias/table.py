"""From a run to the long table of an audit: the run's clips and rows, joined with who is seen in them.

Every clip that was asked for has a row, whatever came of it: failed, missing, or without a visible person.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.bias.prompts import asked_of
from benchmarks.set_features import StoredFeatures
from benchmarks.store import Run, StoreError
from benchmarks.suite import Suite, SuiteError
from eval.faces.packs import SHIPPED
from eval.faces.tracks import FaceTracks, read_tracks
from safety.bias.axes import NOBODY
from safety.bias.observe import THRESHOLDS, Person, Thresholds, people
from safety.bias.table import AuditTable, audit_table

JOINED = ("quality", "alignment", "illumination")
"""Columns that are metrics of the sweep."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the table's numbers come from: metric names, and the face pack. An empty name: nothing."""

    quality: str = "motion_coherence"
    alignment: str = "backlot_prompt_accuracy"
    illumination: str = "exposure"
    pack: str = SHIPPED

    @property
    def feature(self) -> str:
        """The feature that holds the face tracks of the pack."""
        return "face_tracks" if self.pack == SHIPPED else f"face_tracks_{self.pack}"

    def check(self, suite: Suite) -> None:
        """Raises SuiteError for a metric that the suite has not."""
        known = [metric.name for metric in suite.metrics]
        for column in JOINED:
            name = getattr(self, column)
            if name and name not in known:
                raise SuiteError(f"suite {suite.name!r} has no metric {name!r} for {column}; it has {', '.join(known)}")


@dataclass(frozen=True, slots=True)
class Observed:
    """The table, and what it does not say: in how many clips faces were looked for, and how many were found."""

    table: AuditTable
    faces_found: int
    clips_looked_at: int


def observe(
    run: Run, generator: str, sources: Sources, features: StoredFeatures, thresholds: Thresholds = THRESHOLDS
) -> Observed:
    """The long table of one generator of a run. Raises StoreError for a generator or metric that the run has not."""
    facts = next((facts for facts in run.manifest.generators if facts.name == generator), None)
    if facts is None:
        names = ", ".join(other.name for other in run.manifest.generators)
        raise StoreError(f"run {run.id} has no generator {generator!r}; it has {names}")
    asked = asked_of(run.manifest.parsed_suite())
    clips = {(str(c), int(s)): row for c, s, row in _records(run.clips(generator=generator))}
    values = _values(run, generator, sources)
    paths = {row["clip_sha256"]: run.clip_path(row["file"]) for row in clips.values() if row["status"] == "ok"}
    features.fetch(paths, sources.feature)
    rows: list[dict[str, Any]] = []
    looked = faces = 0
    for case, seed in run.manifest.planned():
        base = {"system": generator, "version": facts.version, "seed": seed, **asked[case].columns()}
        found = _tracks(clips.get((case, seed)), features, sources.feature)
        if isinstance(found, FaceTracks):
            looked, faces = looked + 1, faces + int(found.face_counts().sum())
            base |= {"clip_sha256": clips[case, seed]["clip_sha256"], **values.get((case, seed), {})}
            rows += list(_rows(base, people(found, thresholds)))
        else:
            rows.append({**base, "outcome": found[0], "reason": found[1]})
    return Observed(audit_table(_frame(rows)), faces, looked)


def _tracks(clip: Mapping[str, Any] | None, features: StoredFeatures, feature: str) -> FaceTracks | tuple[str, str]:
    """The faces of a clip, or its outcome and why."""
    if clip is None:
        return "missing", "the sweep was stopped before this clip"
    if clip["status"] != "ok":
        return ("missing" if clip["status"] == "missing" else "failed clip"), str(clip["reason"])
    arrays = features.arrays(clip["clip_sha256"], feature)
    if arrays is None:
        return "failed clip", features.why_absent(clip["clip_sha256"], feature) or "its faces could not be read"
    return read_tracks(arrays)


def _rows(base: Mapping[str, Any], seen: tuple[Person, ...]) -> Iterator[dict[str, Any]]:
    if not seen:
        # Nobody there: seen for no time at all, which is a number and not a gap.
        yield {**base, "outcome": NOBODY, "coverage": 0.0, "screen_time": 0.0}
    for number, person in enumerate(seen):
        yield {**base, "outcome": "person", "track_id": number, **person.columns()}


def _records(frame: pd.DataFrame) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for row in frame.to_dict("records"):
        yield str(row["case"]), int(row["seed"]), {str(name): value for name, value in row.items()}


def _values(run: Run, generator: str, sources: Sources) -> dict[tuple[str, int], dict[str, float]]:
    """(case, seed) -> column -> value; a metric that has no value for a clip is left out, never 0."""
    known = {facts.name for facts in run.manifest.metrics}
    found: dict[tuple[str, int], dict[str, float]] = {}
    for column in JOINED:
        name = getattr(sources, column)
        if name and name not in known:
            raise StoreError(f"run {run.id} has no metric {name!r} for {column}; it has {', '.join(sorted(known))}")
        for row in run.rows(generator=generator, metric=name, status="ok").to_dict("records") if name else ():
            if math.isfinite(row["value"]):
                found.setdefault((str(row["case"]), int(row["seed"])), {})[column] = float(row["value"])
    return found


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    empty = [name for name in frame.columns if frame[name].isna().all()]
    for axis in ("presentation", "age", "skin_tone"):
        if axis not in frame:  # nobody in any clip: the columns are there, and empty
            frame[axis] = None
    return frame.drop(columns=[name for name in empty if name not in ("presentation", "age", "skin_tone")])


def cache_folder(run: Run) -> Path:
    """Where a sweep keeps the features of its clips."""
    from benchmarks.sweep import CACHE

    return run.folder.absolute().parent / CACHE
