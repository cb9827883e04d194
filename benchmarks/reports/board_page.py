"""A leaderboard as one self-contained HTML page: dot plot, totals, every metric. Nothing remote, no script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.board_table import interval, number
from benchmarks.set_table import SetLine, cell_text, set_remarks

if TYPE_CHECKING:
    from benchmarks.estimates import Interval
    from benchmarks.leaderboard import Board, BoardRow

_PLOT_WIDTH, _NAME_WIDTH, _ROW_HEIGHT, _MARGIN = 900, 220, 30, 24


@dataclass(frozen=True, slots=True)
class _Dot:
    """One line of the plot, in pixels."""

    label: str
    bracket: str
    y: int
    x: float
    low: float
    high: float
    title: str


@dataclass(frozen=True, slots=True)
class _Axis:
    """From the tenth below the lowest interval to the tenth above the highest: narrow intervals must be visible."""

    low: float
    high: float

    @classmethod
    def over(cls, rows: Sequence[BoardRow]) -> _Axis:
        ends = [end for row in rows for end in (row.total.value, row.total.low, row.total.high) if end is not None]
        return cls(math.floor(10 * min(ends, default=0)) / 10, max(math.floor(10 * max(ends, default=1)) + 1, 1) / 10)

    def ticks(self) -> list[float]:
        steps = round(10 * (self.high - self.low))
        per_step = 2 if steps < 4 else 1
        return [self.low + (self.high - self.low) * n / (steps * per_step) for n in range(steps * per_step + 1)]

    def x(self, share: float) -> float:
        place = (share - self.low) / (self.high - self.low)
        return round(_NAME_WIDTH + place * (_PLOT_WIDTH - _NAME_WIDTH - _MARGIN), 1)


def board_page(board: Board) -> str:
    """The whole page; Jinja2 escapes every text in it."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["value"] = lambda estimate, digits: number(estimate.value, digits)
    environment.filters["ends"] = _ends
    environment.filters["rank"] = _rank
    totals = [row for row in board.rows if row.total.value is not None]
    axis = _Axis.over(totals)
    dots = [_dot(row, index, axis) for index, row in enumerate(totals)]
    return environment.from_string(_PAGE).render(
        board=board,
        cell_text=cell_text,
        set_remarks=list(set_remarks(board.set_columns, [SetLine(row.generator, row.sets) for row in board.rows])),
        remarks=[f"{row.generator}: {reason}" for row in board.rows for reason in row.reasons] + list(board.notes),
        dots=dots,
        ticks=[(f"{share:.3g}", axis.x(share)) for share in axis.ticks()],
        width=_PLOT_WIDTH,
        height=_ROW_HEIGHT * len(dots) + 2 * _MARGIN,
        name_width=_NAME_WIDTH - 10,
    )


def _dot(row: BoardRow, index: int, axis: _Axis) -> _Dot:
    value = row.total.value
    assert value is not None
    low, high = (value if end is None else end for end in (row.total.low, row.total.high))
    short = row.generator if len(row.generator) <= 18 else row.generator[:17] + "…"
    label = f"{short} ({row.bracket})" if row.bracket else short
    y = _MARGIN + _ROW_HEIGHT * index + _ROW_HEIGHT // 2
    title = f"{row.generator}: {interval(row.total)}"
    return _Dot(label, row.bracket, y, axis.x(value), axis.x(low), axis.x(high), title)


def _ends(estimate: Interval, digits: int) -> str:
    if estimate.low is None:
        return ""
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def _rank(rank: tuple[int, int] | None) -> str:
    if rank is None:
        return "–"
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}–{rank[1]}"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Leaderboard: {{ board.suite }}</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #6a737d; --line: #d8dee4; --mark: #0b62c4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #30363d; --mark: #6cb0ff; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1200px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.soft { color: var(--soft); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; } td.wide { white-space: nowrap; }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 14px; }
svg .grid { stroke: var(--line); } svg .bar { stroke: var(--mark); stroke-width: 2; } svg .dot { fill: var(--mark); }
svg .ceiling .bar, svg .floor .bar { stroke: var(--soft); } svg .ceiling .dot, svg .floor .dot { fill: var(--soft); }
</style>
</head>
<body>
<h1>{{ board.suite }} leaderboard</h1>
<p class="soft">Suite version {{ board.suite_version }}, hash {{ board.suite_hash }}; run {{ board.runs | join(", ") }};
{{ board.cases }} cases. Intervals: {{ "%.0f" | format(100 * board.confidence) }} %, bootstrap over cases with
{{ board.draws }} draws. A rank is the range of places that the data allow: overlapping ranges are ties.</p>
{% if dots %}
<svg viewBox="0 0 {{ width }} {{ height }}" width="{{ width }}" role="img" aria-label="Totals with intervals">
{% for share, x in ticks %}
<line class="grid" x1="{{ x }}" x2="{{ x }}" y1="20" y2="{{ height - 24 }}"/>
<text x="{{ x }}" y="{{ height - 6 }}" text-anchor="middle">{{ share }}</text>
{% endfor %}
{% for dot in dots %}
<g class="{{ dot.bracket }}"><title>{{ dot.title }}</title>
<text x="{{ name_width }}" y="{{ dot.y + 5 }}" text-anchor="end">{{ dot.label }}</text>
<path class="bar" d="M{{ dot.low }} {{ dot.y - 7 }}v14m0-7H{{ dot.high }}m0-7v14"/>
<circle class="dot" cx="{{ dot.x }}" cy="{{ dot.y }}" r="4"/></g>
{% endfor %}
</svg>
<p class="soft">Total, 0 to 1, with its interval; the axis begins at {{ ticks[0][0] }}.</p>
{% endif %}
<h2>Totals and families</h2>
<div class="scroll"><table>
<tr><th>Rank</th><th>Generator</th><th>Bracket</th><th>Total</th>
{% for family in board.families %}<th>{{ family }}</th>{% endfor %}<th>Scored</th></tr>
{% for row in board.rows %}
<tr><td class="wide">{{ row.rank | rank }}</td><td>{{ row.generator }}</td><td>{{ row.bracket }}</td>
<td class="wide">{{ row.total | value(3) }}<br><span class="soft">{{ row.total | ends(3) }}</span></td>
{% for family in board.families %}
<td class="wide">{{ row.families[family] | value(2) }}<br>
<span class="soft">{{ row.families[family] | ends(2) }}</span></td>
{% endfor %}
<td class="wide">{{ "–" if row.coverage is none else "%.1f %%" | format(100 * row.coverage) }}</td></tr>
{% endfor %}
</table></div>
<h2>Metrics</h2>
<p class="soft">Means over cases in the metric's own unit, with intervals, and clips scored of clips asked for.</p>
<div class="scroll"><table>
<tr><th>Metric</th><th>Better</th>{% for row in board.rows %}<th>{{ row.generator }}</th>{% endfor %}</tr>
{% for column in board.columns %}
<tr><td title="{{ column.summary }}">{{ column.name }} <span class="soft">v{{ column.version }}
{{ column.unit if column.unit != "1" }}{{ ", " ~ column.note if column.note else "" }}
{{ ", " ~ column.encoder ~ " " ~ column.encoder_sha256[:12] if column.encoder else "" }}</span></td>
<td>{{ column.direction }}</td>
{% for row in board.rows %}
{% set cell = row.metrics[column.name] %}
<td class="wide">{{ cell.raw | value(3) }}<br>
<span class="soft">{{ cell.raw | ends(3) }}<br>{{ cell.scored }}/{{ cell.expected }}</span></td>
{% endfor %}
</tr>
{% endfor %}
</table></div>
{% if board.set_columns %}
<h2>Sets of clips</h2>
<p class="soft">Measures of all clips of a generator together. They are no part of the totals: those are means over
cases, and a number about a set is a number about no case. Intervals: 95 %; * is not ranked, for the reason below.</p>
<div class="scroll"><table>
<tr><th>Measure</th><th>Better</th>{% for row in board.rows %}<th>{{ row.generator }}</th>{% endfor %}</tr>
{% for column in board.set_columns %}
<tr><td title="{{ column.summary }}">{{ column.name }}<br><span class="soft">
{{- ["v%d" | format(column.version), column.unit if column.unit != "1" else "", column.encoder,
column.encoder_sha256[:12]] | select | join(", ") }}</span></td>
<td>{{ column.direction if column.direction != "band" else "neither" }}</td>
{% for row in board.rows %}
{% set cell = row.sets[column.name] %}
<td class="wide" title="{{ cell.reason }}">{{ cell_text(cell) }}<br>
<span class="soft">{{ cell.samples }} samples, {{ cell.clips }}/{{ cell.expected }} clips</span></td>
{% endfor %}
</tr>
{% endfor %}
</table></div>
<ul>{% for remark in set_remarks %}<li>{{ remark }}</li>{% endfor %}</ul>
{% endif %}
{% if remarks %}
<h2>Notes</h2>
<ul>{% for remark in remarks %}<li>{{ remark }}</li>{% endfor %}</ul>
{% endif %}
</body>
</html>
"""
