"""The last step of a sweep: the suite's set metrics of every generator whose clips are there.

What was measured of the same inputs before is kept, so that a resumed sweep measures each set once.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.real_clips import real_set
from benchmarks.set_features import StoredFeatures, why_unusable
from benchmarks.set_rows import SetRow, read_set_rows, write_set_rows
from benchmarks.set_scoring import Answer, blank_row, measured_row
from benchmarks.store import Run, RunWriter, StoreError
from benchmarks.suite import Suite
from eval.distribution.spec import SET_METRICS


def set_features(suite: Suite) -> tuple[str, ...]:
    """The features of every clip that the suite's set metrics need, and that can be had here.

    None without real clips to compare with: the sets could not be measured then.
    """
    names = dict.fromkeys(SET_METRICS.get(name).spec.feature for name in suite.set_metrics)
    return tuple(name for name in names if suite.real is not None and not why_unusable(name))


def measure_sets(writer: RunWriter, stored: StoredFeatures, report: Callable[[str], None] = lambda _: None) -> int:
    """Measure what is not there yet and write all set rows of the run; returns how many were measured now.

    report: told what is measured next. Raises OSError (a full disk) and StoreError (a metric's version has changed).
    """
    manifest, suite = writer.manifest, writer.manifest.parsed_suite()
    metrics = [SET_METRICS.get(facts.name) for facts in manifest.set_metrics]
    for metric, facts in zip(metrics, manifest.set_metrics, strict=True):
        if metric.spec.version != facts.version:
            was = f"was version {facts.version} and is {metric.spec.version} now"
            raise StoreError(f"run {manifest.run}: set metric {facts.name!r} {was}: start a new run")
    if not metrics:
        return 0
    real = real_set(suite.real, manifest.real_folder, stored)
    answers = answers_of(Run(writer.folder))
    known = {(row.generator, row.metric): row for row in read_set_rows(writer.folder)}
    rows: list[SetRow] = []
    measured = 0
    for generator, own in answers.items():
        for metric in metrics:
            blank = blank_row(metric, generator, own, real.sha256)
            before = known.get((generator, metric.spec.name))
            if before is not None and before.status == "ok" and before.inputs_sha256 == blank.inputs_sha256:
                rows.append(before)
                continue
            report(f"{generator} · {metric.spec.name}")
            rows.append(measured_row(blank, metric, own, real, stored, suite.minimum_coverage))
            measured += 1
    write_set_rows(writer.folder, rows, manifest.run, manifest.suite_name, manifest.suite_hash)
    return measured


def answers_of(run: Run) -> dict[str, list[Answer]]:
    """What each generator of the run was asked for, in the suite's order, with the clips that it gave."""
    clips = run.clips()
    names = ("generator", "case", "seed", "clip_sha256", "file", "status", "reason")
    given = {}
    for generator, case, seed, sha256, file, status, reason in zip(
        *(clips[name].tolist() for name in names), strict=True
    ):
        path = run.clip_path(file) if file else None
        there = status == "ok"
        answer = Answer(case, seed, sha256, path) if there else Answer(case, seed, reason=reason or status)
        given[generator, case, seed] = answer
    return {
        facts.name: [
            given.get((facts.name, case, seed), Answer(case, seed, reason="the unit was never done"))
            for case, seed in run.manifest.planned()
        ]
        for facts in run.manifest.generators
    }
