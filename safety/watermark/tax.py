"""What marking costs a clip in every metric, and a set of clips in diversity: twins, scored alike. Measures of the
user's own compare the twins with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eval.cache import FeatureCache
from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import Score, score_clip
from safety.watermark.borrowed_quality import Borrowed, NotAvailable
from safety.watermark.quality import NotComparable
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


def borrowed_tax(
    mark: str,
    subject: Subject,
    seed: int,
    twins: tuple[Clip, Clip],
    borrowed: Borrowed,
    names: Sequence[tuple[str, str]],
) -> tuple[Tax, ...]:
    """How far the marked twin is from the unmarked one, beside how far that one is from itself.

    names: name and identity of each measure (`Borrowed.check`). A measure that fails costs its row alone.
    """
    rows = []
    for name, identity in names:
        row = Tax(mark, subject.id, subject.cluster, seed, name, 0, identity, None, None, "ok")
        try:
            itself, marked = (borrowed.of(name, twins[0], clip) for clip in twins)
        except (NotAvailable, NotComparable) as error:
            rows.append(replace(row, status="failed", reason=str(error)))
        else:
            rows.append(replace(row, unmarked=itself, marked=marked))
    return tuple(rows)


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
