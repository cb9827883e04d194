"""The report of a provenance audit: one self-contained HTML page. Nothing remote, no script; every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safety.provenance.audit import ProvenanceAudit, Share
from safety.provenance.launder import OUTCOMES
from safety.provenance.sources import term
from safety.provenance.template import PAGE
from safety.provenance.verdicts import CONTRADICTIONS, MEANING, WEAK, every_verdict

STATE_MEANING = {
    "trusted": "they hold, and the signer is under one of your trust anchors",
    "valid-untrusted": "they hold, but anybody could have signed them: the signer is under none of your anchors",
    "invalid": "they do not hold",
    "none": "the file carries none",
    "unreadable": "the file cannot be looked into",
}


def audit_page(audit: ProvenanceAudit) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"share": share_text, "term": term, "counts": counts_text}
    return environment.from_string(PAGE).render(
        audit=audit,
        findings=findings(audit),
        meaning=MEANING,
        state_meaning=STATE_MEANING,
        contradictions=CONTRADICTIONS,
        weak=WEAK,
        outcomes=OUTCOMES,
        machine=machine_rows(),
    )


def share_text(share: Share) -> str:
    """`3 of 8 (38 %; 9 to 76 %)`."""
    if share.low is None or share.high is None:
        return "–"
    value, low, high = (f"{100 * part:.0f}" for part in (share.count / share.of, share.low, share.high))
    return f"{share.count} of {share.of} ({value} %; {low} to {high} %)"


def counts_text(counts: Mapping[str, int]) -> str:
    """`none 3, invalid 1`; a dash for nothing."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "–"


def findings(audit: ProvenanceAudit) -> list[str]:
    """The report in a few sentences."""
    total = len(audit.clips)
    count = {state: share.count for state, share in audit.states.items()}
    found = [
        f"{count['trusted']} of {total} clips carry credentials that hold and that a signer you trust vouches for; "
        f"{count['valid-untrusted']} hold under a signer you do not know; {count['invalid']} do not hold; "
        f"{count['none']} carry none; {count['unreadable']} could not be read."
    ]
    if not audit.anchors:
        found.append("No trust anchors were given (--anchors): no clip can be trusted, however well it was signed.")
    asked = sum(clip.picture.mark != "not asked" or clip.picture.detector != "not asked" for clip in audit.clips)
    if asked:
        contradicted = audit.verdicts["contradicted"].count
        found.append(
            f"Marks or a detector were asked for {asked} of them: {contradicted} contradict their credentials, "
            f"{audit.verdicts['lost'].count} carry a mark but lost their credentials."
        )
    else:
        found.append("No mark and no detector was asked: a false claim by whoever signed cannot show here.")
    return found + _laundering_findings(audit)


def _laundering_findings(audit: ProvenanceAudit) -> list[str]:
    if audit.experiment is None or not audit.experiment.clips:
        return []
    measured = [summary for summary in audit.experiment.chains if summary.measured]
    silent = _named([one.chain.name for one in measured if one.outcomes.get("silent") == one.measured])
    lied = _named([one.chain.name for one in measured if "deceived" in one.outcomes])
    unseen = _named(
        [one.chain.name for one in measured if not one.chain.honest and one.changed and one.outcomes.get("vouched")]
    )
    found = []
    if silent:
        found.append(f"Laundering leaves no trace and gives no warning by: {silent}.")
    if unseen:
        found.append(f"The file changed and stayed trusted by: {unseen}.")
    if lied:
        found.append(f"A false origin is believed after: {lied}.")
    return found


def _named(names: Sequence[str]) -> str:
    return ", ".join(names)


def machine_rows() -> list[dict[str, Any]]:
    """The state machine as a grid: a row for each state and claim, a column for each pair of answers."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for found, verdict in every_verdict():
        row = rows.setdefault((found.state, found.origin), {"state": found.state, "origin": found.origin, "cells": []})
        row["cells"].append(verdict)
    return list(rows.values())
