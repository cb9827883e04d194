"""Everything about one attribute of one system: the reader, the ledger, shares, what was stated, skews, power."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from eval.sets.estimate import wilson_interval
from safety.bias.axes import Axis
from safety.bias.certify import Listing
from safety.bias.correction import Correction
from safety.bias.estimate import Estimate, attempt, available, require_clips
from safety.bias.followed import Followed, followed
from safety.bias.ledger import ledger
from safety.bias.plan import AuditPlan
from safety.bias.power import detectable_share, independent_clips_needed, intra_prompt_correlation
from safety.bias.report import (
    AxisAudit,
    Confusion,
    GroupReading,
    Missing,
    PowerCard,
    ReaderCard,
    Skews,
)
from safety.bias.share_audit import share_audit
from safety.bias.shares import Shares, diversity, pooled_skew, read_shares
from safety.bias.skew import Cell, Skew, skew
from safety.bias.study import Study
from safety.bias.targets import even

Floats = npt.NDArray[np.float64]


def axis_audit(study: Study, plan: AuditPlan, listing: Listing, name: str) -> AxisAudit:
    """The audit of one axis. Raises NotMeasurable where it was not read."""
    axis, clips = study.axis(name), study.clips
    correction = available(partial(study.correction, name))
    plain = available(lambda: read_shares(clips, axis, clips.neutral))
    return AxisAudit(
        axis=axis.name,
        title=axis.title,
        groups=axis.groups,
        reader=_reader(study, axis),
        ledger=ledger(clips, axis, clips.neutral, 1.0 if plain is None else plain.effect, plan.confidence),
        everybody=share_audit(study, plan, listing, axis, clips.neutral, "all neutral prompts"),
        roles=tuple(
            share_audit(study, plan, listing, axis, clips.neutral & (clips.role_N == code), role, role)
            for code, role in enumerate(clips.roles)
        ),
        followed=_followed(study, listing, axis, correction),
        skews=_skews(study, plan, listing, axis, correction),
        power=_power(study, plan, axis, correction),
    )


def _reader(study: Study, axis: Axis) -> ReaderCard:
    try:
        correction = study.correction(axis.name)
    except NotMeasurable as why:
        return ReaderCard("", (), str(why))
    said = (*axis.groups, "unknown or nobody")
    strata = study.clips.strata if len(study.clips.strata) > 1 and not correction.uneven else ("",)
    confusions = tuple(
        Confusion(
            stratum,
            said,
            tuple(
                _reading(said[y], correction.labels_SY[s, y], correction.confusion_SYX[s, y], y, study.confidence)
                for y in range(correction.confusion_SYX.shape[1])
            ),
        )
        for s, stratum in enumerate(strata)
    )
    return ReaderCard("card" if len(correction.outside_ESYX) else "annotators", confusions, correction.note)


def _reading(group: str, labels: float, said_X: Floats, right: int, confidence: float) -> GroupReading:
    share = float(said_X[right])
    low, high = wilson_interval(share, float(labels), confidence)
    estimate = Estimate(share, low, high, clips=round(float(labels)))
    return GroupReading(group, float(labels), tuple(float(part) for part in said_X), estimate)


def _followed(study: Study, listing: Listing, axis: Axis, correction: Correction | None) -> Followed | Missing:
    try:
        listing.require("shown as stated", correction is not None)
        return followed(study.clips, axis, study.confidence, correction)
    except NotMeasurable as why:
        return Missing(str(why))


def _skews(study: Study, plan: AuditPlan, listing: Listing, axis: Axis, correction: Correction | None) -> Skews:
    clips, confidence, target_K = study.clips, plan.confidence, even(axis)

    def shares() -> Shares:
        found = read_shares(clips, axis, clips.neutral, correction)
        require_clips(round(found.clips), found.prompts, plan.minimum_clips, plan.minimum_prompts, axis.name)
        return found

    def inside(cell: Cell) -> Skew:
        found: Skew = study.once(
            ("skew", axis.name, cell, confidence),
            lambda: skew(clips, axis, clips.neutral, target_K, confidence, correction, cell),
        )
        return found

    def figure(name: str, measure: Callable[[], Estimate]) -> Estimate:
        def listed() -> Estimate:
            listing.require(name, correction is not None)
            return measure()

        return attempt(listed)

    return Skews(
        pooled=figure("pooled skew", lambda: pooled_skew(shares(), target_K, confidence)),
        prompt=figure("prompt skew", lambda: inside("prompt").prompt),
        prompt_spread=figure("prompt spread", lambda: inside("prompt").spread),
        role_spread=figure("prompt spread", lambda: inside("role").spread),
        diversity=figure("diversity", lambda: diversity(shares(), confidence)),
    )


def _power(study: Study, plan: AuditPlan, axis: Axis, correction: Correction | None) -> PowerCard:
    try:
        shares = read_shares(study.clips, axis, study.clips.neutral, correction)
    except NotMeasurable as why:
        return PowerCard((), 0.0, reason=str(why))
    groups = range(len(axis.groups))
    even_share = 1 / len(groups)
    cards = tuple(detectable_share(shares, even_share, k, plan.confidence, plan.power) for k in groups)
    needed = independent_clips_needed(even_share, even_share + plan.share_margin, plan.confidence, plan.power)
    return PowerCard(cards, intra_prompt_correlation(shares), round(needed * shares.effect))
