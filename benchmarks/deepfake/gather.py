"""Which clips an audit is about: those of a generator's run, or those of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bias.sweep import audit_run, with_seeds
from benchmarks.clip_files import find_clips, read_table
from benchmarks.generator import KINDS, GeneratorError, GeneratorSpec, parse_generators
from benchmarks.store import Run, RunWriter
from benchmarks.suite import MetricModel, Suite, load_suite
from benchmarks.sweep import Options, with_cases
from safety.deepfake.errors import DeepfakeError
from safety.deepfake.observe import ClipRef, Observed, Side

CHEAP = "exposure"
"""The one metric of the audit's own suite: a sweep needs one, and the audit reads none."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """clips: to be looked at. missing: clips that were asked for and are not there."""

    clips: tuple[ClipRef, ...]
    missing: tuple[Observed, ...] = ()


def audit_suite(name: str, specs: Sequence[GeneratorSpec], seeds: int | None, limit: int | None) -> Suite:
    """The cases of a suite without its metrics: clips are made, and only looked at by the audit."""
    suite = with_cases(with_seeds(load_suite(name), seeds), specs, limit)
    bare: dict[str, object] = {
        "metrics": (MetricModel(name=CHEAP),),
        "set_metrics": (),
        "families": {},
        "reference": None,
        "real": None,
    }
    return suite.model_copy(update={**bare, "name": f"deepfake-{suite.name}"[:40]})


def run_for(suite: Suite, spec: GeneratorSpec, runs: Path, options: Options) -> RunWriter:
    """The generator's run over the suite: a new one, or the one begun before."""
    return audit_run(suite, spec, runs, options, None)


def run_clips(run: Run, generator: str, side: Side) -> Gathered:
    """What a generator of a run answered. A prompt is a group, shared with every other generator of the same suite."""
    clips, missing = [], []
    table = run.clips(generator=generator)
    names = ("case", "seed", "file", "status", "reason")
    for case, seed, file, status, reason in zip(*(table[name].tolist() for name in names), strict=True):
        path = run.clip_path(file) if file else None
        ref = ClipRef(path or run.folder, f"{case}, seed {seed}", side, generator, f"case {case}", int(seed))
        if status == "ok" and path is not None:
            clips.append(ref)
        else:
            missing.append(Observed(ref, reason=reason or "the clip is no longer in the run's folder"))
    return Gathered(tuple(clips), tuple(missing))


def folder_clips(folder: Path, side: Side, name: str = "") -> Gathered:
    """The clips of a folder. Those of one case or prompt, by the table beside them, are a group; others stand alone.

    Raises DeepfakeError for a folder that is not there or holds no clips, and TableError.
    """
    if not folder.is_dir():
        raise DeepfakeError(f"{folder}: there is no such folder; name one that holds clips")
    table = read_table(folder)
    own = name or folder.resolve().name
    clips = []
    for path in find_clips(folder):
        file = path.relative_to(folder).as_posix()
        row = table.get(file)
        told = "" if row is None else row.case or row.prompt
        group = f"case {told}" if told else f"file {own}/{file}"
        clips.append(ClipRef(path, file, side, own, group, 0 if row is None or row.seed is None else row.seed))
    if not clips:
        raise DeepfakeError(f"{folder}: no clips in this folder (mp4, mov, webm, mkv, avi, gif, folders of pictures)")
    return Gathered(tuple(clips))


def generator_named(text: str) -> GeneratorSpec | None:
    """What `--real TEXT` names where it is no folder: a generator such as oracle, or None."""
    if Path(text).is_dir():
        return None
    if text.partition(":")[0].rpartition("=")[2].strip() not in KINDS:
        known = "a folder of clips, or a generator whose clips stand for real ones, such as oracle"
        raise DeepfakeError(f"{text}: there is no such folder; --real takes {known}")
    return one_generator(text)


def one_generator(text: str) -> GeneratorSpec:
    """Exactly one generator. Raises GeneratorError."""
    specs = parse_generators([text])
    if len(specs) != 1:
        raise GeneratorError(f"{text!r}: name one generator here, and repeat the option for others")
    return specs[0]
