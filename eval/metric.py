"""Metrics: a specification and a pure function from features (and case) to one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from eval.case import Case
from eval.clip import ClipInfo, StreamFacts
from eval.feature import Arrays, NotMeasurable
from eval.registry import Registry

Direction = Literal["higher", "lower", "band"]
Family = Literal[
    "alignment",
    "identity",
    "consistency",
    "temporal",
    "motion",
    "picture",
    "aesthetics",
    "sound",
    "synchrony",
    "conformance",
    "provenance",
]
Status = Literal["ok", "skipped", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What a number means.

    low, high: the range of possible values (inf allowed for `high`).
    direction: `higher` or `lower` is better, or `band`: closeness to the suite's reference clips, where more is
        not better.
    needs: names of features, each computed once per clip.
    source: paper and equation, standard, or "ours" with the formula in the function's docstring.
    blind_spots: what it cannot see; shown to whoever asks what the column means.
    invariant_to: changes that must not move it (checked by the common table of tests).
    needs_sound, needs_truth, needs_prompt, needs_portrait: what a clip without sound, or a case whose truth lacks one
        of these entries, or without a prompt or a portrait, is skipped for, before any of the needed features is
        computed.
    encoders: names (eval.encoders) of further weights that the function itself uses, such as a text tower or a head
        on another encoder's features. Where they are missing, the metric is skipped before its features are computed.
    """

    name: str
    version: int
    family: Family
    unit: str
    low: float
    high: float
    direction: Direction
    needs: tuple[str, ...]
    source: str
    summary: str
    blind_spots: str
    invariant_to: frozenset[Literal["fps", "size"]] = frozenset()
    needs_sound: bool = False
    needs_truth: tuple[str, ...] = ()
    needs_prompt: bool = False
    needs_portrait: bool = False
    encoders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What a metric function sees of one clip. prompts: all different prompts of the suite, for retrieval."""

    info: ClipInfo
    facts: StreamFacts
    features: Mapping[str, Arrays]
    case: Case | None = None
    prompts: tuple[str, ...] = ()

    def __getitem__(self, feature: str) -> Arrays:
        return self.features[feature]


MetricFunction = Callable[[Measured], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric. The function raises NotMeasurable where the metric does not apply."""

    spec: MetricSpec
    function: MetricFunction = field(repr=False)


METRICS: Registry[Metric] = Registry(
    "metric",
    (
        "eval.quality",
        "eval.audio",
        "eval.alignment",
        "eval.identity",
        "eval.consistency",
        "eval.aesthetics",
        "eval.provenance",
    ),
)


def metric(
    *,
    name: str,
    version: int,
    family: Family,
    unit: str,
    low: float,
    high: float,
    direction: Direction,
    needs: tuple[str, ...],
    source: str,
    summary: str,
    blind_spots: str,
    invariant_to: frozenset[Literal["fps", "size"]] = frozenset(),
    needs_sound: bool = False,
    needs_truth: tuple[str, ...] = (),
    needs_prompt: bool = False,
    needs_portrait: bool = False,
    encoders: tuple[str, ...] = (),
) -> Callable[[MetricFunction], MetricFunction]:
    """Register the decorated function as a metric; the arguments are MetricSpec's."""
    spec = MetricSpec(
        name=name,
        version=version,
        family=family,
        unit=unit,
        low=low,
        high=high,
        direction=direction,
        needs=needs,
        source=source,
        summary=summary,
        blind_spots=blind_spots,
        invariant_to=invariant_to,
        needs_sound=needs_sound,
        needs_truth=needs_truth,
        needs_prompt=needs_prompt,
        needs_portrait=needs_portrait,
        encoders=encoders,
    )

    def register(function: MetricFunction) -> MetricFunction:
        METRICS.add(name, Metric(spec, function))
        return function

    return register


__all__ = [
    "METRICS",
    "Direction",
    "Family",
    "Measured",
    "Metric",
    "MetricSpec",
    "NotMeasurable",
    "Status",
    "metric",
]
