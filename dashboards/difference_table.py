"""A comparison of two generators as sentences and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.compare import Comparison, Difference
from benchmarks.leaderboard import Interval, MetricColumn
from dashboards.board_table import DIRECTIONS, interval_ends, unit_text

METRIC_COLUMNS = ["Metric", "Family", "Favours", "A − B", "Interval", "p (adjusted)", "Net win rate", "Net interval",
                  "Wins", "Ties", "Losses", "Better", "Unit", "Cases"]  # fmt: skip


def verdict(found: Comparison) -> list[str]:
    """What the total says, in words: who is better, by how much, how sure, and how often."""
    total = found.total
    if total.difference.value is None:
        return ["There is no total to compare: some metric that counts has no case with a value from both."]
    side = favoured(total, found.confidence)
    name = {"A": found.a, "B": found.b}.get(side, "")
    told = f"{side}, {name}, is better" if name else "A and B cannot be told apart"
    size = f"{total.difference.value:+.3f}, {found.confidence:.0%} interval {_signed(total.difference)}"
    lines = [f"{told}: A − B in the total is {size}, {p_text(total.p)}, over {total.cases:,} cases."]
    if total.net_win is not None and total.net_win.value is not None:
        lines.append(
            f"Net win rate {percent(total.net_win)}: A wins {total.wins:,} cases, loses {total.losses:,}, "
            f"{total.ties:,} tied. It is (wins − losses) / all, as in Movie Gen's human evaluation."
        )
    if not name and total.detectable is not None:
        lines.append(f"These cases would find a true difference of {total.detectable:.3f} four times out of five.")
    return lines


def favoured(part: Difference, confidence: float) -> str:
    """`A`, `B`, `tied`, or empty where neither end is better."""
    p = part.p_holm if part.p_holm is not None else part.p
    if part.wins is None or part.losses is None or p is None:
        return ""
    if p > 1 - confidence or part.difference.value in (None, 0):
        return "tied"
    measure = part.utility if part.utility is not None else part.difference
    return "A" if (measure.value or 0) > 0 else "B"


def p_text(p: float | None) -> str:
    """`p = 0.012`, `p < 0.001`."""
    if p is None:
        return "not tested"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def percent(rate: Interval) -> str:
    """`+41.7 % (+25.0 to +58.3 %)`."""
    if rate.value is None:
        return "–"
    if rate.low is None or rate.high is None:
        return f"{100 * rate.value:+.1f} %"
    return f"{100 * rate.value:+.1f} % ({100 * rate.low:+.1f} to {100 * rate.high:+.1f} %)"


def _signed(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "unknown"
    return f"{interval.low:+.3f} to {interval.high:+.3f}"


def utility_points(found: Comparison) -> pd.DataFrame:
    """measure, kind, value, low, high, label of the total and the families, where they have a value."""
    parts = [("Total", found.total), *((name.capitalize(), part) for name, part in found.families.items())]
    rows = [
        {
            "measure": name,
            "favours": {"A": "A better", "B": "B better"}.get(favoured(part, found.confidence), "tied"),
            "value": part.difference.value,
            "low": part.difference.value if part.difference.low is None else part.difference.low,
            "high": part.difference.value if part.difference.high is None else part.difference.high,
            "label": f"{part.difference.value:+.3f}",
        }
        for name, part in parts
        if part.difference.value is not None
    ]
    return pd.DataFrame(rows, columns=["measure", "favours", "value", "low", "high", "label"])


def difference_frame(found: Comparison, columns: Sequence[MetricColumn]) -> pd.DataFrame:
    """One line per metric, in the suite's order."""
    rows = []
    for column in columns:
        part = found.metrics[column.name]
        net = part.net_win
        rows.append(
            {
                "Metric": column.name,
                "Family": column.family,
                "Favours": favoured(part, found.confidence),
                "A − B": part.difference.value,
                "Interval": interval_ends(part.difference),
                "p (adjusted)": part.p_holm,
                "Net win rate": None if net is None or net.value is None else 100 * net.value,
                "Net interval": "" if net is None else _percent_ends(net),
                "Wins": part.wins,
                "Ties": part.ties,
                "Losses": part.losses,
                "Better": DIRECTIONS[column.direction],
                "Unit": unit_text(column.unit),
                "Cases": part.cases,
            }
        )
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)


def _percent_ends(rate: Interval) -> str:
    if rate.low is None or rate.high is None:
        return ""
    return f"{100 * rate.low:+.1f} to {100 * rate.high:+.1f}"


def difference_config(confidence: float) -> dict[str, Any]:
    """Widths, formats and help of difference_frame's columns; the texts are ours."""
    column = st.column_config
    return {
        "Metric": column.TextColumn(pinned=True, width=190),
        "Family": column.TextColumn(width=90),
        "Favours": column.TextColumn(
            width=70, help=f"Who is better where the adjusted p is at most {1 - confidence:.2g}; tied otherwise."
        ),
        "A − B": column.NumberColumn(width=90, format="%.4g", help="Mean over the cases that both have."),
        "Interval": column.TextColumn(width=150, help=f"{confidence:.0%} interval, from resampling cases."),
        "p (adjusted)": column.NumberColumn(
            width=95, format="%.4f", help="Sign-flip test over cases, adjusted over all metrics (Holm)."
        ),
        "Net win rate": column.NumberColumn(
            width=105, format="%.1f %%", help="(Wins − losses) / all cases: how Movie Gen reports human comparisons."
        ),
        "Net interval": column.TextColumn(width=125, help=f"{confidence:.0%} interval, from resampling cases."),
        "Wins": column.NumberColumn(width=60, help="Cases in which A is better."),
        "Ties": column.NumberColumn(width=55),
        "Losses": column.NumberColumn(width=65, help="Cases in which B is better."),
    }


def case_frame(found: Comparison) -> pd.DataFrame:
    """One line per case, largest difference first: case, the part of the total, each metric's difference in utility."""
    return pd.DataFrame(
        [{"case": case.case, "total": case.difference, **case.metrics} for case in found.cases],
        columns=["case", "total", *found.metrics],
    )


def ordered_cases(found: Comparison, measure: str) -> list[tuple[str, float]]:
    """(case, A − B) by a measure (`total` or a metric, in utility), largest difference first."""
    if measure == "total":
        return [(case.case, case.difference) for case in found.cases]
    known = [(case.case, value) for case in found.cases if (value := case.metrics.get(measure)) is not None]
    return sorted(known, key=lambda pair: -abs(pair[1]))
