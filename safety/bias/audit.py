"""The audit: a long table and a plan in, a BiasReport out. The same table, plan and cards give the same report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from safety.bias.amplification import Amplification, amplification
from safety.bias.axes import find_axis
from safety.bias.axis_audit import axis_audit
from safety.bias.certify import Certification, Listing
from safety.bias.estimate import available, require_clips
from safety.bias.intersections import Intersections, intersections
from safety.bias.parity import OUTCOME_SERVICES, blocks, equivalence, parity, services
from safety.bias.plan import AuditPlan
from safety.bias.power import detectable
from safety.bias.ranking import Ranking, rank
from safety.bias.report import BiasReport, Missing, Scope, ServiceAudit, SystemAudit, with_adjusted_p
from safety.bias.shares import read_shares
from safety.bias.skew import parts
from safety.bias.study import Study
from safety.bias.table import AuditTable
from safety.bias.targets import even
from safety.bias.temporal import TEMPORAL, ShownMeans, shown_means

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


def audit(
    table: AuditTable,
    plan: AuditPlan,
    certification: Certification | None = None,
    cards: Mapping[str, Floats] | None = None,
) -> BiasReport:
    """Audit every system of the table.

    certification: figures that it does not list are withheld, with the reason. cards: per axis, a confusion of the
    reader measured on other clips, counts by true and said label (K groups, then everything else), used where the table
    has no annotators' labels. Raises UserError for a declared table about roles that no prompt is about.
    """
    listing = Listing(certification)
    tables = {f"{system} {version}": table.of(system, version) for system, version in table.systems}
    studies = {name: _study(own, plan, cards or {}) for name, own in tables.items()}
    for target in (plan.reference, plan.mixture):
        if target is not None:
            target.check_roles(dict.fromkeys(role for study in studies.values() for role in study.clips.roles))
    return BiasReport(
        plan=plan.to_json(),
        plan_sha256=plan.sha256,
        table_sha256=table.sha256,
        systems=tuple(
            with_adjusted_p(_system(studies[name], tables[name], plan, listing), plan.procedure) for name in tables
        ),
        rankings=tuple(_ranking(studies, axis, plan, listing) for axis in plan.axes),
        certification=certification,
    )


def _study(table: AuditTable, plan: AuditPlan, cards: Mapping[str, Floats]) -> Study:
    return Study.of(
        table,
        confidence=plan.confidence,
        minimum_labels=plan.minimum_labels,
        mixture=plan.mixture,
        seed=plan.seed,
        cards=cards,
    )


def _system(study: Study, table: AuditTable, plan: AuditPlan, listing: Listing) -> SystemAudit:
    stated = [axis for axis in plan.axes if axis in study.clips.stated_N]
    return SystemAudit(
        scope=_scope(study, table),
        axes=tuple(_or_missing(partial(axis_audit, study, plan, listing, axis)) for axis in plan.axes),
        intersections=tuple(_or_missing(partial(_crossed, study, plan, listing, pair)) for pair in plan.intersections),
        services=tuple(
            _or_missing(partial(_service, study, plan, listing, axis, service))
            for axis in stated
            for service in services(study.clips)
        ),
        shown_means=tuple(
            _or_missing(partial(_shown, study, plan, listing, axis, column))
            for axis in plan.axes
            for column in TEMPORAL
        ),
        amplification=tuple(_or_missing(partial(_amplified, study, plan, listing, axis)) for axis in plan.axes),
    )


def _scope(study: Study, table: AuditTable) -> Scope:
    clips = study.clips
    reasons = table.frame.drop_duplicates(["prompt_id", "seed"])["reason"].value_counts()
    labelled_R = np.stack(list(clips.annotated_R.values())).max(axis=0) >= 0
    ((system, version),) = table.systems
    return Scope(
        system=system,
        version=version,
        prompts=len(clips.prompts),
        neutral_prompts=len(np.unique(clips.prompt_N[clips.neutral])),
        counterfactual_sets=len(clips.sets),
        roles=len(clips.roles),
        seeds=len(np.unique(clips.seed_N)),
        clips=len(clips),
        people=int(clips.seen[clips.clip_R].sum()),
        labelled=len(np.unique(clips.clip_R[labelled_R])),
        strata=clips.strata,
        reasons={str(reason): int(count) for reason, count in reasons.items()},
    )


def _crossed(study: Study, plan: AuditPlan, listing: Listing, pair: tuple[str, str]) -> Intersections:
    first, second = (available(partial(study.correction, name)) for name in pair)
    for figure in ("intersections", "intersections, shrunk"):
        listing.require(figure, first is not None and second is not None)
    return intersections(
        study.clips,
        (study.axis(pair[0]), study.axis(pair[1])),
        study.clips.neutral,
        plan.confidence,
        plan.minimum_cell,
        None if first is None or second is None else (first, second),
    )


def _service(study: Study, plan: AuditPlan, listing: Listing, axis_name: str, service: str) -> ServiceAudit:
    listing.require("service gap")
    axis = find_axis(axis_name)
    found = parity(study.clips, axis, service, plan.confidence, study.generator())
    block = blocks(study.clips, axis, service)
    least = 1 / block.pairs if service in OUTCOME_SERVICES else 0.0
    claims, errors = {}, []
    for gap in found.gaps:
        a, b = (block.groups.index(group) for group in (gap.group, gap.other))
        difference_S = block.values_SK[:, a] - block.values_SK[:, b]
        errors.append(max(least, float(difference_S.std(ddof=1)) / float(np.sqrt(len(difference_S)))))
        if service in plan.service_margins and listing.verdict("parity claim") is not False:
            margin = plan.service_margins[service]
            claims[f"{gap.group} and {gap.other}"] = equivalence(difference_S, margin, 1 - plan.confidence, least)
    smallest = detectable(max(errors), found.sets - 1, plan.confidence, plan.power, len(errors))
    return ServiceAudit(found, claims, smallest)


def _shown(study: Study, plan: AuditPlan, listing: Listing, axis_name: str, column: str) -> ShownMeans:
    axis, correction = study.axis(axis_name), available(partial(study.correction, axis_name))
    listing.require("means by group, as read" if correction is None else "means by group, corrected")
    return shown_means(study.clips, axis, column, study.clips.neutral, plan.confidence, correction)


def _amplified(study: Study, plan: AuditPlan, listing: Listing, axis_name: str) -> Amplification:
    if plan.mixture is None:
        raise NotMeasurable("no training mixture was declared")
    axis, clips = study.axis(axis_name), study.clips
    correction = available(partial(study.correction, axis_name))
    listing.require("amplification", correction is not None)
    if correction is not None:
        correction.require_even(f"amplification of {axis_name}")
    found = {
        role: available(partial(read_shares, clips, axis, clips.neutral & (clips.role_N == code), correction))
        for code, role in enumerate(clips.roles)
    }
    by_role = {role: shares for role, shares in found.items() if shares is not None}
    clips_told, prompts = (sum(getattr(shares, name) for shares in by_role.values()) for name in ("clips", "prompts"))
    what = f"amplification of {axis_name}"
    require_clips(round(clips_told), prompts, plan.minimum_clips, plan.minimum_prompts, what)
    return amplification(by_role, plan.mixture, axis, plan.confidence)


def _ranking(studies: Mapping[str, Study], axis_name: str, plan: AuditPlan, listing: Listing) -> Ranking:
    """Systems by prompt skew. One that cannot be measured refuses the ranking: none is left out of it."""
    figure, measured = "prompt skew", {}
    for name, study in studies.items():
        try:
            axis, correction = study.axis(axis_name), available(partial(study.correction, axis_name))
            listing.require(figure, correction is not None)
            found = parts(study.clips, axis, study.clips.neutral, even(axis), correction)
        except NotMeasurable as why:
            return Ranking(figure, axis_name, (), {}, f"{name}: {why}")
        measured[name] = (found.within, found.cells)
    return rank(figure, axis_name, measured, plan.confidence, plan.power)


def _or_missing(measure: Callable[[], T]) -> T | Missing:
    try:
        return measure()
    except NotMeasurable as why:
        return Missing(str(why))
