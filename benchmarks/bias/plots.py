"""The plots of a bias report, from its tree of figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from benchmarks.bias.summary import share_text
from benchmarks.reports.svg import SHARES, Dot, Part, Row, Tick, around_zero, dot_rows, from_zero, part_bars
from safety.bias.amplification import Amplification
from safety.bias.axes import find_axis
from safety.bias.estimate import Estimate
from safety.bias.ledger import Counts
from safety.bias.plan import AuditPlan
from safety.bias.report import AxisAudit, ServiceAudit, ShareAudit
from safety.bias.targets import EVERYBODY

METHODS = {"as read": "plain", "corrected": "main"}


def share_plot(part: AxisAudit, plan: AuditPlan) -> Markup:
    """Shares of all groups: as read above, corrected below; worst-case bounds behind, targets as marks."""
    bounds = {bound.group: bound for bound in part.ledger.bounds}
    rows = []
    for group in part.groups:
        bound = bounds.get(group)
        span = None
        if bound is not None:
            span = (
                bound.lowest,
                bound.highest,
                f"{group}: between {bound.lowest:.0%} and {bound.highest:.0%} of all clips, whatever the others show",
            )
        rows.append(
            Row(
                group, _dots(part.everybody, group), _targets(plan, part, group, EVERYBODY), span, _note(part.everybody)
            )
        )
    return dot_rows(rows, SHARES, f"{part.title}: shares over the neutral prompts")


def role_plot(part: AxisAudit, plan: AuditPlan, group: str) -> Markup:
    """One group's share in every role."""
    rows = [
        Row(role.about, _dots(role, group), _targets(plan, part, group, role.about), note=_note(role))
        for role in part.roles
    ]
    return dot_rows(rows, SHARES, f"{part.title}: share of {group} by role")


def ledger_plot(counts: Sequence[Counts]) -> Markup:
    """What came of the clips, one bar for each line of a ledger."""
    return part_bars([(count.about, _parts(count)) for count in counts], "What came of the clips")


def service_plot(part: ServiceAudit) -> Markup:
    """The gaps of one service between stated groups, with intervals."""
    gaps = [(gap, gap.estimate) for gap in part.parity.gaps]
    margin = next((claim.margin for claim in part.claims.values()), None)
    ends = [end for _, found in gaps for end in (found.low, found.high) if end is not None]
    scale = around_zero([*ends, *([margin] if margin else [])])
    ticks = () if margin is None else tuple(Tick(e, "line", f"margin {margin:g}") for e in (-margin, margin))
    rows = [
        Row(
            f"{gap.group} less {gap.other}",
            tuple(_dot(found, "main", f"{gap.group} less {gap.other}", "{:+.3f}")),
            ticks,
        )
        for gap, found in gaps
    ]
    return dot_rows(rows, scale, f"{part.parity.service} by stated {part.parity.axis}")


def amplification_plot(parts: Sequence[Amplification]) -> Markup:
    """The factor of each attribute: 1 hands the mixture's skew on."""
    ends = [end for part in parts for end in (part.factor.low, part.factor.high) if end is not None]
    rows = [
        Row(
            find_axis(part.axis).title.split(",")[0],
            tuple(_dot(part.factor, "main", part.axis, "{:.2f}")),
            (Tick(1.0, "line", "1: handed on"), Tick(0.0, "line", "0: no trace of it")),
        )
        for part in parts
    ]
    return dot_rows(rows, from_zero(ends, "{:.2g}", 1.5), "Amplification of the mixture's skew")


def _dots(shares: ShareAudit, group: str) -> tuple[Dot, ...]:
    ways = {way.method: way for way in shares.ways}
    found = []
    for method, kind in METHODS.items():
        estimate = ways[method].shares.get(group) if method in ways else None
        if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
            continue
        text = share_text(estimate)
        title = f"{group}, {method}: {text}; {estimate.clips} clips of {estimate.prompts} prompts"
        found.append(Dot(estimate.value, estimate.low, estimate.high, kind, title, text))  # type: ignore[arg-type]
    return tuple(found)


def _dot(found: Estimate, kind: str, name: str, form: str) -> Iterator[Dot]:
    if found.value is None or found.low is None or found.high is None:
        return
    text = f"{form.format(found.value)} [{form.format(found.low)}, {form.format(found.high)}]"
    yield Dot(found.value, found.low, found.high, kind, f"{name}: {text}", text)  # type: ignore[arg-type]


def _targets(plan: AuditPlan, part: AxisAudit, group: str, role: str) -> tuple[Tick, ...]:
    axis = find_axis(part.axis)
    place = axis.groups.index(group)
    ticks = [Tick(1 / len(axis.groups), "line", f"even: {1 / len(axis.groups):.0%}")]
    for declared in (plan.reference, plan.mixture):
        known = None if declared is None else declared.of(axis, role)
        if declared is not None and known is not None:
            ticks.append(Tick(float(known[place]), "diamond", f"{declared.name}: {known[place]:.0%}"))
    return tuple(ticks)


def _note(shares: ShareAudit) -> str:
    return (
        "" if shares.status == "measured" else "too few for a claim" if shares.status == "too few" else "not measured"
    )


def _parts(counts: Counts) -> tuple[Part, ...]:
    named = (
        ("told", counts.told, "could be told"),
        ("unknown", counts.unknown, "visible, and could not be told"),
        ("nobody", float(counts.nobody), "no visible person"),
        ("failed", float(counts.failed), "failed"),
        ("missing", float(counts.missing), "missing"),
    )
    return tuple(
        Part(kind, count, f"{counts.about}: {count:.0f} of {counts.asked} {what}") for kind, count, what in named
    )
