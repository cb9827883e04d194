"""A second sweep with one more metric: what is decoded and computed again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.generator import parse_generators
from benchmarks.store import Run
from benchmarks.suite import MetricModel, Suite, load_suite
from benchmarks.sweep import Options, Summary, run_sweep, start

CHEAP = ("temporal_flickering", "motion_magnitude")
SHARING = "motion_smoothness"
"""Needs the flow, which motion_magnitude has had computed."""
NEW = "sharpness"
"""Needs a feature that nobody has asked for yet."""


def main() -> None:
    """Print decodes and computed features of three sweeps over the same clips."""
    smoke = load_suite("smoke")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        first = _sweep(smoke, CHEAP, root, None)
        _print(f"first sweep: {', '.join(CHEAP)}", first)
        earlier = Run(first.folder)
        _print(f"one more metric that shares a feature: {SHARING}", _sweep(smoke, (*CHEAP, SHARING), root, earlier))
        _print(f"one more metric with a feature of its own: {NEW}", _sweep(smoke, (*CHEAP, NEW), root, earlier))


def _sweep(suite: Suite, names: tuple[str, ...], root: Path, earlier: Run | None) -> Summary:
    metrics = tuple(MetricModel(name=name) for name in names)
    options = Options(executor="serial", reuse=earlier)
    writer = start(suite.model_copy(update={"metrics": metrics}), parse_generators(["oracle,noise"]), root, options)
    return run_sweep(writer, options)


def _print(title: str, summary: Summary) -> None:
    clips = sum(summary.statuses.values())
    print(f"{title}: {clips} clips, {summary.decodes} decodes, {summary.features} features computed")
