"""Every metric and every set metric in one list: what it means, whose weights it needs, under which licence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from benchmarks.manifest import MetricFacts, SetMetricFacts
from eval.distribution.spec import SET_METRICS, SetFamily, SetMetric
from eval.encoders.registry import ENCODERS
from eval.feature import FEATURES
from eval.metric import METRICS, Direction, Family, Metric
from eval.registry import UnknownName, near_matches

OURS = "ours"
"""The licence of weights that were trained here and are shipped: the project's own."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One metric. kind: of each clip, or of all clips of a generator together.

    features: what is computed of a clip for it. encoders: name of each network → its weights' licence; commercial:
    whether all of them are known to allow commercial use.
    """

    name: str
    kind: Literal["clip", "set"]
    version: int
    family: str
    unit: str
    low: float
    high: float
    direction: Direction
    features: tuple[str, ...]
    encoders: dict[str, str]
    commercial: bool
    source: str
    summary: str
    blind_spots: str

    @property
    def range(self) -> str:
        """`0 to 1`, `0 to ∞ px`."""
        low, high = ("∞" if abs(end) == float("inf") else f"{abs(end):g}" for end in (self.low, self.high))
        unit = "" if self.unit in {"", "1"} else f" {self.unit}"
        return f"{'-' if self.low < 0 else ''}{low} to {'-' if self.high < 0 else ''}{high}{unit}"


def every_metric() -> list[Listed]:
    """Metrics of clips, then set metrics, by family and name."""
    listed = [*map(_clip_metric, METRICS), *map(_set_metric, SET_METRICS)]
    families = [*get_args(Family), *get_args(SetFamily)]
    return sorted(listed, key=lambda one: (families.index(one.family), one.name))


def find_metric(name: str) -> Listed:
    """One of them by name. Raises UnknownName with the nearest ones of both kinds."""
    listed = {one.name: one for one in every_metric()}
    if name in listed:
        return listed[name]
    near = near_matches(name, listed)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "moviegen metrics lists them"
    raise UnknownName(f"unknown metric {name!r}: {hint}")


def metric_document(one: Listed) -> dict[str, Any]:
    """One metric as JSON; an open end of a range is written as text, as in manifests."""
    facts = SetMetricFacts if one.kind == "set" else MetricFacts
    part = METRICS.get(one.name) if one.kind == "clip" else SET_METRICS.get(one.name)
    content: dict[str, Any] = json.loads(facts.of(part.spec).model_dump_json())  # type: ignore[arg-type]  # its own kind
    more = {"kind": one.kind, "features": one.features, "encoders": one.encoders, "commercial": one.commercial}
    return {**content, **more}


def _clip_metric(metric: Metric) -> Listed:
    spec = metric.spec
    networks = [FEATURES.get(name).encoder for name in spec.needs]
    return _listed(spec.family, "clip", spec, spec.needs, [*networks, *spec.encoders])


def _set_metric(metric: SetMetric) -> Listed:
    spec = metric.spec
    return _listed(spec.family, "set", spec, (spec.feature,), [spec.encoder])


def _listed(
    family: str, kind: Literal["clip", "set"], spec: Any, features: tuple[str, ...], networks: Sequence[str]
) -> Listed:
    open_ones = [ENCODERS.get(name) for name in networks if name in ENCODERS]
    licences = {encoder.name: encoder.licence.name for encoder in open_ones}
    return Listed(
        name=spec.name,
        kind=kind,
        version=spec.version,
        family=family,
        unit=spec.unit,
        low=spec.low,
        high=spec.high,
        direction=spec.direction,
        features=features,
        encoders={name: licences.get(name, OURS) for name in dict.fromkeys(filter(None, networks))},
        commercial=all(encoder.licence.commercial for encoder in open_ones),
        source=spec.source,
        summary=spec.summary,
        blind_spots=spec.blind_spots,
    )
