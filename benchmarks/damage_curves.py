"""What each metric of the Backlot suite does under graded damage, measured once and shipped: damage_curves.json.

    python -m benchmarks.damage_curves            measures anew and writes the file
    python -m benchmarks.damage_curves --cases 2 -o /tmp/curves.json

The clips are the oracle's answers to cases spread over the suite; every clip is damaged in every way and grade of
`damage.py` and scored as a sweep scores it. A metric that reads the sound is scored under damage to picture and sound,
one that reads the picture alone only under damage to the picture.

Shape legend: C clips, K metrics.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.damage import DAMAGES, Damage
from benchmarks.estimates import spread
from benchmarks.statistics import bootstrap_means
from eval.case import Case, different_prompts
from eval.clip import Clip
from eval.metric import Metric

Floats = npt.NDArray[np.float64]

SHIPPED = Path(__file__).parent / "damage_curves.json"
FORMAT = "moviegen-damage-curves-1"
SUITE = "backlot"
CASES = 6
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric under one kind of damage. The first point is the undamaged clip, whose strength is None.

    strengths, values, lows, highs: one entry per grade; the means over the same clips with their intervals.
    clips: how many of the clips had a value at every grade.
    """

    metric: str
    version: int
    damage: str
    summary: str
    unit: str
    strengths: tuple[float | None, ...]
    values: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    clips: int


def curves_of(metric: str, version: int) -> list[Curve]:
    """The shipped curves of a metric, in the order of the damages; none for another version, or one not measured."""
    return [
        Curve(metric, version, name, damage["summary"], damage["unit"], (None, *damage["strengths"]), *points)
        for name, damage in _shipped()["damages"].items()
        if (points := _points(metric, version, name)) is not None
    ]


def _points(metric: str, version: int, damage: str) -> tuple[Any, ...] | None:
    entry = _shipped()["metrics"].get(metric)
    if entry is None or entry["version"] != version or damage not in entry["curves"]:
        return None
    found = entry["curves"][damage]
    return (*(tuple(found[name]) for name in ("values", "lows", "highs")), found["clips"])


@cache
def _shipped() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert document["format"] == FORMAT
    return document


def measure(cases: int, report: Callable[[str], None] = print) -> dict[str, Any]:
    """Damage and score so many cases of the suite; the document that is shipped."""
    from benchmarks.generators.brackets import render_case
    from benchmarks.suite import load_suite
    from eval.metric import METRICS

    suite = load_suite(SUITE)
    every = [case for case in suite.expand() if case.seed == suite.seeds[0]]
    chosen = [every[round(place)] for place in np.linspace(0, len(every) - 1, cases)]
    prompts = different_prompts(case.prompt for case in every)
    metrics = [METRICS.get(model.name) for model in suite.metrics]
    clips = [render_case(case) for case in chosen]
    report(f"{cases} clips, {len(metrics)} metrics, undamaged")
    whole = _scores(clips, chosen, metrics, prompts)
    found: dict[str, dict[str, Any]] = {metric.spec.name: {} for metric in metrics}
    for damage in DAMAGES:
        report(f"{damage.name}: {damage.summary}")
        able = [metric for metric in metrics if _reads(metric, damage)]
        grades = [whole] + [
            _scores([damage.apply(clip, strength) for clip in clips], chosen, able, prompts)
            for strength in damage.strengths
        ]
        for metric in able:
            values_CK = np.stack([grade[metric.spec.name] for grade in grades], axis=1)
            if (curve := _curve(values_CK)) is not None:
                found[metric.spec.name][damage.name] = curve
    return {
        "format": FORMAT,
        "suite": SUITE,
        "suite_version": suite.version,
        "cases": [case.id for case in chosen],
        "confidence": CONFIDENCE,
        "damages": {
            damage.name: {"summary": damage.summary, "unit": damage.unit, "strengths": damage.strengths}
            for damage in DAMAGES
        },
        "metrics": {
            metric.spec.name: {"version": metric.spec.version, "curves": found[metric.spec.name]} for metric in metrics
        },
    }


def _reads(metric: Metric, damage: Damage) -> bool:
    """Whether the damage can reach the metric: by the streams of the features it needs."""
    from eval.feature import FEATURES

    streams = {FEATURES.get(name).stream for name in metric.spec.needs}
    return damage.stream in streams


def _scores(
    clips: Sequence[Clip], cases: Sequence[Case], metrics: Sequence[Metric], prompts: Sequence[str]
) -> dict[str, Floats]:
    """Metric → values_C, NaN where there is none."""
    from eval.clip import MemorySource
    from eval.planner import ClipToScore, score_clips

    asked = [ClipToScore(MemorySource(clip), case) for clip, case in zip(clips, cases, strict=True)]
    scored = [
        {score.metric: score.value for score in scores.scores}
        for scores in score_clips(asked, metrics, prompts=prompts)
    ]
    names = [metric.spec.name for metric in metrics]
    return {name: np.array([_number(each.get(name)) for each in scored], np.float64) for name in names}


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _curve(values_CK: Floats) -> dict[str, Any] | None:
    """Means and intervals over the clips that have a value at every grade; None with fewer than two."""
    whole_CK = values_CK[~np.isnan(values_CK).any(axis=1)]
    if len(whole_CK) < 2:
        return None
    means_K = whole_CK.mean(axis=0)
    draws_BK = bootstrap_means(whole_CK, 2000, np.random.default_rng(0))
    ends = spread(means_K, draws_BK, np.full(len(means_K), len(whole_CK)), CONFIDENCE)
    rounded = {
        name: [float(f"{value:.6g}") for value in values]
        for name, values in (("values", means_K), ("lows", ends.low), ("highs", ends.high))
    }
    return {**rounded, "clips": len(whole_CK)}


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """For each metric, the damage that moves it most, in units of the undamaged interval's half width."""
    for name, entry in document["metrics"].items():
        moved = {
            damage: abs(curve["values"][-1] - curve["values"][0])
            / max((curve["highs"][0] - curve["lows"][0]) / 2, 1e-9)
            for damage, curve in entry["curves"].items()
        }
        if moved:
            most = max(moved, key=lambda damage: moved[damage])
            curve = entry["curves"][most]
            yield f"{name}: most by {most}: {curve['values'][0]:.4g} to {curve['values'][-1]:.4g}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage_curves", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES, help="of the suite, spread over it")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    asked = parser.parse_args(arguments)
    document = measure(asked.cases, lambda line: print(line, file=sys.stderr, flush=True))
    asked.output.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in _lines(document):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
