"""The planner: which features the metrics need, one decode for all of them, then the metrics themselves.

    metrics ──needs──▶ features ──cached?──▶ one stream through the clip ──▶ arrays ──▶ numbers

Memory is bounded by one window of frames plus what the accumulators keep, whatever the clip's length.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np

from eval.cache import FeatureCache, FeatureKey
from eval.case import Case
from eval.clip import ClipError, ClipInfo, ClipSource, SoundChunk, StreamFacts, Window
from eval.facts import facts_from_arrays, facts_to_arrays
from eval.feature import (
    FEATURES,
    Arrays,
    Feature,
    NotMeasurable,
    PictureAccumulator,
    Sampling,
    SoundAccumulator,
)
from eval.metric import Measured, Metric, MetricSpec, Status
from eval.sampling import Sampler

FACTS = "stream_facts"
FACTS_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """One number, or the reason why there is none. `value` is a finite float exactly when status is `ok`."""

    metric: str
    version: int
    value: float | None
    status: Status
    reason: str = ""
    encoder: str = ""
    encoder_sha256: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ClipScores:
    """Everything that scoring one clip gave.

    decodes: how often the clip was decoded (0 when every feature was cached, else 1).
    computed: names of the features computed now rather than read from the cache.
    """

    info: ClipInfo
    facts: StreamFacts | None
    scores: tuple[Score, ...]
    features: Mapping[str, Arrays] = field(repr=False, default_factory=dict)
    decodes: int = 0
    computed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Job:
    """One feature on its way through one clip."""

    feature: Feature
    arrays: Arrays | None = None
    accumulator: PictureAccumulator | SoundAccumulator | None = None
    status: Status = "ok"
    reason: str = ""
    seconds: float = 0.0
    users: int = 1

    @property
    def running(self) -> bool:
        return self.status == "ok" and self.arrays is None

    def stop(self, status: Status, reason: str) -> None:
        self.status, self.reason, self.accumulator = status, reason, None


def score_clip(
    source: ClipSource,
    metrics: Iterable[Metric],
    *,
    case: Case | None = None,
    cache: FeatureCache | None = None,
) -> ClipScores:
    """Score one clip with several metrics: decoded at most once, each feature computed at most once.

    Every metric gets a Score. A metric that does not apply is `skipped`; a clip that breaks off makes its metrics
    `failed`; neither raises. OSError from the cache (a full disk) does.
    """
    metrics = tuple(metrics)
    info = source.info
    jobs = _plan(info, metrics, case)
    facts = _from_cache(info, jobs, cache)
    waiting = [job for job in jobs.values() if job.running]
    decodes = int(bool(waiting) or facts is None)
    broken = ""
    if decodes:
        decoded = _stream(source, waiting, facts is None)
        if isinstance(decoded, str):
            facts, broken = None, decoded
        else:
            facts = facts or decoded
            _store(info, waiting, facts, cache)
    features = {name: job.arrays for name, job in jobs.items() if job.arrays is not None}
    return ClipScores(
        info=info,
        facts=facts,
        scores=tuple(_score(metric, info, facts or broken, jobs, features, case) for metric in metrics),
        features=features,
        decodes=decodes,
        computed=tuple(job.feature.name for job in waiting),
    )


def unreadable(metrics: Iterable[Metric], reason: str, status: Status = "failed") -> tuple[Score, ...]:
    """The scores of a clip that could not be opened, or is not there: one row per metric, none lost."""
    return tuple(Score(m.spec.name, m.spec.version, None, status, reason) for m in metrics)


def _lacking(spec: MetricSpec, info: ClipInfo, case: Case | None) -> str:
    """Why the metric cannot apply, whatever the clip shows; empty where it may."""
    if spec.needs_sound and not info.has_audio:
        return "the clip has no sound"
    truth = {} if case is None or case.truth is None else case.truth
    absent = [name for name in spec.needs_truth if name not in truth]
    return f"the case's truth has no '{absent[0]}', which cases of the Backlot suites have" if absent else ""


def _plan(info: ClipInfo, metrics: Sequence[Metric], case: Case | None) -> dict[str, _Job]:
    jobs: dict[str, _Job] = {}
    for metric in metrics:
        if _lacking(metric.spec, info, case):
            continue
        for name in metric.spec.needs:
            if name in jobs:
                jobs[name].users += 1
            else:
                jobs[name] = _Job(FEATURES.get(name))
    for job in jobs.values():
        if job.feature.stream == "sound" and not info.has_audio:
            job.stop("skipped", "the clip has no sound")
        elif job.feature.stream == "picture" and not info.sdr:
            job.stop("skipped", "HDR picture: the metric is defined on SDR; convert the clip first")
    return jobs


def _key(info: ClipInfo, feature: Feature) -> FeatureKey:
    return FeatureKey(info.sha256, feature.name, feature.version, feature.weights_sha256)


def _facts_key(info: ClipInfo) -> FeatureKey:
    return FeatureKey(info.sha256, FACTS, FACTS_VERSION)


def _from_cache(info: ClipInfo, jobs: Mapping[str, _Job], cache: FeatureCache | None) -> StreamFacts | None:
    if cache is None:
        return None
    for job in jobs.values():
        if job.running:
            job.arrays = cache.get(_key(info, job.feature))
    stored = cache.get(_facts_key(info))
    return None if stored is None else facts_from_arrays(stored)


def _store(info: ClipInfo, jobs: Sequence[_Job], facts: StreamFacts, cache: FeatureCache | None) -> None:
    if cache is None:
        return
    for job in jobs:
        if job.arrays is not None:
            cache.put(_key(info, job.feature), job.arrays)
    cache.put(_facts_key(info), facts_to_arrays(facts))


def _stream(source: ClipSource, jobs: Sequence[_Job], facts_wanted: bool) -> StreamFacts | str:
    """Decode once and feed every waiting feature. A clip that breaks off gives the reason instead of facts."""
    facts: StreamFacts | str = "the stream ended without its facts"
    for job in jobs:
        _guard(job, partial(_start, job, source.info))
    seen = [job.feature for job in jobs if job.feature.stream == "picture"]
    samplers = {feature.sampling: Sampler(feature.sampling, source.info) for feature in seen}
    try:
        for item in source.stream(
            picture=facts_wanted or bool(seen),
            sound=any(job.feature.stream == "sound" for job in jobs),
        ):
            if isinstance(item, Window):
                item.frames_TCHW.flags.writeable = False  # every feature sees the same memory
                for sampling, sampler in samplers.items():
                    _feed_picture(sampler.push(item), sampling, jobs)
            elif isinstance(item, SoundChunk):
                _feed_sound(item, jobs)
            else:
                facts = item
    except (ClipError, OSError) as error:
        for job in jobs:
            job.stop("failed", str(error))
        return str(error)
    for sampling, sampler in samplers.items():
        _feed_picture(sampler.finish(), sampling, jobs)
    for job in jobs:
        _guard(job, partial(_finish, job))
    return facts


def _feed_picture(views: Iterable[Window], sampling: Sampling, jobs: Sequence[_Job]) -> None:
    for view in views:
        for job in jobs:
            if job.running and job.feature.stream == "picture" and job.feature.sampling == sampling:
                accumulator = cast(PictureAccumulator, job.accumulator)
                _guard(job, partial(accumulator.update, view))


def _feed_sound(chunk: SoundChunk, jobs: Sequence[_Job]) -> None:
    for job in jobs:
        if job.running and job.feature.stream == "sound":
            accumulator = cast(SoundAccumulator, job.accumulator)
            _guard(job, partial(accumulator.update, chunk))


def _start(job: _Job, info: ClipInfo) -> None:
    job.accumulator = job.feature.start(info)


def _finish(job: _Job) -> None:
    assert job.accumulator is not None
    job.arrays = job.accumulator.finish()
    job.accumulator = None


def _guard(job: _Job, work: Callable[[], None]) -> None:
    """Run one step of a feature; its failure stops this feature alone, with the reason kept."""
    if not job.running:
        return
    begun = time.perf_counter()
    try:
        work()
    except NotMeasurable as reason:
        job.stop("skipped", str(reason))
    except Exception as error:  # a stranger's feature may raise anything: it must cost its own metrics only
        job.stop("failed", f"feature {job.feature.name}: {type(error).__name__}: {error}")
    job.seconds += time.perf_counter() - begun


def _score(
    metric: Metric,
    info: ClipInfo,
    facts: StreamFacts | str,
    jobs: Mapping[str, _Job],
    features: Mapping[str, Arrays],
    case: Case | None,
) -> Score:
    spec = metric.spec
    if lacking := _lacking(spec, info, case):
        return Score(spec.name, spec.version, None, "skipped", lacking)
    used = [jobs[name] for name in spec.needs]
    broken = next((job for job in used if job.arrays is None), None)
    seconds = sum(job.seconds / job.users for job in used)
    encoder = "+".join(job.feature.encoder for job in used if job.feature.encoder)
    weights = "+".join(job.feature.weights_sha256 for job in used if job.feature.weights_sha256)
    if broken is not None:
        return Score(spec.name, spec.version, None, broken.status, broken.reason, encoder, weights, seconds)
    if isinstance(facts, str):
        return Score(spec.name, spec.version, None, "failed", facts, encoder, weights)
    begun = time.perf_counter()
    value, status, reason = _value(metric, Measured(info, facts, features, case))
    seconds += time.perf_counter() - begun
    return Score(spec.name, spec.version, value, status, reason, encoder, weights, seconds)


def _value(metric: Metric, measured: Measured) -> tuple[float | None, Status, str]:
    spec = metric.spec
    try:
        value = float(metric.function(measured))
    except NotMeasurable as reason:
        return None, "skipped", str(reason)
    except Exception as error:  # as above: one metric's bug is one row's reason
        return None, "failed", f"{type(error).__name__}: {error}"
    if not math.isfinite(value):
        return None, "failed", f"{spec.name} gave {value}"
    if not spec.low - 1e-9 <= value <= spec.high + 1e-9:
        return None, "failed", f"{spec.name} gave {value}, outside its range {spec.low} to {spec.high}"
    return float(np.clip(value, spec.low, spec.high)), "ok", ""
