"""What marking costs a clip in every metric, and a set of clips in diversity: twins, scored alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eval.cache import FeatureCache
from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import Score, score_clip
from safety.watermark.subjects import Subject
from safety.watermark.trial import Encoding, Outcome, Tax


def tax_of(
    mark: str,
    subject: Subject,
    seed: int,
    twins: tuple[Clip, Clip],
    metrics: Sequence[str],
    encoder: tuple[str, str] | None,
    *,
    cache: FeatureCache | None,
) -> tuple[tuple[Tax, ...], tuple[Encoding, ...]]:
    """Score the unmarked and the marked twin; encoder: (feature, array) that diversity is measured on, or None."""
    wanted = [METRICS.get(name) for name in metrics]
    also = () if encoder is None else (encoder[0],)
    before, after = (
        score_clip(MemorySource(clip, subject.id), wanted, case=subject.case, cache=cache, also=also) for clip in twins
    )
    rows = tuple(_row(mark, subject, seed, old, new) for old, new in zip(before.scores, after.scores, strict=True))
    encodings = []
    if encoder is not None:
        feature, array = encoder
        case = "" if subject.case is None else subject.case.id
        for name, scored in (("", before), (mark, after)):
            if feature in scored.features:
                vector = tuple(np.ravel(scored.features[feature][array]).astype(float).tolist())
                encodings.append(Encoding(name, mark, subject.id, subject.cluster, case, feature, vector))
    return rows, tuple(encodings)


def no_tax(
    metrics: Sequence[str], mark: str, subject: Subject, seed: int, status: Outcome, reason: str
) -> tuple[Tax, ...]:
    """The rows of a clip that could not be marked."""
    return tuple(
        Tax(mark, subject.id, subject.cluster, seed, name, 0, "", None, None, status, reason) for name in metrics
    )


def _row(mark: str, subject: Subject, seed: int, old: Score, new: Score) -> Tax:
    worse = next((score for score in (old, new) if score.status != "ok"), None)
    status: Outcome = "ok" if worse is None else "failed" if worse.status == "failed" else "skipped"
    reason = "" if worse is None else " ".join(worse.reason.split())
    return Tax(
        mark,
        subject.id,
        subject.cluster,
        seed,
        old.metric,
        old.version,
        old.encoder,
        old.value,
        new.value,
        status,
        reason,
    )
