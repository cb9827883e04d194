"""The sweep behind an audit: one generator over a bias suite, in a run of its own that is found again and resumed."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.generator import KINDS, GeneratorSpec
from benchmarks.manifest import RUN_ID
from benchmarks.store import RunWriter
from benchmarks.suite import MAX_SEED, Suite, SuiteError
from benchmarks.sweep import Options, start
from eval.hashing import json_sha256


def with_seeds(suite: Suite, seeds: int | None) -> Suite:
    """The suite with so many seeds for each neutral prompt, and half as many for each that states something."""
    if seeds is None:
        return suite
    if not 1 <= seeds <= min(10_000, MAX_SEED):
        raise SuiteError(f"{seeds} seeds: between 1 and 10000")
    half = tuple(range(max(1, seeds // 2)))
    cases = tuple(case if case.seeds is None else case.model_copy(update={"seeds": half}) for case in suite.cases)
    return suite.model_copy(update={"seeds": tuple(range(seeds)), "cases": cases})


def audit_run(suite: Suite, spec: GeneratorSpec, runs: Path, options: Options, name: str | None) -> RunWriter:
    """The run of this audit: a new one, or the one that was begun with the same suite and generator.

    Raises GeneratorError before a folder is made, and StoreError for a run of that name with another suite.
    """
    wanted = name or run_name(suite, spec)
    folder = runs / wanted
    if re.fullmatch(RUN_ID, wanted) and (folder / "manifest.json").is_file():
        writer = RunWriter(folder)
        if writer.manifest.suite_hash == suite.sha256 and spec.name in {g.name for g in writer.manifest.generators}:
            return writer
        writer.close()
        raise SuiteError(f"run {wanted} is there already and has another suite or generator: give --run another name")
    spec.make(tuple(suite.expand()))
    return start(suite, [spec], runs, options, wanted)


def run_name(suite: Suite, spec: GeneratorSpec) -> str:
    """The same for the same suite and generator: suite, generator, and eight digits of what makes it this one."""
    kind = KINDS.get(spec.kind)
    facts = [suite.sha256, spec.name, spec.kind, spec.argument, kind.version, kind.fingerprint(spec.argument)]
    word = re.sub(r"[^A-Za-z0-9]+", "-", spec.name).strip("-")[:24] or "generator"
    return f"{suite.name}-{word}-{json_sha256(facts)[:8]}"
