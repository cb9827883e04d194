"""Try a generator on one case before a sweep is spent on it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clip_store import CLIPS
from benchmarks.generator import GeneratorSpec
from benchmarks.suite import load_suite, suite_path
from benchmarks.sweep import with_cases
from benchmarks.unit import Setup, Task, Worker


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether the case was answered with a readable clip, and what to tell the user."""

    well: bool
    lines: tuple[str, ...]


def try_generator(text: str, suite_name: str) -> Trial:
    """Answer the suite's first case with the generator that `text` names. Raises ValueError for a wrong name."""
    spec = GeneratorSpec.parse(text)
    suite = with_cases(load_suite(suite_name), [spec])
    cases = tuple(suite.expand(suite_path(suite_name).parent))
    generator = spec.make(cases)
    lines = generator.report(cases) if hasattr(generator, "report") else []
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / CLIPS).mkdir()
        names = tuple(metric.name for metric in suite.metrics)
        worker = Worker(Setup((spec,), cases, names, Path(folder), Path(folder) / "cache"))
        result = worker.do(Task(0, 0))
    lines.append(f"case {result.case!r}: {result.prompt[:80]}")
    if result.status != "ok":
        return Trial(False, (*lines, f"{result.status}: {result.reason}"))
    form = f"{result.width}x{result.height}, {result.fps:g} fps, {result.duration_s:.2f} s, {result.frames} frames"
    lines.append(f"clip: {form}, {'sound' if result.has_audio else 'no sound'}")
    lines.extend(f"note: {note}" for note in result.notes)
    scored = [score for score in result.scores if score.status == "ok"]
    lines.append(f"scores: {len(scored)} of {len(result.scores)} metrics")
    lines.extend(f"  {score.metric}: {score.reason}" for score in result.scores if score.status != "ok")
    lines.append(f"{spec.name} answers: ready to sweep")
    return Trial(True, tuple(lines))
