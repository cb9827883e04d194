"""Plots of a watermark report: inline SVG without script, coloured by the page's style sheet, texts escaped.

Panels are narrow, so that two stand beside each other on a desk and one fits a phone. Lines differ in dash as well as
in colour, and every mark has a title that tells its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from safety.watermark.figures import Curve, NullFigures
from safety.watermark.frontier import Frontier, Point
from safety.watermark.statistics import Share
from safety.watermark.survival import Survival

WIDTH, HEIGHT = 460, 290
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 14, 44
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """From low to high; log: in powers of ten. ticks: (value, label)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    label: str
    log: bool = False

    def place(self, value: float) -> float:
        """0 to 1 along the axis, clipped to it."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        return (at - low) / (high - low)


SHARE = Axis(0.0, 1.0, ((0.0, "0"), (0.25, ""), (0.5, "½"), (0.75, ""), (1.0, "1")), "")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. points: (x, y, title). steps: held until the next point. band: (x, low, high). kind: index of colour
    and dash. dots: only the points are drawn.
    """

    name: str
    points: tuple[tuple[float, float, str], ...]
    kind: int
    steps: bool = False
    band: tuple[tuple[float, float, float], ...] = ()
    dots: bool = False
    marks: bool = False


def panel(lines: Sequence[Line], x: Axis, y: Axis, label: str, *, guides: Sequence[tuple[float, str]] = ()) -> Markup:
    """Lines in one panel. guides: upright lines at x with a word."""
    inside = [_grid(x, y)]
    inside += [_guide(x, at, word) for at, word in guides]
    inside += [_band(line, x, y) for line in lines if line.band]
    inside += [_line(line, x, y) for line in lines]
    return _svg(Markup("").join(inside), label)


def legend(lines: Sequence[Line]) -> Markup:
    """Names of the lines with their strokes."""
    items = [
        Markup(
            '<span><svg class="stroke" viewBox="0 0 26 10" width="26" height="10" aria-hidden="true">'
            '<path class="line k{}" d="M1 5H25"/></svg>{}</span>'
        ).format(line.kind % COLOURS, line.name)
        for line in lines
    ]
    return Markup('<p class="legend">{}</p>').format(Markup("").join(items))


def roc_lines(curves: Sequence[Curve]) -> list[Line]:
    """Detection against false alarms: one line for each family, and the test of presence."""
    found = []
    for kind, curve in enumerate(curves):
        points = [
            (rate, share, f"{curve.name}: {share:.0%} detected at a false alarm rate of {rate:.2g}")
            for rate, share in zip(curve.rates, curve.detected, strict=True)
            if rate >= ROC_LOW
        ]
        if not points:
            continue
        if curve.exact:
            points.insert(0, (ROC_LOW, _at(curve, ROC_LOW), points[0][2]))
        name = curve.name if curve.exact else f"{curve.name} (observed)"
        found.append(Line(name, tuple(points), kind, steps=True))
    return found


ROC_LOW = 1e-9
ROC_X = Axis(
    ROC_LOW,
    1.0,
    ((1e-9, "10⁻⁹"), (1e-6, "10⁻⁶"), (1e-3, "10⁻³"), (1e-2, "10⁻²"), (1.0, "1")),
    "false alarm rate",
    log=True,
)


def _at(curve: Curve, rate: float) -> float:
    return max((share for at, share in zip(curve.rates, curve.detected, strict=True) if at <= rate), default=0.0)


def roc_plot(curves: Sequence[Curve], name: str) -> Markup:
    """The panel of one mark, with its legend."""
    lines = roc_lines(curves)
    guides = [(rate, "") for rate in (1e-6, 1e-3, 1e-2)]
    return panel(
        lines, ROC_X, _named(SHARE, "detected"), f"{name}: detection by false alarm rate", guides=guides
    ) + legend(lines)


def survival_plot(curves: Sequence[tuple[str, Survival]], label: str) -> Markup:
    """Share still detected after so many generations, with its interval; a step for each."""
    known = [(name, curve) for name, curve in curves if curve.clips]
    last = max((curve.last for _, curve in known), default=1.0)
    ticks = tuple((float(at), f"{at}") for at in _whole(last))
    lines = []
    for kind, (name, curve) in enumerate(known):
        points = [(0.0, 1.0, f"{name}: {curve.clips} marked clips")]
        band = [(0.0, 1.0, 1.0)]
        for step in curve.steps:
            interval = f"{step.share:.0%} [{step.low:.0%}, {step.high:.0%}]"
            text = f"{name}, generation {step.at:g}: {interval}, {step.risk} at risk"
            points.append((step.at, step.share, text))
            band.append((step.at, step.low, step.high))
        if curve.steps:
            end = curve.steps[-1]
            points.append((curve.last, end.share, points[-1][2]))
            band.append((curve.last, end.low, end.high))
        lines.append(Line(name, tuple(points), kind, steps=True, band=tuple(band), marks=True))
    x = Axis(0.0, max(last, 1.0), ticks, "generations of resharing")
    return panel(lines, x, _named(SHARE, "still detected"), label) + legend(lines)


def frontier_plot(found: Frontier, name: str) -> Markup:
    """Removal and forgery against quality: the best of the attacks as steps, every attack as a dot."""
    qualities = [point.quality for point in found.points] or [20.0, 50.0]
    low, high = 5 * math.floor(min(qualities) / 5), 5 * math.ceil(max(qualities) / 5)
    high = max(high, low + 10)
    x = Axis(low, high, tuple((float(at), f"{at}") for at in range(low, high + 1, 5)), f"{found.measure} after, dB")
    lines = []
    for kind, (goal, word) in enumerate((("removal", "removed"), ("forgery", "forged"))):
        points = [point for point in found.points if point.goal == goal and point.gained.value is not None]
        if not points:
            continue
        lines.append(Line(word, _best(points, low, high), kind, steps=False))
        dots = tuple((point.quality, float(point.gained.value or 0), _point_title(point)) for point in points)
        lines.append(Line("", dots, kind, dots=True))
    drawn = panel(lines, x, _named(SHARE, "won by the attacker"), f"{name}: removal and forgery by quality")
    return drawn + legend([line for line in lines if line.name])


def _best(points: Sequence[Point], low: float, high: float) -> tuple[tuple[float, float, str], ...]:
    """Corners of the staircase: the most that is won at a quality or better."""
    corners: list[tuple[float, float, str]] = []
    most = 0.0
    for point in sorted(points, key=lambda point: -point.quality):
        won = float(point.gained.value or 0.0)
        if won > most:
            corners += [(point.quality, most, ""), (point.quality, won, "")]
            most = won
    return ((high, 0.0, ""), *corners, (low, most, ""))


def _point_title(point: Point) -> str:
    strength = "" if point.strength is None else f" {point.strength:g}"
    return f"{point.attack}{strength}: {share_text(point.gained)} at {point.quality:.1f} dB"


def null_plot(null: NullFigures, name: str) -> Markup:
    """Histogram of p-values of unmarked clips: flat where they are what they say."""
    expected = null.trials / len(null.histogram)
    top = max(*null.histogram, expected * 1.6, 1.0)
    x = Axis(0.0, 1.0, ((0.0, "0"), (0.5, "½"), (1.0, "1")), "p-value of an unmarked clip")
    y = Axis(0.0, top, ((0.0, "0"), (expected, f"{expected:.0f}")), "trials")
    parts = [_grid(x, y)]
    for place, count in enumerate(null.histogram):
        left, right = _x(x, place / len(null.histogram)), _x(x, (place + 1) / len(null.histogram))
        at = _y(y, count)
        parts.append(
            Markup('<rect class="bin" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                round(left + 1, 1),
                at,
                round(right - left - 2, 1),
                round(HEIGHT - BOTTOM - at, 1),
                f"{place / 10:.1f} to {(place + 1) / 10:.1f}: {count} trials; {expected:.1f} expected",
            )
        )
    parts.append(
        Markup('<line class="guide" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            LEFT, WIDTH - RIGHT, _y(y, expected), _y(y, expected)
        )
    )
    return _svg(Markup("").join(parts), f"{name}: p-values of unmarked clips")


def gap_bar(value: float | None, low: float | None, high: float | None, reach: float) -> Markup:
    """A difference with its interval around 0, for a table's cell; reach: the scale's end on either side."""
    if value is None:
        return Markup("")

    def x(at: float) -> float:
        return round(60 + 56 * min(max(at / reach, -1.0), 1.0), 1) if reach > 0 else 60.0

    bar = (
        Markup("")
        if low is None or high is None
        else Markup('<path class="bar" d="M{} 9H{}"/>').format(x(low), x(high))
    )
    return Markup(
        '<svg class="gap" viewBox="0 0 120 18" width="120" height="18" aria-hidden="true">'
        '<line class="zero" x1="60" x2="60" y1="1" y2="17"/>{}<circle class="dot" cx="{}" cy="9" r="4"/></svg>'
    ).format(bar, x(value))


def share_text(share: Share) -> str:
    """`12 of 14 (86 %; 57 to 98)`; a dash for nothing."""
    if share.value is None or share.low is None or share.high is None:
        return "–"
    value, low, high = (f"{100 * part:.0f}" for part in (share.value, share.low, share.high))
    return f"{share.count} of {share.of} ({value} %; {low} to {high})"


def _named(axis: Axis, label: str) -> Axis:
    return Axis(axis.low, axis.high, axis.ticks, label, axis.log)


def _whole(last: float) -> list[int]:
    step = max(1, math.ceil(last / 6))
    return list(range(0, math.floor(last) + 1, step))


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM), 1)


def _grid(x: Axis, y: Axis) -> Markup:
    parts = []
    for value, word in y.ticks:
        at = _y(y, value)
        parts.append(Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, at, at))
        parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(LEFT - 7, at + 4, word))
    for value, word in x.ticks:
        at = _x(x, value)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(at, at, TOP, HEIGHT - BOTTOM)
        )
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(at, HEIGHT - BOTTOM + 16, word))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(Markup('<text class="label" x="{}" y="{}">{}</text>').format(middle, HEIGHT - 8, x.label))
    parts.append(
        Markup('<text class="label" transform="rotate(-90)" x="{}" y="13">{}</text>').format(
            -(TOP + HEIGHT - BOTTOM) / 2, y.label
        )
    )
    return Markup("").join(parts)


def _guide(x: Axis, at: float, word: str) -> Markup:
    place = _x(x, at)
    return Markup(
        '<line class="guide" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><text class="tick" x="{0}" y="{3}">{4}</text>'
    ).format(place, TOP, HEIGHT - BOTTOM, TOP + 10, word)


def _band(line: Line, x: Axis, y: Axis) -> Markup:
    upper: list[str] = []
    lower: list[str] = []
    held = None
    for at, low, high in line.band:
        if held is not None:
            upper.append(f"{_x(x, at)},{_y(y, held[1])}")
            lower.append(f"{_x(x, at)},{_y(y, held[0])}")
        upper.append(f"{_x(x, at)},{_y(y, high)}")
        lower.append(f"{_x(x, at)},{_y(y, low)}")
        held = low, high
    return Markup('<polygon class="band k{}" points="{}"/>').format(
        line.kind % COLOURS, " ".join([*upper, *reversed(lower)])
    )


def _line(line: Line, x: Axis, y: Axis) -> Markup:
    kind = line.kind % COLOURS
    dots = Markup("").join(
        Markup('<circle class="dot k{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>').format(
            kind, _x(x, at), _y(y, value), 4 if line.dots or line.marks else 5, title
        )
        for at, value, title in line.points
        if title and (line.dots or line.marks)
    )
    if line.dots:
        return dots
    path: list[str] = []
    for at, value, _ in line.points:
        if path and line.steps:
            path.append(f"H{_x(x, at)}V{_y(y, value)}")
        else:
            path.append(f"{'L' if path else 'M'}{_x(x, at)} {_y(y, value)}")
    drawn = Markup('<path class="line k{}" d="{}"><title>{}</title></path>').format(kind, "".join(path), line.name)
    return drawn + dots


def _svg(inside: Markup, label: str) -> Markup:
    return Markup('<svg class="panel" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, inside
    )
