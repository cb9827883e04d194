"""Where reference clips lie on every metric: the bands that `band` metrics are judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.suite import Quantiles, ReferenceModel, Suite
from eval.cache import FeatureCache
from eval.errors import UserError
from eval.hashing import json_sha256
from eval.metric import METRICS, Metric
from eval.planner import ClipToScore, score_clip

LEAST_CLIPS = 8
"""With fewer clips the 5% and 95% quantiles are little more than the extremes of a handful."""


def calibrate(
    metrics: Sequence[Metric], clips: Iterable[ClipToScore], made_by: str, cache: FeatureCache | None = None
) -> ReferenceModel:
    """Score the reference clips and keep the quantiles of each `band` metric.

    Raises UserError when fewer than LEAST_CLIPS clips could be scored, naming how many there were.
    """
    bands = [metric for metric in metrics if metric.spec.direction == "band"]
    values: dict[str, list[float]] = defaultdict(list)
    hashes = []
    for clip in clips:
        hashes.append(clip.source.info.sha256)
        for score in score_clip(clip.source, bands, case=clip.case, cache=cache).scores:
            if score.value is not None:
                values[score.metric].append(score.value)
    if len(hashes) < LEAST_CLIPS:
        raise UserError(f"{made_by}: {len(hashes)} reference clips; at least {LEAST_CLIPS} are needed for a band")
    quantiles = {
        metric.spec.name: _quantiles(metric.spec.version, values[metric.spec.name])
        for metric in bands
        if len(values[metric.spec.name]) >= LEAST_CLIPS
    }
    return ReferenceModel(
        made_by=made_by, clips=len(hashes), clips_sha256=json_sha256(sorted(hashes)), quantiles=quantiles
    )


def with_reference(suite: Suite, reference: ReferenceModel) -> Suite:
    """The suite judged by other reference clips. Its hash changes with them: results are not comparable across."""
    return suite.model_copy(update={"reference": reference})


def suite_metrics(suite: Suite) -> tuple[Metric, ...]:
    """The registered metrics of a suite, in the suite's order."""
    return tuple(METRICS.get(metric.name) for metric in suite.metrics)


def _quantiles(version: int, values: Sequence[float]) -> Quantiles:
    # Rounded: a suite's hash must not hang on the last bits of a machine's arithmetic.
    low, middle, high = (float(f"{value:.6g}") for value in np.quantile(values, [0.05, 0.5, 0.95]))
    return Quantiles(version=version, q05=low, q50=middle, q95=high, clips=len(values))
