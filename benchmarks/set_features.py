"""The features of many clips for measures of sets: from the feature cache, and what it lacks computed into it.

Shape legend: S samples of a clip (frames or windows), D dimensions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from benchmarks.executors import ExecutorName, Job, execute
from benchmarks.in_flight import clips_ahead, usual_executor
from eval.cache import FeatureCache, FeatureKey
from eval.clip import ClipError
from eval.distribution.clip_set import Floats
from eval.distribution.spec import Sample
from eval.encoders.local import pinned
from eval.encoders.registry import ENCODERS
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable
from eval.planner import ClipScorer, ClipScores, ClipToScore
from eval.video import open_clip

FEW = 4
"""Clips that are not worth starting processes for."""


class StoredFeatures:
    """Features of clips by their SHA-256. Computes what the cache lacks; holds none of it in memory.

    executor, workers: where that is done; None: as a sweep would.
    """

    def __init__(self, cache_folder: Path, executor: ExecutorName | None = None, workers: int | None = None) -> None:
        self._folder, self._executor, self._workers = cache_folder, executor, workers
        self._cache = FeatureCache(cache_folder)
        self._reasons: dict[tuple[str, str], str] = {}

    def fetch(self, paths: Mapping[str, Path | None], feature: str) -> None:
        """Make sure of a feature of the clips (SHA-256 → file, None where it is gone). Raises OSError (a full disk)."""
        if why_unusable(feature):
            return
        tasks = []
        for sha256, path in paths.items():
            if (sha256, feature) in self._reasons:
                continue
            self._reasons[sha256, feature] = ""
            if self._cache.get(_key(sha256, FEATURES.get(feature))) is None:
                if path is None:
                    self._reasons[sha256, feature] = "the clip is no longer in the run's folder"
                else:
                    tasks.append(_Task(sha256, path))
        job = Job(_compute_here, _prepare, (self._folder, feature), _lost, _compute_all_here)
        usual = self._executor or usual_executor((), [feature])
        for found in execute("serial" if len(tasks) <= FEW else usual, job, tasks, self._workers):
            self._reasons[found.sha256, feature] = found.reason

    def why_absent(self, sha256: str, feature: str) -> str:
        """Why a clip that was fetched has no such feature; empty where it has."""
        return why_unusable(feature) or self._reasons[sha256, feature]

    def arrays(self, sha256: str, feature: str) -> Arrays | None:
        """The feature of a clip that was fetched; None where there is none (`why_absent` says why)."""
        return self._cache.get(_key(sha256, FEATURES.get(feature)))

    def samples(self, clips: Sequence[str], feature: str, array: str, sample: Sample) -> Sequence[Floats]:
        """float32 S,D of each clip; whole frames and windows are read one clip at a time."""
        stored = _Stored(self._cache, clips, FEATURES.get(feature), array)
        if sample == "part":
            return stored
        return [samples_SD.mean(axis=0, keepdims=True) for samples_SD in stored]


def why_unusable(feature: str) -> str:
    """Why a feature cannot be computed of any clip: its weights are not here. Empty where they are, or none needed."""
    encoder = FEATURES.get(feature).encoder
    try:
        if encoder in ENCODERS:
            pinned(encoder)
    except (NotMeasurable, OSError) as reason:
        return str(reason)
    return ""


@dataclass(frozen=True, slots=True)
class _Task:
    sha256: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Found:
    """Why the feature could not be computed; empty text: it is in the cache now."""

    sha256: str
    reason: str


class _Stored(Sequence[Floats]):
    """Reads a clip's samples when they are asked for."""

    def __init__(self, cache: FeatureCache, clips: Sequence[str], feature: Feature, array: str) -> None:
        self._cache, self._clips, self._feature, self._array = cache, clips, feature, array

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, place: int) -> Floats: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Floats]: ...
    def __getitem__(self, place: int | slice) -> Floats | Sequence[Floats]:
        if isinstance(place, slice):
            return _Stored(self._cache, self._clips[place], self._feature, self._array)
        arrays = self._cache.get(_key(self._clips[place], self._feature))
        if arrays is None:
            raise NotMeasurable(f"the feature cache lost {self._feature.name} while it was in use: resume the run")
        return np.atleast_2d(arrays[self._array]).astype(np.float32, copy=False)


# One per process, like the sweep's workers: cache folder and feature.
_SETUP: list[tuple[Path, str]] = []


def _prepare(setup: tuple[Path, str]) -> None:
    import cv2

    cv2.setNumThreads(1)  # the work is parallel over clips already
    _SETUP[:] = [setup]


def _compute_here(task: _Task) -> _Found:
    return next(_compute_all_here([task]))


def _compute_all_here(tasks: Iterable[_Task]) -> Iterator[_Found]:
    folder, feature = _SETUP[0]
    ahead = clips_ahead((), [feature])
    scorer = ClipScorer([], cache=FeatureCache(folder), also=[feature], ahead=ahead)
    line: deque[_Task] = deque()
    for task in tasks:
        try:
            source = open_clip(task.path)
        except ClipError as error:
            yield _Found(task.sha256, str(error))
            continue
        line.append(task)
        if scored := scorer.add(ClipToScore(source)):
            yield _found(line.popleft(), scored, feature)
    for scored in scorer.finish():
        yield _found(line.popleft(), scored, feature)


def _found(task: _Task, scored: ClipScores, feature: str) -> _Found:
    changed = scored.info.sha256 != task.sha256
    return _Found(task.sha256, "the file has changed" if changed else scored.unmeasured.get(feature, ""))


def _lost(task: _Task) -> _Found:
    return _Found(task.sha256, "the worker process died (out of memory, or a crash in a library) twice on this clip")


def _key(sha256: str, feature: Feature) -> FeatureKey:
    return FeatureKey(sha256, feature.name, feature.version, feature.weights_sha256)
