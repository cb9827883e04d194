"""Set metrics of one generator: which of its clips count, whether they are enough, and the row about them.

Shape legend: S samples of a clip (frames or windows), D dimensions.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.plain import plain_line
from benchmarks.real_clips import RealSet
from benchmarks.set_features import StoredFeatures
from benchmarks.set_rows import NOT_RANKED, SetRow
from eval.distribution.clip_set import ClipSet
from eval.distribution.spec import SetFamily, SetMetric, SetMetricSpec
from eval.feature import FEATURES, NotMeasurable
from eval.hashing import json_sha256

REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """A clip that a generator was asked for. sha256, path: none where there is no clip, and `reason` says why."""

    case: str
    seed: int
    sha256: str = ""
    path: Path | None = None
    reason: str = ""


def chosen(answers: Sequence[Answer], family: SetFamily) -> list[Answer]:
    """The clips that a set metric is about.

    distribution: equally many seeds of every case, so that no case counts more than others. diversity: equally many
    seeds, two at least, of the cases that have them; none where no case has two.
    """
    seeds: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        seeds[answer.case].append(answer)
    least = 2 if family == "diversity" else 1
    enough = [sorted(own, key=lambda answer: answer.seed) for own in seeds.values() if len(own) >= least]
    each = min(map(len, enough), default=0)
    return [answer for own in enough for answer in own[:each]]


def blank_row(metric: SetMetric, generator: str, answers: Sequence[Answer], real_sha256: str) -> SetRow:
    """The row before anything is measured: what it is about, and of which inputs."""
    spec = metric.spec
    feature = FEATURES.get(spec.feature)
    wanted = chosen(answers, spec.family)
    inputs = [spec.name, spec.version, feature.version, feature.weights_sha256, real_sha256]
    clips = sorted([answer.case, answer.seed, answer.sha256] for answer in wanted)
    return SetRow(
        generator=generator,
        metric=spec.name,
        version=spec.version,
        encoder=feature.encoder,
        encoder_sha256=feature.weights_sha256,
        value=None,
        low=None,
        high=None,
        samples=0,
        clips=0,
        expected=len(wanted),
        real_clips=0,
        inputs_sha256=json_sha256([*inputs, clips]),
        status="skipped",
        reason="",
        seconds=0.0,
    )


def measured_row(
    blank: SetRow,
    metric: SetMetric,
    answers: Sequence[Answer],
    real: RealSet,
    stored: StoredFeatures,
    minimum_coverage: float,
) -> SetRow:
    """The row with its number, or with the reason why there is none. Raises only OSError (a full disk)."""
    begun = time.perf_counter()
    try:
        row = _measured(blank, metric, answers, real, stored, minimum_coverage)
    except NotMeasurable as nothing:
        row = replace(blank, reason=str(nothing))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - one metric's bug is one row's reason, as for metrics of clips
        row = replace(blank, status="failed", reason=f"{type(error).__name__}: {error}")
    reason = plain_line(row.reason, REASON_LENGTH)
    return replace(row, reason=reason, seconds=time.perf_counter() - begun)


def _measured(
    blank: SetRow,
    metric: SetMetric,
    answers: Sequence[Answer],
    real: RealSet,
    stored: StoredFeatures,
    minimum_coverage: float,
) -> SetRow:
    spec = metric.spec
    wanted = chosen(answers, spec.family)
    if not wanted:
        raise NotMeasurable("no case has two seeds: give some cases seeds in the suite, as in seeds: [0, 1, 2, 3]")
    stored.fetch({answer.sha256: answer.path for answer in wanted if answer.sha256}, spec.feature)
    reasons = [_why_absent(answer, spec, stored) for answer in wanted]
    used = [answer for answer, reason in zip(wanted, reasons, strict=True) if not reason]
    if spec.family == "diversity":
        used = _whole_cases(used, wanted)
    row = replace(blank, clips=len(used))
    if not used or len(used) / len(wanted) < minimum_coverage:
        common = Counter(filter(None, reasons)).most_common(1)[0][0]
        few = f"{len(used)} of {len(wanted)} clips, and the suite asks for {minimum_coverage:.1%}"
        return replace(row, reason=common if not used else f"{few}: {common}")
    real_set = real.clip_set(spec)
    places = {case: place for place, case in enumerate(dict.fromkeys(answer.case for answer in used))}
    samples = stored.samples([answer.sha256 for answer in used], spec.feature, spec.array, spec.sample)
    estimate = metric.function(real_set, ClipSet(samples, [places[answer.case] for answer in used]))
    row = replace(row, samples=estimate.samples, real_clips=real_set.clips)
    if math.isnan(estimate.value):
        return replace(row, reason=estimate.caveat)
    if not spec.low - 1e-9 <= estimate.value <= spec.high + 1e-9 or math.isinf(estimate.value):
        reason = f"{spec.name} gave {estimate.value}, outside its range {spec.low} to {spec.high}"
        return replace(row, status="failed", reason=reason)
    caveat = estimate.caveat or _incomplete(spec, row)
    return replace(
        row,
        status="ok",
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        reason=f"{NOT_RANKED}{caveat}" if caveat else "",
    )


def _why_absent(answer: Answer, spec: SetMetricSpec, stored: StoredFeatures) -> str:
    return stored.why_absent(answer.sha256, spec.feature) if answer.sha256 else answer.reason or "there is no clip"


def _whole_cases(used: Sequence[Answer], wanted: Sequence[Answer]) -> list[Answer]:
    """Clips of the cases of which every seed is there: diversity is bounded by the number of seeds."""
    asked, given = (Counter(answer.case for answer in answers) for answers in (wanted, used))
    return [answer for answer in used if given[answer.case] == asked[answer.case]]


def _incomplete(spec: SetMetricSpec, row: SetRow) -> str:
    if spec.compare_equal_sizes and row.clips < row.expected:
        return f"{row.clips} of {row.expected} clips, and this measure depends on their number"
    return ""
