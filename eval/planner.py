"""The planner: which features the metrics need, one decode for all of them, then the metrics themselves.

    metrics ──needs──▶ features ──cached?──▶ one stream through the clip ──▶ arrays ──▶ numbers

Memory is bounded by one window of frames plus what the accumulators keep, whatever the clip's length. Where networks
compute features, several clips are streamed before the first of them is scored, so that their frames share batches.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import numpy as np

from eval.cache import FeatureCache, FeatureKey
from eval.case import Case
from eval.clip import ClipError, ClipInfo, ClipSource, SoundChunk, StreamFacts, Window
from eval.encoders.local import pinned
from eval.facts import facts_from_arrays, facts_to_arrays
from eval.feature import (
    FEATURES,
    Arrays,
    Feature,
    NotMeasurable,
    Pending,
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

    features: arrays by feature; unmeasured: why there are none, for each other feature that was wanted.
    decodes: how often the clip was decoded (0 when every feature was cached, else 1).
    computed: names of the features computed now rather than read from the cache.
    """

    info: ClipInfo
    facts: StreamFacts | None
    scores: tuple[Score, ...]
    features: Mapping[str, Arrays] = field(repr=False, default_factory=dict)
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    decodes: int = 0
    computed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Job:
    """One feature on its way through one clip."""

    feature: Feature
    arrays: Arrays | None = None
    accumulator: PictureAccumulator | SoundAccumulator | None = None
    pending: Pending | None = None
    status: Status = "ok"
    reason: str = ""
    seconds: float = 0.0
    users: int = 1

    @property
    def running(self) -> bool:
        return self.status == "ok" and self.arrays is None

    def stop(self, status: Status, reason: str) -> None:
        self.status, self.reason = status, reason
        self.accumulator = self.pending = None


@dataclass(frozen=True, slots=True)
class ClipToScore:
    """A clip to be scored, and the case that it answers, if any."""

    source: ClipSource
    case: Case | None = None


@dataclass(slots=True)
class _Streamed:
    """A clip that has been through the decoder; a shared network may still owe some of its features."""

    asked: ClipToScore
    jobs: Mapping[str, _Job]
    waiting: Sequence[_Job]
    facts: StreamFacts | None
    broken: str
    decodes: int
    settled: bool = False


class ClipScorer:
    """Scores clips as they are brought, each decoded at most once, each feature computed at most once.

    prompts: all different prompts of the suite, for metrics that rank them.
    also: names of features to compute beyond those that the metrics need: for measures of whole sets of clips.
    ahead: clips streamed beyond the one that is scored next, so that networks can fill their batches.
    Every metric gets a Score. A metric that does not apply is `skipped`; a clip that breaks off makes its metrics
    `failed`; neither raises. OSError from the cache (a full disk) does.
    """

    def __init__(
        self,
        metrics: Iterable[Metric],
        *,
        cache: FeatureCache | None = None,
        prompts: Sequence[str] = (),
        also: Sequence[str] = (),
        ahead: int = 0,
    ) -> None:
        self._metrics, self._cache, self._prompts, self._also = tuple(metrics), cache, tuple(prompts), tuple(also)
        self._ahead = ahead
        self._line: deque[_Streamed] = deque()

    def add(self, asked: ClipToScore) -> ClipScores | None:
        """Stream one more clip, whose file is not needed afterwards; the scores of the `ahead`th before it, if any."""
        for earlier in self._line:
            if earlier.asked.source.info.sha256 == asked.source.info.sha256:
                _settle(earlier, self._cache)  # so that the same clip finds its features in the cache
        self._line.append(_streamed(asked, self._metrics, self._also, self._cache))
        return self._next() if len(self._line) > self._ahead else None

    def finish(self) -> Iterator[ClipScores]:
        """The scores of the clips that are left, in order."""
        while self._line:
            yield self._next()

    def _next(self) -> ClipScores:
        return _finished(self._line.popleft(), self._metrics, self._cache, self._prompts)


def score_clips(
    clips: Iterable[ClipToScore],
    metrics: Iterable[Metric],
    *,
    cache: FeatureCache | None = None,
    prompts: Sequence[str] = (),
    also: Sequence[str] = (),
    ahead: int = 0,
) -> Iterator[ClipScores]:
    """Score clips in order, as ClipScorer does."""
    scorer = ClipScorer(metrics, cache=cache, prompts=prompts, also=also, ahead=ahead)
    for asked in clips:
        if scored := scorer.add(asked):
            yield scored
    yield from scorer.finish()


def score_clip(
    source: ClipSource,
    metrics: Iterable[Metric],
    *,
    case: Case | None = None,
    cache: FeatureCache | None = None,
    prompts: Sequence[str] = (),
    also: Sequence[str] = (),
) -> ClipScores:
    """Score one clip, as score_clips does."""
    return next(score_clips([ClipToScore(source, case)], metrics, cache=cache, prompts=prompts, also=also))


def _streamed(
    asked: ClipToScore, metrics: Sequence[Metric], also: Sequence[str], cache: FeatureCache | None
) -> _Streamed:
    info = asked.source.info
    jobs = _plan(info, metrics, also, asked.case)
    facts = _from_cache(info, jobs, cache)
    for job in jobs.values():
        _guard(job, partial(_start, job, info))  # before decoding: where weights are missing, nothing is to be decoded
    waiting = [job for job in jobs.values() if job.running]
    decodes = int(bool(waiting) or facts is None)
    broken = ""
    if decodes:
        decoded = _stream(asked.source, waiting, facts is None)
        if isinstance(decoded, str):
            facts, broken = None, decoded
        else:
            facts = facts or decoded
    return _Streamed(asked, jobs, waiting, facts, broken, decodes)


def _finished(
    clip: _Streamed, metrics: Sequence[Metric], cache: FeatureCache | None, prompts: tuple[str, ...]
) -> ClipScores:
    _settle(clip, cache)
    info, jobs = clip.asked.source.info, clip.jobs
    features = {name: job.arrays for name, job in jobs.items() if job.arrays is not None}
    measured = None if clip.facts is None else Measured(info, clip.facts, features, clip.asked.case, prompts)
    return ClipScores(
        info=info,
        facts=clip.facts,
        scores=tuple(_score(metric, info, measured or clip.broken, jobs, clip.asked.case) for metric in metrics),
        features=features,
        unmeasured={name: job.reason for name, job in jobs.items() if job.arrays is None},
        decodes=clip.decodes,
        computed=tuple(job.feature.name for job in clip.waiting),
    )


def _settle(clip: _Streamed, cache: FeatureCache | None) -> None:
    """Have the networks compute what they owe, and store it, once."""
    if clip.settled:
        return
    clip.settled = True
    for job in clip.waiting:
        _guard(job, partial(_resolve, job))
    if clip.decodes and clip.facts is not None:
        _store(clip.asked.source.info, clip.waiting, clip.facts, cache)


def unreadable(metrics: Iterable[Metric], reason: str, status: Status = "failed") -> tuple[Score, ...]:
    """The scores of a clip that could not be opened, or is not there: one row per metric, none lost."""
    return tuple(Score(m.spec.name, m.spec.version, None, status, reason) for m in metrics)


def _lacking(spec: MetricSpec, info: ClipInfo, case: Case | None) -> str:
    """Why the metric cannot apply, whatever the clip shows; empty where it may."""
    if spec.needs_sound and not info.has_audio:
        return "the clip has no sound"
    if spec.needs_prompt and (case is None or not case.prompt.strip()):
        return "the clip has no prompt"
    if spec.needs_portrait and not (case and case.portraits):
        return "the case has no portrait"
    truth = {} if case is None or case.truth is None else case.truth
    absent = [name for name in spec.needs_truth if name not in truth]
    if absent:
        return f"the case's truth has no '{absent[0]}', which cases of the Backlot suites have"
    try:
        for name in spec.encoders:
            pinned(name)
    except (NotMeasurable, OSError) as reason:
        return str(reason)
    return ""


def _plan(info: ClipInfo, metrics: Sequence[Metric], also: Sequence[str], case: Case | None) -> dict[str, _Job]:
    jobs: dict[str, _Job] = {}
    for metric in metrics:
        if _lacking(metric.spec, info, case):
            continue
        for name in metric.spec.needs:
            if name in jobs:
                jobs[name].users += 1
            else:
                jobs[name] = _Job(FEATURES.get(name))
    for name in also:
        jobs.setdefault(name, _Job(FEATURES.get(name)))
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
    finished = job.accumulator.finish()
    job.accumulator = None
    if isinstance(finished, Mapping):
        job.arrays = finished
    else:
        job.pending = finished


def _resolve(job: _Job) -> None:
    assert job.pending is not None
    job.arrays = job.pending.result()
    job.pending = None


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
    metric: Metric, info: ClipInfo, measured: Measured | str, jobs: Mapping[str, _Job], case: Case | None
) -> Score:
    spec = metric.spec
    if lacking := _lacking(spec, info, case):
        return Score(spec.name, spec.version, None, "skipped", lacking)
    used = [jobs[name] for name in spec.needs]
    broken = next((job for job in used if job.arrays is None), None)
    seconds = sum(job.seconds / job.users for job in used)
    encoder, weights = _encoders(spec, [job.feature for job in used])
    if broken is not None:
        return Score(spec.name, spec.version, None, broken.status, broken.reason, encoder, weights, seconds)
    if isinstance(measured, str):
        return Score(spec.name, spec.version, None, "failed", measured, encoder, weights)
    begun = time.perf_counter()
    value, status, reason = _value(metric, measured)
    seconds += time.perf_counter() - begun
    return Score(spec.name, spec.version, value, status, reason, encoder, weights, seconds)


def _encoders(spec: MetricSpec, features: Sequence[Feature]) -> tuple[str, str]:
    """Names and hashes of the networks behind a metric, each once."""
    used = {feature.encoder: feature.weights_sha256 for feature in features if feature.encoder}
    used |= {name: pinned(name).sha256 for name in spec.encoders if name not in used}
    return "+".join(used), "+".join(filter(None, used.values()))


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
