"""The sweep: every generator answers every case, every clip is scored once, every number is stored.

A sweep that is stopped, by whatever, is resumed from its folder: units already stored are not done again.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.calibrate import suite_metrics
from benchmarks.executors import ExecutorName, Job, execute
from benchmarks.generator import KINDS, GeneratorError, GeneratorSpec
from benchmarks.generators.folder import folder_cases
from benchmarks.in_flight import usual_executor
from benchmarks.manifest import RUN_ID, GeneratorFacts, Manifest, MetricFacts, SetMetricFacts
from benchmarks.provenance import code_facts, environment_facts
from benchmarks.records import Unit, UnitResult
from benchmarks.references import REFERENCES, check_references, keep_references
from benchmarks.set_features import StoredFeatures
from benchmarks.sets import measure_sets, set_features
from benchmarks.store import Run, RunWriter, StoreError
from benchmarks.suite import CaseModel, Suite
from benchmarks.unit import Setup, Task, lost, out_of_space, prepare, work, work_through
from eval.case import Case
from eval.distribution.spec import SET_METRICS
from eval.metric import METRICS, Status

FLUSH_SECONDS = 5.0
CACHE = ".cache"


class DiskFullError(RuntimeError):
    """The disk filled up; what was stored before is safe and the sweep can be resumed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is. `done` counts units stored by earlier attempts too. measuring: the set measured now."""

    done: int
    planned: int
    latest: UnitResult | None = None
    measuring: str = ""


@dataclass(slots=True)
class Summary:
    """What one attempt did."""

    run: str
    folder: Path
    planned: int
    resumed: int
    statuses: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    decodes: int = 0
    features: int = 0
    sets: int = 0
    seconds: float = 0.0

    def count(self, result: UnitResult) -> None:
        self.statuses[result.status] += 1
        self.rows.update(score.status for score in result.scores)
        self.decodes += result.decodes
        self.features += len(result.computed)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, as opposed to what: none of these can change a number, but for the rounding of networks on a GPU.

    executor: None: processes, or this one for networks on a GPU.
    also: features to compute in the same decode, for an audit that will ask for them.
    """

    executor: ExecutorName | None = None
    workers: int | None = None
    cache: Path | None = None
    reuse: Run | None = None
    flush_units: int = 64
    retry: frozenset[Status] = frozenset()
    """Statuses of stored rows that a resumed sweep tries again."""
    argv: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


def with_cases(suite: Suite, specs: Sequence[GeneratorSpec], limit: int | None = None) -> Suite:
    """The suite with its cases made definite: for a suite without any, the clips of the folders swept.

    Raises GeneratorError when there are no cases to be had.
    """
    if not suite.cases:
        folders = [Path(spec.argument) for spec in specs if spec.kind == "folder"]
        if not folders:
            raise GeneratorError(
                f"suite {suite.name!r} has no cases of its own: give it folders, as in NAME=folder:PATH"
            )
        found = {case.id: case for folder in folders for case in folder_cases(folder)}
        cases = tuple(CaseModel(id=case.id, prompt=case.prompt) for case in found.values())
        suite = suite.model_copy(update={"cases": cases})
    if limit is not None:
        cases = suite.cases[:limit]
        wanted = {path for case in cases for path in case.references.values()}
        files = {path: sha256 for path, sha256 in suite.reference_files.items() if path in wanted}
        suite = suite.model_copy(update={"cases": cases, "reference_files": files})
    if not suite.cases:
        raise GeneratorError(f"suite {suite.name!r}: no cases to sweep")
    return suite


def start(
    suite: Suite,
    specs: Sequence[GeneratorSpec],
    root: Path,
    options: Options,
    run_id: str | None = None,
    real_folder: str = "",
    suite_folder: Path | None = None,
) -> RunWriter:
    """Make a new run folder under `root`, with its manifest. Raises StoreError when it exists already.

    real_folder: where the suite's real clips lie, if they are a folder's.
    suite_folder: where the files lie that its cases refer to, if they do; the run keeps copies.
    """
    name = run_id or _fresh_id(root, suite.name)
    if not re.fullmatch(RUN_ID, name):
        rule = "letters, digits, '.', '_' and '-' only, 80 at most, a letter or digit first"
        raise StoreError(f"run name {name!r}: {rule}")
    manifest = Manifest(
        run=name,
        created=datetime.now(UTC),
        suite_name=suite.name,
        suite_version=suite.version,
        suite_hash=suite.sha256,
        suite=suite.model_dump(mode="json"),
        metrics=tuple(MetricFacts.of(metric.spec) for metric in suite_metrics(suite)),
        set_metrics=tuple(SetMetricFacts.of(SET_METRICS.get(name).spec) for name in suite.set_metrics),
        real_folder=real_folder,
        generators=tuple(_generator_facts(spec) for spec in specs),
        code=code_facts(),
        environment=environment_facts(),
        argv=options.argv,
        planned_units=len(specs) * sum(1 for _ in suite.expand()),
    )
    writer = RunWriter.create(root / name, manifest)
    if suite.reference_files:
        assert suite_folder is not None
        try:
            keep_references(suite, suite_folder, writer.folder)
        except BaseException:
            writer.close()
            raise
    return writer


def specs_of(manifest: Manifest) -> tuple[GeneratorSpec, ...]:
    """The generators of a stored run. Raises StoreError when one has changed its version since."""
    specs = []
    for facts in manifest.generators:
        spec = GeneratorSpec(facts.name, str(facts.settings["kind"]), str(facts.settings["argument"]))
        now = KINDS.get(spec.kind).version
        if str(now) != facts.version:
            raise _changed(manifest, f"generator {facts.name!r}", facts.version, now)
        specs.append(spec)
    return tuple(specs)


def changed_generators(manifest: Manifest) -> list[str]:
    """Names of generators whose program or clips have changed since the run began."""
    now = {facts.name: facts for facts in map(_generator_facts, specs_of(manifest))}
    return [facts.name for facts in manifest.generators if facts.settings != now[facts.name].settings]


def run_sweep(writer: RunWriter, options: Options, report: Callable[[Progress], None] = lambda _: None) -> Summary:
    """Do what is not done yet. Closes the writer. Raises DiskFullError; KeyboardInterrupt leaves the run resumable."""
    begun = time.perf_counter()
    with writer:
        manifest = writer.manifest
        _check_versions(manifest)
        suite, specs = manifest.parsed_suite(), specs_of(manifest)
        check_references(suite, writer.folder)
        cases = tuple(suite.expand(writer.folder.absolute() / REFERENCES))
        for spec in specs:  # set each up once, here: a mistake must show now, not as a failure of every case
            spec.make(cases)
        folder = writer.folder.absolute()  # programs run in folders of their own
        setup = Setup(
            generators=specs,
            cases=cases,
            metrics=tuple(metric.name for metric in suite.metrics),
            run_folder=folder,
            cache_folder=options.cache or folder.parent / CACHE,
            also=tuple(dict.fromkeys([*set_features(suite), *options.also])),
        )
        finished = writer.done([(facts.name, facts.version) for facts in manifest.metrics], options.retry)
        tasks = _tasks(setup, finished, _reusable(options.reuse, specs, suite))
        summary = Summary(manifest.run, folder, manifest.planned_units, resumed=len(finished))
        report(Progress(len(finished), manifest.planned_units))
        job = Job(work, prepare, setup, partial(lost, setup), work_through)
        executor = options.executor or usual_executor((METRICS.get(name) for name in setup.metrics), setup.also)
        _drain(execute(executor, job, tasks, options.workers), writer, summary, options.flush_units, report)
        summary.sets = _sets(writer, StoredFeatures(setup.cache_folder, options.executor, options.workers), report)
        writer.update_manifest(manifest.model_copy(update={"status": "complete"}))
        writer.compact()
    summary.seconds = time.perf_counter() - begun
    return summary


def _drain(
    results: Iterator[UnitResult],
    writer: RunWriter,
    summary: Summary,
    flush_units: int,
    report: Callable[[Progress], None],
) -> None:
    done, flushed = summary.resumed, time.monotonic()
    try:
        for result in results:
            writer.add(result)
            summary.count(result)
            done += 1
            if writer.pending >= flush_units or time.monotonic() - flushed > FLUSH_SECONDS:
                writer.flush()
                flushed = time.monotonic()
            report(Progress(done, summary.planned, result))
        writer.flush()
    except OSError as error:
        if not out_of_space(error):
            raise
        so_far = f"{done} of {summary.planned} units are done"
        raise DiskFullError(f"the disk is full: {so_far}; free some space, then resume run {summary.run}") from error


def _sets(writer: RunWriter, stored: StoredFeatures, report: Callable[[Progress], None]) -> int:
    planned, run = writer.manifest.planned_units, writer.manifest.run
    try:
        return measure_sets(writer, stored, lambda what: report(Progress(planned, planned, measuring=what)))
    except OSError as error:
        if not out_of_space(error):
            raise
        raise DiskFullError(f"the disk is full: all units are done; free some space, then resume run {run}") from error


def _tasks(setup: Setup, finished: set[Unit], reusable: dict[Unit, Path]) -> list[Task]:
    """What is left, case by case, so that a partial run compares its generators on the same cases."""
    return [
        Task(g, c, reusable.get(unit))
        for c, case in enumerate(setup.cases)
        for g, spec in enumerate(setup.generators)
        if (unit := Unit(spec.name, case.id, case.seed)) not in finished
    ]


def _reusable(run: Run | None, specs: Sequence[GeneratorSpec], suite: Suite) -> dict[Unit, Path]:
    """Clips of an earlier run by the same generators for exactly the same cases, reference files included.

    A bracket may look at other cases too (mismatched does), so its clips serve only an unchanged list of cases.
    """
    if run is None:
        return {}
    cases, earlier = _requests(suite), _requests(run.manifest.parsed_suite())
    before = {(case.id, case.seed): case for case in earlier}
    unchanged = {(case.id, case.seed) for case in cases if before.get((case.id, case.seed)) == case}
    now = [_generator_facts(spec) for spec in specs]
    same = {facts.name for facts in run.manifest.generators if facts in now and (not facts.bracket or earlier == cases)}
    found = {}
    clips = run.clips(status="ok")
    for generator, case, seed, file in zip(
        *(clips[name].tolist() for name in ("generator", "case", "seed", "file")), strict=True
    ):
        path = run.clip_path(file) if file else None
        if path is not None and generator in same and (case, seed) in unchanged:
            found[Unit(generator, case, seed)] = path
    return found


def _requests(suite: Suite) -> tuple[Case, ...]:
    """The cases with hashes in place of their files' paths."""
    files = suite.reference_files
    return tuple(
        replace(case, references={name: files.get(path, path) for name, path in case.references.items()})
        for case in suite.expand()
    )


def _generator_facts(spec: GeneratorSpec) -> GeneratorFacts:
    kind = KINDS.get(spec.kind)
    settings = {"kind": spec.kind, "argument": spec.argument, "fingerprint": kind.fingerprint(spec.argument)}
    return GeneratorFacts(name=spec.name, version=str(kind.version), bracket=kind.bracket or "", settings=settings)


def _check_versions(manifest: Manifest) -> None:
    for facts in manifest.metrics:
        now = METRICS.get(facts.name).spec.version
        if now != facts.version:
            raise _changed(manifest, f"metric {facts.name!r}", facts.version, now)


def _changed(manifest: Manifest, what: str, before: object, now: object) -> StoreError:
    return StoreError(f"run {manifest.run}: {what} was version {before} and is {now} now: start a new run")


def _fresh_id(root: Path, suite: str) -> str:
    stem = f"{suite}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    name, number = stem, 1
    while (root / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return name
