"""The report of a deepfake audit: one self-contained HTML page. Nothing remote, no script; every text is escaped."""

from __future__ import annotations

from pathlib import Path

from benchmarks.deepfake import plots
from benchmarks.deepfake.export import FIGURES, REPORT, TABLE, write_files
from benchmarks.deepfake.study import Outcome
from benchmarks.deepfake.template import PAGE
from safety.deepfake.nuisance import GATE
from safety.deepfake.observe import BLOCK_SUMMARY, NUISANCE_TITLE
from safety.deepfake.operating import Figure
from safety.deepfake.table import ALL
from safety.deepfake.verdict import SIGNIFICANT, auc_text

FILES = {
    REPORT: "this page",
    TABLE: "one row per window: its out-of-fold score, nuisances and every trace",
    FIGURES: "every figure of this page with its interval",
}


def write_audit(outcome: Outcome, folder: Path) -> None:
    """Write the report and everything beside it into a folder."""
    write_files(outcome, folder, audit_page(outcome))


def audit_page(outcome: Outcome) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"auc": auc_text, "figure": figure_text, "shift": shift_text}
    return environment.from_string(PAGE).render(
        facts=outcome.facts,
        audit=outcome.audit,
        verdict=outcome.audit.verdict,
        detectors=outcome.detectors,
        plots=plots,
        files=FILES,
        gate=GATE,
        significant=SIGNIFICANT,
        nuisance_title=NUISANCE_TITLE,
        block_summary=BLOCK_SUMMARY,
        all_blocks=ALL,
        limits=limits(outcome),
    )


def figure_text(figure: Figure) -> str:
    """`0.12 [0.05, 0.22]`, or why there is none."""
    if figure.value is None:
        return figure.reason
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def shift_text(figure: Figure) -> str:
    """`+0.12 [+0.05, +0.22]`."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.value:+.2f} [{figure.low:+.2f}, {figure.high:+.2f}]"


def limits(outcome: Outcome) -> tuple[str, ...]:
    """What this audit cannot say, and what must not be made of it."""
    form = outcome.audit.form
    return (
        '"Cannot be told here" is not "cannot be told": better traces, trained detectors or more clips may do it.',
        '"Can be told" is about these two sets. It names neither which clip is generated nor why the sets differ; '
        "contents that only one side has (other places, other light, other movement) tell as well as traces do.",
        "The scores are of no use on single clips from elsewhere: they must not be held against anybody.",
        f"Everything was looked at as {form.side} x {form.side} pixels at {form.fps:g} frames per second in windows of "
        f"{form.seconds:.2f} s: traces that are finer, faster or longer are gone. "
        + ("Sound was compared as well." if form.rate_hz else "Sound was not compared."),
        "That the real clips are real is whoever's word who gave them: nothing here checks it.",
        "Clips of one source or prompt are one piece of evidence, however many windows they give.",
    )
