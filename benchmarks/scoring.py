"""Score clips that exist already, without a run: what `moviegen score` does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.executors import ExecutorName, Job, execute
from benchmarks.in_flight import clips_ahead, usual_executor
from eval.cache import FeatureCache
from eval.case import Asked, Case, different_prompts
from eval.clip import ClipError, ClipInfo
from eval.findings import Finding, findings
from eval.hashing import file_sha256
from eval.metric import METRICS, Metric
from eval.planner import ClipScorer, ClipScores, ClipToScore, Score, unreadable
from eval.video import open_clip


@dataclass(frozen=True, slots=True)
class ScoredClip:
    """One clip's scores and what they say. `info` is None, and `error` says why, where it could not be opened."""

    path: Path
    sha256: str
    info: ClipInfo | None
    scores: tuple[Score, ...]
    findings: tuple[Finding, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker needs.

    also: features that no metric of a clip needs, for measures of whole sets. portraits: of the people asked for, name
    → path, by clip.
    """

    metrics: tuple[str, ...]
    cache_folder: Path | None
    asked: Asked
    prompts: Mapping[Path, str]
    also: tuple[str, ...] = ()
    portraits: Mapping[Path, Mapping[str, str]] = field(default_factory=dict)


def score_paths(
    paths: Sequence[Path], setup: Setup, executor: ExecutorName | None = None, workers: int | None = None
) -> Iterator[ScoredClip]:
    """Score each path, in any order. A clip that cannot be read is a ScoredClip with its reason, never an exception.

    executor: None: this process for a single clip, or for networks on a GPU; else several. Raises DeviceError.
    """
    job = Job(_score_here, _prepare, setup, partial(_lost, setup), _score_all_here)
    usual: ExecutorName = "serial" if len(paths) == 1 else usual_executor(_metrics(setup), setup.also)
    return execute(executor or usual, job, paths, workers)


# One per process, like the sweep's workers: pools start a process once and then send it bare paths.
_SETUP: list[Setup] = []


def _prepare(setup: Setup) -> None:
    import cv2

    cv2.setNumThreads(1)  # the work is parallel over clips already
    _SETUP[:] = [setup]


def _score_here(path: Path) -> ScoredClip:
    return score_path(path, _SETUP[0])


def _score_all_here(paths: Iterable[Path]) -> Iterator[ScoredClip]:
    return score_in_turn(paths, _SETUP[0])


def score_path(path: Path, setup: Setup) -> ScoredClip:
    """Score one clip."""
    return next(score_in_turn([path], setup))


def score_in_turn(paths: Iterable[Path], setup: Setup) -> Iterator[ScoredClip]:
    """Score each path in this process; clips are in flight together where networks gain by it."""
    metrics = _metrics(setup)
    cache = None if setup.cache_folder is None else FeatureCache(setup.cache_folder)
    prompts = different_prompts(setup.prompts.values())
    ahead = clips_ahead(metrics, setup.also)
    scorer = ClipScorer(metrics, cache=cache, prompts=prompts, also=setup.also, ahead=ahead)
    line: deque[Path] = deque()
    for path in paths:
        try:
            source = open_clip(path)
        except ClipError as error:
            yield _unread(path, setup, str(error))
            continue
        line.append(path)
        case = Case(
            id=path.stem,
            prompt=setup.prompts.get(path, ""),
            asked=setup.asked,
            references=setup.portraits.get(path, {}),
        )
        if scored := scorer.add(ClipToScore(source, case)):
            yield _scored(line.popleft(), setup, scored)
    for scored in scorer.finish():
        yield _scored(line.popleft(), setup, scored)


def _scored(path: Path, setup: Setup, scored: ClipScores) -> ScoredClip:
    if scored.facts is None:
        reasons = [score.reason for score in scored.scores if score.status == "failed"]
        return _unread(path, setup, next(iter([*reasons, *scored.unmeasured.values()]), "unreadable"))
    found = findings(scored.info, scored.facts, scored.scores)
    return ScoredClip(path, scored.info.sha256, scored.info, scored.scores, found)


def _metrics(setup: Setup) -> tuple[Metric, ...]:
    return tuple(METRICS.get(name) for name in setup.metrics)


def _unread(path: Path, setup: Setup, reason: str) -> ScoredClip:
    scores = unreadable(_metrics(setup), reason)
    sha256 = file_sha256(path) if path.is_file() else ""
    return ScoredClip(path, sha256, None, scores, (Finding("failed", reason),), reason)


def _lost(setup: Setup, path: Path) -> ScoredClip:
    return _unread(path, setup, "the worker process died twice on this clip (out of memory, or a crash in a library)")
