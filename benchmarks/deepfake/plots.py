"""The plots of a deepfake report: inline SVG without script, by the shared dot rows, and two curves."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from benchmarks.reports.svg import Dot, Row, Scale, Tick, dot_rows
from eval.sets.crossfit import Auc
from safety.deepfake.audit import DeepfakeAudit, Measured
from safety.deepfake.controls import Control
from safety.deepfake.learning import CurvePoint
from safety.deepfake.nuisance import GATE
from safety.deepfake.table import ALL
from safety.deepfake.verdict import auc_text

AUCS = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0), "{:.2f}")
HALF = Tick(0.5, "line", "0.5: not told apart")
SIZE, EDGE, TOP = 280, 40, 22


def block_plot(measured: Measured) -> Markup:
    """AUC of every block, all together first."""
    order = [ALL, *(name for name in measured.blocks if name != ALL)]
    rows = [_row("all blocks" if name == ALL else name, measured.blocks[name], name == ALL) for name in order]
    return dot_rows(rows, AUCS, "AUC of generated against real clips, by block of traces")


def control_plot(controls: Sequence[Control], question: Auc | None) -> Markup:
    """The question beside its floors and ceilings."""
    rows = [] if question is None else [_row("the question", question, True)]
    rows += [
        Row(control.name, note="not measured") if control.auc is None else _row(control.name, control.auc, False)
        for control in controls
    ]
    return dot_rows(rows, AUCS, "AUC of the question, its floors and its ceilings")


def nuisance_plot(audit: DeepfakeAudit) -> Markup:
    """AUC of nuisances alone, before and after canonicalising."""
    gate = Tick(GATE, "diamond", f"{GATE}: above, there is no verdict")
    rows = [
        Row(row.name, row.dots, (HALF, gate))
        for row in (
            _row(name, found.together, main)
            for name, found, main in (
                ("before canonicalising", audit.before, False),
                ("after canonicalising", audit.after, True),
            )
            if found is not None
        )
    ]
    return dot_rows(rows, AUCS, "AUC of nuisances alone")


def roc_plot(points: Sequence[tuple[float, float]]) -> Markup:
    """False alarms against found fakes, out of fold."""
    line = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return _square(
        Markup('<line class="grid" x1="{}" y1="{}" x2="{}" y2="{}"/><polyline class="curve" points="{}"/>').format(
            _x(0), _y(0), _x(1), _y(1), line
        ),
        [(tick, f"{tick:g}") for tick in (0.0, 0.5, 1.0)],
        "false alarm rate",
        "fakes found",
        "ROC of out-of-fold scores",
    )


def curve_plot(points: Sequence[CurvePoint]) -> Markup:
    """AUC by the number of clips learnt from, on a logarithmic axis."""
    import math

    first, last = math.log2(points[0].groups), math.log2(points[-1].groups)
    span = max(last - first, 1e-9)

    def place(point: CurvePoint) -> float:
        return (math.log2(point.groups) - first) / span

    band = [(place(p), p.high) for p in points] + [(place(p), p.low) for p in reversed(points)]
    shapes = Markup('<polygon class="band" points="{}"/><polyline class="curve" points="{}"/>').format(
        " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in band),
        " ".join(f"{_x(place(p)):.1f},{_y(p.auc):.1f}" for p in points),
    )
    dots = Markup("").join(
        Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>').format(
            _x(place(p)), _y(p.auc), f"{p.groups} clips of each side: AUC {p.auc:.2f} ({p.low:.2f} to {p.high:.2f})"
        )
        for p in points
    )
    return _square(
        shapes + dots,
        [(place(p), str(p.groups)) for p in points],
        "independent clips of each side learnt from",
        "AUC",
        "Learning curve",
    )


def _row(name: str, auc: Auc, main: bool) -> Row:
    p = "" if auc.p is None else f", p = {auc.p:.2g}"
    text = auc_text(auc) + ("" if auc.p is None else f"  p {auc.p:.2g}")
    title = f"{name}: {auc_text(auc)}{p}; {auc.fakes} and {auc.reals} independent clips"
    return Row(name, (Dot(auc.value, auc.low, auc.high, "main" if main else "plain", title, text),), (HALF,))


def _x(share: float) -> float:
    return EDGE + share * (SIZE - EDGE - 12)


def _y(share: float) -> float:
    return SIZE - EDGE - share * (SIZE - EDGE - TOP)


def _square(shapes: Markup, ticks: Sequence[tuple[float, str]], below: str, beside: str, label: str) -> Markup:
    """A plot of shares over shares with its axes."""
    lines = Markup("").join(
        Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/><text class="up" x="{3}" y="{4}">{5}</text>'
        ).format(_x(0), _x(1), _y(tick), _x(0) - 5, _y(tick) + 4, f"{tick:g}")
        for tick in (0.0, 0.5, 1.0)
    )
    marks = Markup("").join(
        Markup('<text class="axis" x="{:.1f}" y="{:.1f}">{}</text>').format(_x(place), _y(0) + 15, text)
        for place, text in ticks
    )
    names = Markup('<text class="axis" x="{}" y="{}">{}</text><text class="over" x="{}" y="12">{}</text>').format(
        (_x(0) + _x(1)) / 2, SIZE - 6, below, _x(0), beside
    )
    return Markup('<svg viewBox="0 0 {0} {0}" width="{0}" role="img" aria-label="{1}">{2}{3}{4}{5}</svg>').format(
        SIZE, label, lines, marks, names, shapes
    )
