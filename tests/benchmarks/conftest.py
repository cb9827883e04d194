"""Runs made of numbers alone: no clip is generated or scored."""

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.manifest import CodeFacts, EnvironmentFacts, GeneratorFacts, Manifest, MetricFacts
from benchmarks.records import UnitResult
from benchmarks.store import Run, RunWriter
from benchmarks.suite import CaseModel, MetricModel, Suite
from eval.hashing import json_sha256
from eval.planner import Score

HIGHER = MetricFacts(name="sharp", version=1, family="picture", unit="1", low=0, high=1, direction="higher")
LOWER = MetricFacts(name="noisy", version=1, family="picture", unit="1", low=0, high=1, direction="lower")


def make_manifest(metrics=(HIGHER,), generators=("a", "b"), cases=8, seeds=(0,), run="r1", models=None, **suite):
    """A manifest of `cases` cases c0, c1, …; keyword arguments go to the suite."""
    content = Suite.model_construct(
        **{
            "name": "made",
            "version": 1,
            "seeds": tuple(seeds),
            "metrics": tuple(models or [MetricModel.model_construct(name=facts.name) for facts in metrics]),
            "cases": tuple(CaseModel(id=f"c{c}") for c in range(cases)),
            **suite,
        }
    ).model_dump(mode="json")
    return Manifest(
        run=run,
        created=datetime(2026, 11, 1, tzinfo=UTC),
        suite_name="made",
        suite_version=1,
        suite_hash=json_sha256(content),
        suite=content,
        metrics=tuple(metrics),
        generators=tuple(g if isinstance(g, GeneratorFacts) else GeneratorFacts(name=g) for g in generators),
        code=CodeFacts(version="0"),
        environment=EnvironmentFacts(python="3", platform="any", cpu_count=1),
        planned_units=len(generators) * cases * len(seeds),
        status="complete",
    )


def make_unit(generator="a", case="c0", seed=0, values=None, sha="", **record):
    """A unit from {metric: value}; a text instead of a number is a status, with a reason."""
    scores = [
        Score(name, 1, None, value, f"{value} for a test") if isinstance(value, str) else Score(name, 1, value, "ok")
        for name, value in (values or {"sharp": 0.5}).items()
    ]
    return UnitResult(generator, case, seed, scores, sha or "0" * 64, **record)


@pytest.fixture(scope="session")
def manifest():
    return make_manifest


@pytest.fixture(scope="session")
def unit():
    return make_unit


@pytest.fixture
def run_of(tmp_path):
    """Write a run from values_GMC (or GMCS with seeds); NaN is a skipped row, a missing row where `absent` says so."""

    def write(values, metrics=(HIGHER,), generators=None, absent=(), run="r1", **suite):
        values_GMCS = np.asarray(values, float)
        values_GMCS = values_GMCS[..., None] if values_GMCS.ndim == 3 else values_GMCS
        G, _, C, S = values_GMCS.shape
        names = generators or [chr(ord("a") + g) for g in range(G)]
        made = make_manifest(metrics, names, C, range(S), run, **suite)
        with RunWriter.create(tmp_path / "runs" / run, made) as writer:
            for g, c, s in np.ndindex(G, C, S):
                if (g, c) in absent:
                    continue
                numbers = {
                    facts.name: "skipped" if np.isnan(value) else float(value)
                    for facts, value in zip(metrics, values_GMCS[g, :, c, s], strict=True)
                }
                name = names[g].name if isinstance(names[g], GeneratorFacts) else names[g]
                writer.add(make_unit(name, f"c{c}", s, numbers))
        return Run(tmp_path / "runs" / run)

    return write


@pytest.fixture(scope="session")
def facts():
    """Metric facts by what differs from an ordinary metric of range 0 to 1."""

    def make(name="sharp", **changes):
        return HIGHER.model_copy(update={"name": name, **changes})

    return make
