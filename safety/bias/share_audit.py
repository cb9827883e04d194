"""Shares over one scope (all neutral prompts, or one role): by every method, against every target.

Shapes: N clips, K groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from safety.bias.axes import Axis
from safety.bias.bootstrap import bootstrap_shares
from safety.bias.certify import Listing
from safety.bias.clips import by_clip
from safety.bias.correction import Correction, rogan_gladen
from safety.bias.estimate import Estimate, TooFew, attempt, require_clips, unmeasured
from safety.bias.parity import tost
from safety.bias.plan import AuditPlan
from safety.bias.report import Claim, ShareAudit, ShareWay, TargetComparison
from safety.bias.shares import Method, Shares, cohen_w, labelled_shares, read_shares
from safety.bias.study import Study
from safety.bias.targets import EVERYBODY, even

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HEADLINES: tuple[Method, ...] = ("corrected", "as read")
"""Which method is compared with targets: the first that there is and that is listed."""


def share_audit(
    study: Study, plan: AuditPlan, listing: Listing, axis: Axis, keep_N: Flags, about: str, role: str = EVERYBODY
) -> ShareAudit:
    """Shares over the kept clips. Too few for a claim: an outcome with its reason, and no number."""
    try:
        study, unit = _unit(study, keep_N)
        plain = read_shares(study.clips, axis, keep_N)
        prompts, fewest = (plain.prompts, plan.minimum_prompts) if unit == "prompt" else (1, 1)
        require_clips(round(plain.clips), prompts, plan.minimum_clips, fewest, f"{axis.name}, {about}")
    except NotMeasurable as why:
        status = "too few" if isinstance(why, TooFew) else "not measured"
        return ShareAudit(about, "prompt", "", (), (), (), status, str(why))
    measures: dict[Method, Callable[[], Shares]] = {
        "as read": lambda: plain,
        "corrected": lambda: read_shares(study.clips, axis, keep_N, study.correction(axis.name)),
        "labels and readings": lambda: labelled_shares(study.clips, axis, keep_N),
    }
    ways, found = [], {}
    for method, measure in measures.items():
        way, shares = _way(method, measure, listing, plan.confidence, unit)
        ways.append(way)
        if shares is not None:
            found[method] = shares
    usable = [method for method in HEADLINES if method in found and listing.verdict(f"shares, {method}") is not False]
    if not usable:
        reason = "shares as read are not listed, and there are no corrected ones: " + ways[1].reason
        return ShareAudit(about, unit, "", tuple(ways), (), (), "not measured", reason)
    headline = usable[0]
    targets = [("even", even(axis)), *_reference(study, plan, axis, keep_N, role)]
    return ShareAudit(
        about=about,
        unit=unit,
        headline=headline,
        ways=tuple(ways),
        targets=tuple(_against(found[headline], name, target_K, plan) for name, target_K in targets),
        sensitivity=_sensitivity(study, axis, keep_N, plan.confidence) if role == EVERYBODY else (),
    )


def _unit(study: Study, keep_N: Flags) -> tuple[Study, str]:
    """One prompt alone: its clips are the units, and the claim is about this prompt."""
    if len(np.unique(study.clips.prompt_N[keep_N])) != 1:
        return study, "prompt"
    return replace(study, clips=by_clip(study.clips, keep_N), _made={}), "clip"


def _way(
    method: Method, measure: Callable[[], Shares], listing: Listing, confidence: float, unit: str
) -> tuple[ShareWay, Shares | None]:
    """Shares by one method. Those as read are shown whatever their certification says, so that both can be compared."""
    figure = f"shares, {method}"
    listed = listing.verdict(figure)
    try:
        if method != "as read":
            listing.require(figure)
        shares = measure() if unit == "prompt" else replace(measure(), prompts=1)
    except NotMeasurable as why:
        return ShareWay(method, figure, listed, {}, str(why)), None
    return ShareWay(method, figure, listed, shares.estimates(confidence)), shares


def _reference(study: Study, plan: AuditPlan, axis: Axis, keep_N: Flags, role: str) -> list[tuple[str, Floats]]:
    """The declared shares of a role; of everybody: as declared, or the roles' own in proportion to their clips."""
    reference, clips = plan.reference, study.clips
    if reference is None:
        return []
    if role != EVERYBODY or reference.of(axis) is not None:
        shares_K = reference.of(axis, role)
        return [] if shares_K is None else [(reference.name, shares_K)]
    codes, counts = np.unique(clips.role_N[keep_N & clips.made], return_counts=True)
    known = [reference.of(axis, clips.roles[code]) for code in codes if code >= 0]
    complete = [shares_K for shares_K in known if shares_K is not None]
    if len(complete) < len(codes):
        return []
    return [(reference.name, np.average(complete, axis=0, weights=counts))]


def _against(shares: Shares, name: str, target_K: Floats, plan: AuditPlan) -> TargetComparison:
    confidence, groups = plan.confidence, shares.axis.groups
    plain = shares.estimates(confidence)
    return TargetComparison(
        target=name,
        declared={group: float(share) for group, share in zip(groups, target_K, strict=True)},
        differences=shares.estimates(confidence, target_K),
        ratios={group: _ratio(plain[group], float(target_K[k])) for k, group in enumerate(groups)},
        effect=attempt(lambda: cohen_w(shares, target_K, confidence)),
        claims=tuple(_claim(shares, k, float(target_K[k]), plan) for k in range(len(groups))),
    )


def _claim(shares: Shares, k: int, target: float, plan: AuditPlan) -> Claim:
    """Decided with the larger of the observed error and that of such a share with this design effect: never 0."""
    least = 1 / (2 * shares.clips)
    share = float(np.clip(shares.share_K[k], least, 1 - least))
    error = max(float(shares.quantities.error[k]), float(np.sqrt(share * (1 - share) * shares.effect / shares.clips)))
    away = float(shares.share_K[k]) - target
    decided = tost(away, error, shares.quantities.df, plan.share_margin, 1 - plan.confidence)
    return Claim(shares.axis.groups[k], decided.verdict, decided)


def _ratio(share: Estimate, target: float) -> Estimate:
    if target == 0 or share.value is None or share.low is None or share.high is None:
        return unmeasured(NotMeasurable("the target is 0: there is no ratio"))
    return replace(share, value=share.value / target, low=share.low / target, high=share.high / target, p=None)


def _sensitivity(study: Study, axis: Axis, keep_N: Flags, confidence: float) -> tuple[ShareWay, ...]:
    """The corrected shares by other roads: a bootstrap of both samples; for two groups also Rogan-Gladen."""
    try:
        correction = study.correction(axis.name)
    except NotMeasurable:
        return ()
    drawn = bootstrap_shares(study.clips, axis, keep_N, correction, confidence, study.generator())
    rows = [ShareWay("bootstrap of readings and labels", "", None, drawn)]
    if len(axis.groups) == 2:
        name = "Rogan-Gladen, Lang-Reiczigel"
        try:
            two = _two_groups(read_shares(study.clips, axis, keep_N), correction, confidence)
            rows.append(ShareWay(name, "", None, two))
        except NotMeasurable as why:
            rows.append(ShareWay(name, "", None, {}, str(why)))
    return tuple(rows)


def _two_groups(shares: Shares, correction: Correction, confidence: float) -> dict[str, Estimate]:
    """Rogan-Gladen over all strata, from what is told as one or the other; of clips, the effective number."""
    told_YX = (correction.confusion_SYX * correction.labels_SY[..., None]).sum(axis=0)[:2, :2]
    all_Y = told_YX.sum(axis=1)
    found = rogan_gladen(
        float(shares.share_K[1]),
        shares.clips / shares.effect,
        (float(told_YX[1, 1]), float(all_Y[1])),
        (float(told_YX[0, 0]), float(all_Y[0])),
        confidence,
    )
    first, second = shares.axis.groups
    rest = Estimate(found.value, found.low, found.high, clips=round(shares.clips), prompts=shares.prompts)
    return {first: replace(rest, value=1 - found.value, low=1 - found.high, high=1 - found.low), second: rest}
