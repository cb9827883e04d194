"""Plots for report pages: inline SVG without script, coloured by the page's style sheet, texts escaped.

Dots with intervals (`dot_rows`) and bars in parts (`part_bars`). Every mark has a title, so that its numbers can be
read by pointing at it, and shapes differ where colours do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

Kind = Literal["plain", "main"]

WIDTH = 920
NAMES = 190
RIGHT = 200
TOP, BOTTOM = 26, 26
STEP = 15


@dataclass(frozen=True, slots=True)
class Dot:
    """One value with its interval. kind: `plain` (hollow) or `main` (filled). title: what pointing at it tells."""

    value: float
    low: float
    high: float
    kind: Kind
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A value to hold dots against: a short upright line (even), or a diamond (declared)."""

    value: float
    shape: Literal["line", "diamond"]
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plot. span: a range shown behind the dots (worst-case bounds). note: in place of dots."""

    name: str
    dots: tuple[Dot, ...] = ()
    ticks: tuple[Tick, ...] = ()
    span: tuple[float, float, str] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis: its ends, its ticks, and how their numbers are written (a format)."""

    low: float
    high: float
    ticks: tuple[float, ...]
    form: str = "{:.0%}"
    zero: float | None = None

    def x(self, value: float) -> float:
        place = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(NAMES + place * (WIDTH - NAMES - RIGHT), 1)


SHARES = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def around_zero(ends: Sequence[float], form: str = "{:+.2f}") -> Scale:
    """A scale that holds all ends, the same length to either side of 0."""
    reach = max([abs(end) for end in ends] + [1e-6])
    step = _round_step(reach / 2)
    most = step * -(-reach // step)
    return Scale(-most, most, (-most, -most / 2, 0.0, most / 2, most), form, zero=0.0)


def from_zero(ends: Sequence[float], form: str = "{:.2g}", least: float = 1.0) -> Scale:
    """A scale from 0, or below where an end lies there, to past the largest end, `least` at least."""
    highest, lowest = max([*ends, least]), min([*ends, 0.0])
    step = _round_step((highest - lowest) / 4)
    first, last = -step * -(lowest // step), step * -(-highest // step)
    count = round((last - first) / step)
    return Scale(first, last, tuple(first + step * n for n in range(count + 1)), form)


def _round_step(size: float) -> float:
    """1, 2 or 5 times a power of ten, not below `size`."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * part for part in (1, 2, 5, 10) if power * part >= size * (1 - 1e-9))


def dot_rows(rows: Sequence[Row], scale: Scale, label: str) -> Markup:
    """Rows of dots with intervals over one scale."""
    heights = [max(STEP * max(1, len(row.dots)) + 12, 30) for row in rows]
    height = TOP + sum(heights) + BOTTOM
    parts = [_grid(scale, height)]
    y = float(TOP)
    for row, tall in zip(rows, heights, strict=True):
        parts.append(_row(row, scale, y, tall))
        y += tall
    return _svg(height, label, Markup("").join(parts))


def _grid(scale: Scale, height: float) -> Markup:
    lines = [
        Markup('<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="axis" x="{}" y="{}">{}</text>').format(
            "zero" if tick == scale.zero else "grid",
            scale.x(tick),
            scale.x(tick),
            TOP - 8,
            height - BOTTOM,
            scale.x(tick),
            height - 8,
            scale.form.format(tick),
        )
        for tick in scale.ticks
    ]
    return Markup("").join(lines)


def _row(row: Row, scale: Scale, top: float, tall: float) -> Markup:
    middle = top + tall / 2
    parts = [Markup('<text class="name" x="{}" y="{}">{}</text>').format(NAMES - 12, middle + 5, _short(row.name, 27))]
    if row.span is not None:
        low, high, title = row.span
        x, width = scale.x(low), max(scale.x(high) - scale.x(low), 1)
        parts.append(
            Markup('<rect class="span" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                x, top + 3, width, tall - 6, title
            )
        )
    if row.note:
        parts.append(Markup('<text class="note" x="{}" y="{}">{}</text>').format(NAMES + 8, middle + 5, row.note))
    parts += [_tick(tick, scale, top, tall) for tick in row.ticks]
    first = middle - STEP * (len(row.dots) - 1) / 2
    parts += [_dot(dot, scale, first + STEP * place) for place, dot in enumerate(row.dots)]
    return Markup("").join(parts)


def _dot(dot: Dot, scale: Scale, y: float) -> Markup:
    low, x, high = scale.x(dot.low), scale.x(dot.value), scale.x(dot.high)
    return Markup(
        '<g class="{}"><title>{}</title><path class="bar" d="M{} {}v8m0-4H{}m0-4v8"/>'
        '<circle class="dot" cx="{}" cy="{}" r="4.5"/><text class="value" x="{}" y="{}">{}</text></g>'
    ).format(dot.kind, dot.title, low, y - 4, high, x, y, WIDTH - RIGHT + 14, y + 4.5, dot.text)


def _tick(tick: Tick, scale: Scale, top: float, tall: float) -> Markup:
    x = scale.x(tick.value)
    if tick.shape == "line":
        shape = Markup('<line class="target" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(x, top + 2, top + tall - 2)
    else:
        y = top + tall / 2
        shape = Markup('<path class="declared" d="M{} {}l6 6l-6 6l-6-6z"/>').format(x, y - 6)
    return Markup("<g>{}<title>{}</title></g>").format(shape, tick.title)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar. kind: the class of the style sheet that colours it."""

    kind: str
    count: float
    title: str


def part_bars(rows: Sequence[tuple[str, Sequence[Part]]], label: str) -> Markup:
    """One bar for each row, as long as all others, cut into its parts."""
    tall = 28
    parts = []
    for place, (name, pieces) in enumerate(rows):
        y = 8 + tall * place
        whole = sum(piece.count for piece in pieces)
        told = next((piece for piece in pieces if piece.kind == "told"), None)
        parts.append(Markup('<text class="name" x="{}" y="{}">{}</text>').format(NAMES - 12, y + 16, _short(name, 27)))
        x = float(NAMES)
        for piece in pieces:
            width = (WIDTH - NAMES - RIGHT) * piece.count / whole if whole else 0.0
            if width > 0:
                parts.append(
                    Markup(
                        '<rect class="part {}" x="{}" y="{}" width="{}" height="20"><title>{}</title></rect>'
                    ).format(piece.kind, round(x, 1), y, round(max(width - 1, 0.5), 1), piece.title)
                )
            x += width
        if told is not None:
            text = f"{told.count:.0f} of {whole:.0f} told"
            parts.append(Markup('<text class="value" x="{}" y="{}">{}</text>').format(WIDTH - RIGHT + 14, y + 15, text))
    return _svg(16 + tall * len(rows), label, Markup("").join(parts))


def _part(piece: Part, x: float, y: float, width: float) -> Markup:
    return Markup('<rect class="part {}" x="{}" y="{}" width="{}" height="20"><title>{}</title></rect>').format(
        piece.kind, x, y, width, piece.title
    )


def _svg(height: float, label: str, inside: Markup) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, round(height), WIDTH, label, inside
    )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
