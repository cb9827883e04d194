"""The report of a watermark audit: one self-contained HTML page. Nothing remote, no script; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from safety.watermark import plots
from safety.watermark.export import FILES
from safety.watermark.figures import Alarms, CellFigures, MarkFigures, Tables, WatermarkFigures, rate_name
from safety.watermark.findings import attacked_cells, clean_cell, findings, interval_text, limits, rate_text
from safety.watermark.plan import NONE, WatermarkPlan
from safety.watermark.report import About
from safety.watermark.schemes import SCHEMES
from safety.watermark.statistics import Interval
from safety.watermark.survival import Survival
from safety.watermark.tax_figures import TaxFigure
from safety.watermark.template import PAGE, STYLE

DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 3", "4 2", "1 4", "6 2 1 2")
DARK_TEXT = range(3, 9)
"""Steps of the heat scale that carry dark text in the light theme, and light text in the dark one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One way to look at the heat map. key: None: bit accuracy; "message"; or the name of a rate."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class HeatCell:
    """step: 0 to 10 on the colour scale; None: no number."""

    step: int | None
    text: str
    strength: str
    title: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One attack."""

    name: str
    unit: str
    summary: str
    cells: tuple[HeatCell, ...]


def audit_page(plan: WatermarkPlan, about: About, figures: WatermarkFigures, tables: Tables) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    spread = _spreads(tables)
    environment.filters |= {
        "interval": interval_text,
        "share": plots.share_text,
        "rate": rate_text,
        "ratename": rate_name,
        "clean": clean_cell,
        "attacked_detected": attacked_detected,
        "halflife": _half_lives,
        "half": half_text,
        "alarms": _alarms_text,
        "verdict": _verdict,
        "decibel": lambda value: "–" if value is None else f"{value:.1f}",
        "fps": lambda value: "–" if value is None else f"{value:.0f} fps" if value >= 10 else f"{value:.1f} fps",
        "number": lambda value: "–" if value is None else f"{value:.4g}",
        "p": p_text,
        "counts": lambda counts: ", ".join(f"{count} {name}" for name, count in counts.items()) or "none",
        "heat": lambda mark, key: list(heat_rows(plan, mark, key)),
        "gapbar": lambda found, reach=1.0: plots.gap_bar(found.value, found.low, found.high, reach),
        "taxbar": lambda one: tax_bar(one, spread),
        "unmeasured": _unmeasured,
    }
    columns = max([len(ladder.strengths) for ladder in plan.attacks], default=1)
    return environment.from_string(PAGE).render(
        style=Markup(STYLE.replace("{{ kinds }}", _kinds()).replace("{{ heats }}", _heats())),  # noqa: S704 - ours
        plan=plan,
        about=about,
        figures=figures,
        names=[mark.name for mark in plan.marks],
        findings=findings(plan, figures),
        limits=limits(plan, figures),
        measures=measures(plan, figures),
        columns=columns,
        strengths=sum(len(ladder.strengths) for ladder in plan.attacks),
        plots=plots,
        lives=_lives(figures),
        gaps=[gap for gap in figures.groups if not gap.reason],
        gapless=list(dict.fromkeys(f"By {gap.feature}: {gap.reason}." for gap in figures.groups if gap.reason)),
        schemes={scheme.name: scheme.summary for scheme in SCHEMES},
        files=FILES,
    )


def measures(plan: WatermarkPlan, figures: WatermarkFigures) -> list[Measure]:
    """Bit accuracy, whole messages, and detection at the strictest rate that any of the marks can decide."""
    levels = [mark.level for mark in figures.marks if mark.level is not None]
    level = min(levels, default=max(plan.rates))
    return [
        Measure(f"detected at {rate_text(level)}", rate_name(level)),
        Measure("bit accuracy", ""),
        Measure("whole message", "message"),
    ]


def heat_rows(plan: WatermarkPlan, mark: MarkFigures, key: str) -> Iterator[tuple[str, list[HeatRow]]]:
    """(family, rows) in the order of the plan."""
    ladders = {ladder.name: ladder for ladder in plan.attacks}
    families: dict[str, dict[str, list[CellFigures]]] = {}
    for cell in mark.cells:
        families.setdefault(cell.family, {}).setdefault(cell.attack, []).append(cell)
    for family, attacks in families.items():
        rows = []
        for name, cells in attacks.items():
            ladder = ladders.get(name)
            rows.append(
                HeatRow(
                    "marked clip" if name == NONE else name,
                    "" if ladder is None else ladder.unit,
                    "" if ladder is None else ladder.summary,
                    tuple(_heat_cell(mark, cell, key) for cell in cells),
                )
            )
        yield family, rows


def _heat_cell(mark: MarkFigures, cell: CellFigures, key: str) -> HeatCell:
    strength = "" if cell.strength is None or cell.attack == NONE else f"{cell.strength:g}"
    undecidable = key not in {"", "message"} and not any(
        rate_name(one.rate) == key and one.matches is not None for one in mark.decidable
    )
    if undecidable:
        return HeatCell(None, "–", strength, f"undecidable with {mark.facts.bits} bits")
    if key == "":
        value, title = cell.accuracy.value, interval_text(cell.accuracy)
        step = None if value is None else round(max(0.0, (value - 0.5) * 2) * 10)
    else:
        share = cell.message if key == "message" else cell.detected[key]
        value, title = share.value, plots.share_text(share)
        step = None if value is None else round(value * 10)
    lost = f"; {cell.failed} failed, {cell.skipped} skipped" if cell.failed + cell.skipped else ""
    if value is None or step is None:
        return HeatCell(None, "–", strength, f"no number{lost}")
    return HeatCell(
        step, f"{100 * value:.0f}", strength, f"{cell.attack} {strength}: {title}; {cell.trials} trials{lost}"
    )


def attacked_detected(mark: MarkFigures) -> str:
    """Share of all attacked trials that are detected at the mark's level."""
    if mark.level is None:
        return "–"
    found = [cell.detected[rate_name(mark.level)] for cell in attacked_cells(mark)]
    trials = sum(share.of for share in found)
    return f"{100 * sum(share.count for share in found) / trials:.0f} %" if trials else "–"


def _half_lives(mark: MarkFigures) -> str:
    lives = [f"{half_text(curve)} ({chain})" for chain, curve in mark.survival.items() if curve.clips]
    return "; ".join(lives) or "not asked"


def half_text(curve: Survival) -> str:
    """`4 generations [2, more than 8]`."""
    if not curve.clips:
        return "no clip to follow"

    def end(value: float | None) -> str:
        return f"more than {curve.last:g}" if value is None else f"{value:g}"

    low, high = end(curve.low), end(curve.high)
    interval = f"[{low}]" if low == high else f"[{low}, {high}]"
    return f"{end(curve.half_life)} generations {interval}"


def _alarms_text(mark: MarkFigures) -> str:
    tested = [alarm for alarm in mark.null.alarms if alarm.presence is not None and alarm.presence.of]
    if not tested:
        return f"{mark.null.trials} unmarked readings; no test of presence"
    strict = min(tested, key=lambda alarm: alarm.rate)
    assert strict.presence is not None
    return f"{strict.presence.count} of {strict.presence.of} at {rate_text(strict.rate)}"


def _verdict(alarm: Alarms) -> str:
    """The class of the style sheet for what the presence test's alarms show."""
    if alarm.bound is None:
        return ""
    return "bad" if alarm.too_many else "good" if alarm.bound <= alarm.rate else "half"


def p_text(value: float | None) -> str:
    """Three digits, or `< 0.001`, or a dash where nothing was tested."""
    if value is None:
        return "–"
    return "<\u00a00.001" if value < 0.001 else f"{value:.3f}"


def tax_bar(one: TaxFigure, spread: Mapping[str, float]) -> Markup:
    """The difference over the metric's spread among unmarked clips."""
    found = one.difference if one.difference.value is not None else Interval(None, None, None)
    reach = spread.get(one.metric, 0.0)
    return plots.gap_bar(found.value, found.low, found.high, reach) if reach > 0 else Markup("")


def _spreads(tables: Tables) -> dict[str, float]:
    known = tables.tax[tables.tax["status"] == "ok"]
    return {str(name): float(group["unmarked"].std(ddof=0)) for name, group in known.groupby("metric")}


def _lives(figures: WatermarkFigures) -> list[tuple[str, list[tuple[str, Survival]], str]]:
    chains = list(dict.fromkeys(chain for mark in figures.marks for chain in mark.survival))
    return [
        (
            chain,
            [(mark.facts.name, mark.survival[chain]) for mark in figures.marks if chain in mark.survival],
            f"{chain}: share still detected by generation",
        )
        for chain in chains
    ]


def _unmeasured(figures: WatermarkFigures) -> list[str]:
    return list(dict.fromkeys(name for mark in figures.marks for name in mark.frontier.unmeasured))


def _kinds() -> str:
    lines = []
    for kind in range(plots.COLOURS):
        dash = f" stroke-dasharray: {DASHES[kind]};" if DASHES[kind] else ""
        lines.append(f"svg .line.k{kind} {{ stroke: var(--k{kind});{dash} }} svg .band.k{kind}, svg .dot.k{kind} "
                     f"{{ fill: var(--k{kind}); }}")  # fmt: skip
    return "\n".join(lines)


def _heats() -> str:
    lines = []
    for step in range(11):
        ink = "var(--dark)" if step in DARK_TEXT else "var(--pale)"
        lines.append(f".h{step} {{ background: var(--h{step}); color: {ink}; }}")
    dark = " ".join(
        f".h{step} {{ color: {'var(--dark)' if step in (9, 10) else 'var(--pale)'}; }}" for step in range(11)
    )
    return "\n".join([*lines, f"@media (prefers-color-scheme: dark) {{ {dark} }}"])
