"""An audit in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from safety.bias.estimate import Estimate
from safety.bias.report import AxisAudit, BiasReport, Missing

SERVED = ("made", "visible", "alignment", "quality", "identity", "coverage")
"""What is done for somebody, of all columns that are compared: the others say how somebody is read."""


def headline_rows(report: BiasReport) -> list[tuple[str, ...]]:
    """Attribute, group, share as read, share corrected, even share, and of how many clips the group was told."""
    return [row for part in report.systems[0].axes for row in _rows(part)]


def _rows(part: AxisAudit | Missing) -> Iterator[tuple[str, ...]]:
    if isinstance(part, Missing):
        yield part.reason, "", "", "", "", ""
        return
    if part.everybody.status != "measured":
        yield part.title, part.everybody.reason, "", "", "", _told(part)
        return
    ways = {way.method: way for way in part.everybody.ways}
    for place, group in enumerate(part.groups):
        cells = [share_text(ways[name].shares.get(group)) for name in ("as read", "corrected")]
        told = _told(part) if place == 0 else ""
        yield part.title if place == 0 else "", group, *cells, f"{1 / len(part.groups):.0%}", told


def _told(part: AxisAudit) -> str:
    counts = part.ledger.all
    return f"{counts.told:.0f} of {counts.asked}"


def share_text(found: Estimate | None) -> str:
    """`31% [22%, 41%]`, or a dash."""
    if found is None or found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.0%}"
    return f"{found.value:.0%} [{found.low:.0%}, {found.high:.0%}]"
