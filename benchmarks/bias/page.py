"""The report of a bias audit: one self-contained HTML page. Nothing remote, no script; every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bias import plots
from benchmarks.bias.audit import FIGURES, LABELS, REPORT, TABLE, Outcome, write_outcome
from benchmarks.bias.export import AEQUITAS, IMPACT, other_tools
from benchmarks.bias.findings import findings, lean_text, limits
from benchmarks.bias.summary import SERVED, share_text
from benchmarks.bias.template import PAGE
from safety.bias.axes import find_axis
from safety.bias.estimate import Estimate
from safety.bias.report import Missing

FILES = {
    REPORT: "this page",
    TABLE: "the long table: one row per clip and person; fairlearn's MetricFrame takes it as it is",
    FIGURES: "every figure of this page with its interval, and what it rests on",
    LABELS: "clips drawn at random for people to label, to be given back with --labels",
    AEQUITAS: "the people of the table in the columns of aequitas",
    IMPACT: "impact ratios in the form of New York City's Local Law 144: a view, no finding",
}


def write_audit(outcome: Outcome, folder: Path) -> None:
    """Write the report and everything beside it into a folder."""
    view = other_tools(outcome, folder)
    write_outcome(outcome, folder, audit_page(outcome, view))


def audit_page(outcome: Outcome, view: Mapping[str, Any] | None = None) -> str:
    """The whole page. view: impact ratios, as benchmarks.bias.export gives them; None: none are shown."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "share": share_text,
        "lean": lambda lean: lean_text(lean, outcome.plan),
        "estimate": estimate_text,
        "p": p_text,
        "title": lambda name: find_axis(name).title,
        "upfirst": upfirst,
        "missing": lambda part: isinstance(part, Missing),
        "service": lambda name: SERVICES.get(name, name),
    }
    (system,) = outcome.report.systems
    return environment.from_string(PAGE).render(
        facts=outcome.facts,
        report=outcome.report,
        system=system,
        plan=outcome.plan,
        findings=findings(outcome),
        limits=limits(outcome),
        plots=plots,
        files=FILES,
        view=view,
        served=SERVED,
        even=lambda part: [1 / len(part.groups)] * len(part.groups),
        shown=lambda parts: [part for part in parts if not isinstance(part, Missing)],
        reasons=_reasons,
    )


SERVICES = {
    "made": "a clip is made",
    "visible": "a person is visible",
    "quality": "quality",
    "alignment": "follows the prompt",
    "identity": "stays the same person",
    "coverage": "face visible, share of frames",
    "screen_time": "time on screen",
    "shot_size": "size of the face",
    "persistence": "keeps its attributes",
    "illumination": "light",
    "presentation_score": "reader's score for masculine presentation",
    "age_score": "reader's age, years",
    "skin_tone_score": "reader's tone, Monk steps",
}


def upfirst(text: str) -> str:
    """The text with a large first letter, the others as they are."""
    return text[:1].upper() + text[1:]


def estimate_text(found: Estimate, digits: int = 2) -> str:
    """`0.31 [0.22, 0.41]`, or why there is none."""
    if found.value is None:
        return f"{found.status}: {found.reason}"
    if found.low is None or found.high is None:
        return f"{found.value:.{digits}f}"
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def p_text(value: float | None) -> str:
    """A p value: three digits, or `< 0.001`, or a dash where nothing was tested."""
    if value is None:
        return "–"
    return "<\u00a00.001" if value < 0.001 else f"{value:.3f}"


def _reasons(parts: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(part.reason for part in parts if isinstance(part, Missing)))
