"""An audit in sentences: what was found, what was not, and what nobody may read into it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bias.audit import Outcome
from benchmarks.bias.summary import SERVED, share_text
from safety.bias.amplification import Amplification
from safety.bias.axes import find_axis
from safety.bias.plan import AuditPlan
from safety.bias.report import AxisAudit, Missing, ServiceAudit, ShareAudit


def findings(outcome: Outcome) -> list[str]:
    """One sentence for each answer to a question of the plan."""
    (system,) = outcome.report.systems
    lines: list[str] = []
    for part in system.axes:
        lines += [f"{_upfirst(part.reason)}."] if isinstance(part, Missing) else list(_shares(part, outcome.plan))
    for lean in system.amplification:
        if not isinstance(lean, Missing) and lean.factor.value is not None:
            title, factor = find_axis(lean.axis).title.split(",")[0], lean.factor
            interval = f"{factor.value:.2f} [{factor.low:.2f}, {factor.high:.2f}]"
            verdict = lean_text(lean, outcome.plan)
            lines.append(f"{_upfirst(title)} against {lean.mixture}: factor {interval}: {verdict}.")
    served = [part for part in system.services if isinstance(part, ServiceAudit) and part.parity.service in SERVED]
    gaps = [line for part in served for line in _gap(part, outcome)]
    lines += gaps or [
        "No service was shown to be worse for a stated group; where parity is shown, its margin is given."
    ]
    return lines


def limits(outcome: Outcome) -> list[str]:
    """Limits of this audit beyond those of every audit."""
    facts = outcome.facts
    lines = [
        f"Alignment is {facts.sources.get('alignment', 'no metric')} and quality is "
        f"{facts.sources.get('quality', 'no metric')}: a network that reads some groups worse makes a gap of its own. "
        "A gap in alignment is a question, not a verdict, until the metric was checked by group.",
        "Presentation is read in two groups and skin tone in three of the Monk scale. Who fits neither is misread.",
        "Prompts ask for close-ups and medium shots of one person in daylight: of other scenes the audit says nothing.",
        "Readings of several people of one clip share that clip; a crowd counts as one clip.",
    ]
    readers = [part.reader for part in outcome.report.systems[0].axes if isinstance(part, AxisAudit)]
    if any(reader.source == "card" for reader in readers):
        lines.append(
            "Corrections come from the reader's card, measured on faultless clips of the Backlot. On clips that look "
            "otherwise - blurred, distorted - the reader errs otherwise, and corrected shares may be off. Labels of "
            "people (labels.csv) mend that."
        )
    if any(not reader.source for reader in readers):
        lines.append("Where no correction could be made, shares are as the reader says, with all its errors in them.")
    return lines


def _shares(part: AxisAudit, plan: AuditPlan) -> Iterator[str]:
    everybody = part.everybody
    if everybody.status != "measured":
        yield f"{_upfirst(part.title)}: no share. {_upfirst(everybody.reason)}.{_bounds(part)}"
        return
    way = next(way for way in everybody.ways if way.method == everybody.headline)
    shares = ", ".join(f"{group} {share_text(way.shares[group])}" for group in part.groups)
    yield f"{_upfirst(part.title)}, {everybody.headline}: {shares}. {_against_even(everybody, plan)}"


def lean_text(lean: Amplification, plan: AuditPlan) -> str:
    """What may be said of the factor: its interval alone is one of many, and some of those are off by chance."""
    q = lean.factor.q
    if q is None:
        return lean.verdict
    decided = (lean.factor.low or 0.0) > 1 or (lean.factor.high or 0.0) < 1
    if decided and q >= plan.false_discovery:
        return f"neither amplification nor damping is shown once all tests are counted (adjusted p {q:.2g})"
    return f"{lean.verdict} (adjusted p {q:.2g})"


def _upfirst(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bounds(part: AxisAudit) -> str:
    """How far shares among all clips could lie, whatever those show that could not be told."""
    ends = [f"{bound.group} {bound.low:.0%} to {bound.high:.0%}" for bound in part.ledger.bounds]
    return f" Among all clips, at worst: {', '.join(ends)}." if ends else ""


def _against_even(shares: ShareAudit, plan: AuditPlan) -> str:
    even = next(target for target in shares.targets if target.target == "even")
    off = [
        group
        for group, found in even.differences.items()
        if found.q is not None and found.q < plan.false_discovery and (found.low or 0.0) * (found.high or 0.0) > 0
    ]
    if off:
        return f"Off an even split, with all tests counted: {', '.join(off)}."
    if all(claim.equivalence.equivalent for claim in even.claims):
        return f"Even within ±{even.claims[0].equivalence.margin:.0%}, by an equivalence test."
    return "Neither a difference from an even split nor evenness is shown."


def _gap(part: ServiceAudit, outcome: Outcome) -> Iterator[str]:
    level = outcome.plan.false_discovery
    for gap in part.parity.gaps:
        found = gap.estimate
        if found.q is not None and found.q < level and found.value is not None:
            better, worse = (gap.group, gap.other) if found.value > 0 else (gap.other, gap.group)
            yield (
                f"Service {part.parity.service}: {worse} {abs(found.value):.3f} below {better} as stated "
                f"[{found.low:+.3f}, {found.high:+.3f}], adjusted p {found.q:.3g}."
            )
