"""One unit of a sweep, from the case to its rows: generate, store the clip, score it. Runs inside a worker."""

from __future__ import annotations

import errno
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.clip_store import TEMPORARY, adopt_clip
from benchmarks.generator import Generator, GeneratorSpec, NoClip
from benchmarks.in_flight import clips_ahead
from benchmarks.plain import plain_line
from benchmarks.records import UnitResult
from eval.cache import FeatureCache
from eval.case import Case, different_prompts
from eval.clip import Clip, ClipError, ClipSource
from eval.hashing import file_sha256
from eval.metric import METRICS, Metric, Status
from eval.planner import ClipScorer, ClipScores, ClipToScore, unreadable
from eval.video import open_clip, write_clip

REASON_LENGTH = 300
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker of a sweep needs; small enough to be sent to each.

    also: features that no metric of a clip needs, for measures of whole sets.
    """

    generators: tuple[GeneratorSpec, ...]
    cases: tuple[Case, ...]
    metrics: tuple[str, ...]
    run_folder: Path
    cache_folder: Path
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One unit: indices into the setup, and the clip of an earlier run when it may be used again."""

    generator: int
    case: int
    reuse: Path | None = None


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip that can be opened, on its way to its scores. file: its name in the run."""

    spec: GeneratorSpec
    case: Case
    source: ClipSource
    generate_seconds: float
    file: str = ""


class Worker:
    """Does tasks; generators and metrics are set up once."""

    def __init__(self, setup: Setup) -> None:
        import cv2

        cv2.setNumThreads(1)  # the sweep is parallel over units already
        self._setup = setup
        self._metrics: tuple[Metric, ...] = tuple(METRICS.get(name) for name in setup.metrics)
        self._cache = FeatureCache(setup.cache_folder)
        self._prompts = different_prompts(case.prompt for case in setup.cases)
        self._generators: dict[int, Generator] = {}

    def do(self, task: Task) -> UnitResult:
        """The unit's result, whatever happens to it; only a full disk raises (OSError)."""
        return next(self.stream([task]))

    def stream(self, tasks: Iterable[Task]) -> Iterator[UnitResult]:
        """The results of many units, as `do` gives them; clips are in flight together where networks gain by it."""
        also = self._setup.also
        ahead = clips_ahead(self._metrics, also)
        scorer = ClipScorer(self._metrics, cache=self._cache, prompts=self._prompts, also=also, ahead=ahead)
        line: deque[_Clip] = deque()
        spent_s = 0.0  # on scoring since the last result; with clips in flight there is no clip's own time
        for task in tasks:
            with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=self._setup.run_folder) as scratch:
                made = self._make(task, Path(scratch))
                if isinstance(made, UnitResult):
                    yield made
                    continue
                clip, path = made
                begun = time.perf_counter()
                scored = scorer.add(ClipToScore(clip.source, clip.case))
                line.append(replace(clip, file=self._adopted(path, clip.source.info.sha256)))
            spent_s += time.perf_counter() - begun
            if scored is not None:
                yield replace(self._result(line.popleft(), scored), score_seconds=spent_s)
                spent_s = 0.0
        begun = time.perf_counter() - spent_s
        for scored in scorer.finish():
            yield replace(self._result(line.popleft(), scored), score_seconds=time.perf_counter() - begun)
            begun = time.perf_counter()

    def _make(self, task: Task, scratch: Path) -> tuple[_Clip, Path] | UnitResult:
        """The clip and its file, or the result of a unit that has none that can be opened."""
        spec, case = self._setup.generators[task.generator], self._setup.cases[task.case]
        begun = time.perf_counter()
        try:
            path = task.reuse or self._answer(task.generator, case, scratch)
        except NoClip as reason:
            return self._nothing(spec, case, "missing", str(reason))
        except Exception as error:  # a stranger's generator may raise anything: it costs this unit only
            if out_of_space(error):
                raise
            return self._nothing(spec, case, "failed", f"{spec.name}: {type(error).__name__}: {error}")
        seconds = time.perf_counter() - begun
        try:
            return _Clip(spec, case, open_clip(path), seconds), path
        except ClipError as error:
            sha256 = file_sha256(path) if path.is_file() else ""
            nothing = self._nothing(spec, case, "failed", str(error))
            return replace(nothing, clip_sha256=sha256, generate_seconds=seconds)

    def _answer(self, index: int, case: Case, scratch: Path) -> Path:
        if index not in self._generators:
            self._generators[index] = self._setup.generators[index].make(self._setup.cases)
        private = scratch / "answer"
        private.mkdir()
        answer = self._generators[index].generate(case, private)
        if isinstance(answer, Clip):
            path = scratch / "clip.mp4"
            write_clip(answer, path)
            return path
        return answer

    def _adopted(self, path: Path, sha256: str) -> str:
        return adopt_clip(self._setup.run_folder, path, sha256) if path.is_file() else ""

    def _result(self, clip: _Clip, scored: ClipScores) -> UnitResult:
        info, facts = scored.info, scored.facts
        broken = (
            "" if facts is not None else next((s.reason for s in scored.scores if s.status == "failed"), "unreadable")
        )
        return replace(
            self._blank(clip.spec, clip.case),
            scores=scored.scores,
            clip_sha256=info.sha256,
            file=clip.file,
            status="failed" if broken else "ok",
            reason=plain_line(broken, REASON_LENGTH),
            width=info.width,
            height=info.height,
            fps=info.fps,
            duration_s=info.duration_s,
            has_audio=info.has_audio,
            frames=None if facts is None else facts.frames,
            notes=info.notes + (() if facts is None else facts.notes),
            generate_seconds=clip.generate_seconds,
            decodes=scored.decodes,
            computed=scored.computed,
        )

    def _nothing(self, spec: GeneratorSpec, case: Case, status: Status, reason: str) -> UnitResult:
        line = plain_line(reason, REASON_LENGTH)
        scores = unreadable(self._metrics, line, status)
        return replace(self._blank(spec, case), scores=scores, status=status, reason=line)

    @staticmethod
    def _blank(spec: GeneratorSpec, case: Case) -> UnitResult:
        return UnitResult(spec.name, case.id, case.seed, (), prompt=case.prompt, tags=case.tags)


def out_of_space(error: BaseException) -> bool:
    """Is this error a full disk (or quota)?"""
    return isinstance(error, OSError) and error.errno in NO_SPACE


# One worker per process: pools start a process once and then send it bare tasks.
_WORKERS: list[Worker] = []


def prepare(setup: Setup) -> None:
    """Set this process up for a sweep."""
    _WORKERS[:] = [Worker(setup)]


def work(task: Task) -> UnitResult:
    """Do one task in a prepared process."""
    return _WORKERS[0].do(task)


def work_through(tasks: Iterable[Task]) -> Iterator[UnitResult]:
    """Do many tasks in a prepared process."""
    return _WORKERS[0].stream(tasks)


def lost(setup: Setup, task: Task) -> UnitResult:
    """The result of a unit whose worker process died twice."""
    spec, case = setup.generators[task.generator], setup.cases[task.case]
    metrics: Sequence[Any] = [METRICS.get(name) for name in setup.metrics]
    reason = "the worker process died (out of memory, or a crash in a library) twice on this clip"
    return UnitResult(
        spec.name,
        case.id,
        case.seed,
        unreadable(metrics, reason),
        status="failed",
        reason=reason,
        prompt=case.prompt,
        tags=case.tags,
    )
