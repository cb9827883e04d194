"""The features of many clips for measures of sets: from the feature cache, and what it lacks computed into it.

Shape legend: S samples of a clip (frames or windows), D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from benchmarks.executors import ExecutorName, Job, execute
from eval.cache import FeatureCache, FeatureKey
from eval.clip import ClipError
from eval.distribution.clip_set import Floats
from eval.distribution.spec import Sample
from eval.encoders.local import pinned
from eval.encoders.registry import ENCODERS
from eval.feature import FEATURES, Feature, NotMeasurable
from eval.planner import score_clip
from eval.video import open_clip

FEW = 4
"""Clips that are not worth starting processes for."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Where features that the cache lacks are computed."""

    executor: ExecutorName = "processes"
    count: int | None = None


class StoredFeatures:
    """Features of clips by their SHA-256. Computes what the cache lacks; holds none of it in memory."""

    def __init__(self, cache_folder: Path, workers: Workers = Workers()) -> None:
        self._folder, self._workers = cache_folder, workers
        self._cache = FeatureCache(cache_folder)
        self._reasons: dict[tuple[str, str], str] = {}

    def fetch(self, paths: Mapping[str, Path | None], features: Iterable[str]) -> None:
        """Make sure of these features of the clips (SHA-256 → file, None where it is gone)."""
        usable = [FEATURES.get(name) for name in features if not why_unusable(name)]
        tasks = []
        for sha256, path in paths.items():
            wanted = tuple(f.name for f in usable if (sha256, f.name) not in self._reasons)
            lacking = tuple(name for name in wanted if self._cache.get(_key(sha256, FEATURES.get(name))) is None)
            self._reasons |= {(sha256, name): "" for name in wanted if name not in lacking}
            if lacking and path is not None:
                tasks.append(_Task(sha256, path, lacking))
            else:
                self._reasons |= {(sha256, name): "the clip is no longer in the run's folder" for name in lacking}
        job = Job(_compute_here, _prepare, self._folder, _lost)
        where: ExecutorName = "serial" if len(tasks) <= FEW else self._workers.executor
        for found in execute(where, job, tasks, self._workers.count):
            self._reasons |= {(found.sha256, name): reason for name, reason in found.reasons.items()}

    def why_absent(self, sha256: str, feature: str) -> str:
        """Why a clip that was fetched has no such feature; empty where it has."""
        return why_unusable(feature) or self._reasons[sha256, feature]

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
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """Why each feature could not be computed; empty text: it is in the cache now."""

    sha256: str
    reasons: Mapping[str, str]


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


_FOLDER: list[Path] = []


def _prepare(cache_folder: Path) -> None:
    import cv2

    cv2.setNumThreads(1)  # the work is parallel over clips already
    _FOLDER[:] = [cache_folder]


def _compute_here(task: _Task) -> _Found:
    cache = FeatureCache(_FOLDER[0])
    try:
        scored = score_clip(open_clip(task.path), [], cache=cache, also=task.features)
    except ClipError as error:
        return _Found(task.sha256, dict.fromkeys(task.features, str(error)))
    return _Found(task.sha256, {name: scored.unmeasured.get(name, "") for name in task.features})


def _lost(task: _Task) -> _Found:
    reason = "the worker process died (out of memory, or a crash in a library) twice on this clip"
    return _Found(task.sha256, dict.fromkeys(task.features, reason))


def _key(sha256: str, feature: Feature) -> FeatureKey:
    return FeatureKey(sha256, feature.name, feature.version, feature.weights_sha256)
