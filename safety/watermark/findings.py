"""An audit in sentences and in one table: what was found, what was not, and what nobody may conclude."""

from __future__ import annotations

from collections.abc import Iterator

from safety.watermark.figures import Alarms, CellFigures, MarkFigures, WatermarkFigures, rate_name
from safety.watermark.plan import NONE, WatermarkPlan
from safety.watermark.plots import share_text
from safety.watermark.statistics import Interval


def findings(plan: WatermarkPlan, figures: WatermarkFigures) -> list[str]:
    """One or two sentences for each mark and each answered question."""
    lines = [line for mark in figures.marks for line in _of_mark(plan, mark)]
    for one in figures.comparisons:
        if one.family == "all attacks" and one.accuracy.value is not None:
            decided = one.accuracy_q is not None and one.accuracy_q < plan.false_discovery
            counted = "" if one.accuracy_q is None else f" (adjusted p {one.accuracy_q:.2g})"
            verdict = "" if decided else f", which all comparisons counted shows no difference{counted}"
            lines.append(
                f"{one.mark} less {one.other} on the same attacks: bit accuracy "
                f"{interval_text(one.accuracy, '{:+.3f}')}{verdict}."
            )
    weaker = [gap for gap in figures.groups if gap.q is not None and gap.q < plan.false_discovery]
    lines += [
        f"{gap.mark} is {'weaker' if (gap.difference.value or 0) < 0 else 'stronger'} on {gap.group} clips than on "
        f"{gap.other} ones: {interval_text(gap.difference, '{:+.3f}')} in bit accuracy, adjusted p {gap.q:.2g}."
        for gap in weaker
    ]
    return lines


def _of_mark(plan: WatermarkPlan, mark: MarkFigures) -> Iterator[str]:
    name = mark.facts.name
    clean = clean_cell(mark)
    if clean is None or clean.trials == 0:
        yield f"{name}: no clip could be marked and read; the ledger says why."
        return
    yield (
        f"{name} reads {percent(clean.accuracy.value)} of its {mark.facts.bits} bits where nothing was done to the clip"
        + ("" if mark.quality.db.value is None else f", at {mark.quality.db.value:.1f} dB")
        + f"; {_lost(mark)}."
    )
    if mark.level is None:
        yield (
            f"{name} has {mark.facts.bits} bits: no false alarm rate of this audit can be decided with them, "
            "not even if all of them agree."
        )
    else:
        worst = [rate for rate in plan.rates if rate < mark.level]
        if worst:
            yield (
                f"{name}: {', '.join(map(rate_text, worst))} cannot be decided with {mark.facts.bits} bits; "
                f"detection is reported at {rate_text(mark.level)}."
            )
    alarms = [alarm for alarm in mark.null.alarms if alarm.presence is not None and alarm.presence.of]
    if alarms:
        strict = alarms[-1]
        assert strict.presence is not None
        claim = _claim(strict)
        yield (
            f"{name}'s test of presence raised {strict.presence.count} false alarms at {rate_text(strict.rate)} on "
            f"{strict.presence.of} unmarked readings, {claim}."
        )
    p = mark.null.uniformity.p
    if p is not None:
        verdict = "as they should be" if p >= 0.01 else "not as they should be: do not trust them"
        yield f"{name}: p-values of {mark.null.trials} unmarked readings are {verdict} (Kolmogorov–Smirnov p {p:.2g})."
    for scheme in mark.schemes:
        if scheme.family == "forgery" and mark.level is not None and scheme.detected[rate_name(mark.level)].count:
            quality = "" if scheme.attack_db is None else f" at {scheme.attack_db:.1f} dB"
            forged = share_text(scheme.detected[rate_name(mark.level)])
            yield f"{name} can be forged: {scheme.attack} makes {forged} clips that nobody marked pass{quality}."
    for chain, curve in mark.survival.items():
        if curve.clips:
            half = (
                f"more than {curve.last:g} generations"
                if curve.half_life is None
                else f"{curve.half_life:g} generations"
            )
            yield f"{name}: half of the clips are lost after {half} of {chain} (detection at {rate_text(mark.level)})."


def _claim(alarm: Alarms) -> str:
    """What so many false alarms say of the rate that the test of presence claims."""
    assert alarm.presence is not None
    assert alarm.bound is not None
    if alarm.too_many:
        return "far more than it claims: do not decide by it"
    if alarm.bound <= alarm.rate:
        return "which shows that rate"
    return f"which shows no more than {alarm.bound:.2g}; to show {rate_text(alarm.rate)} takes {alarm.needed:,} clips"


def _lost(mark: MarkFigures) -> str:
    """The attacks after which at most half of the clips are detected, weakest strength first."""
    if mark.level is None:
        return "detection cannot be decided"
    beaten: dict[str, str] = {}
    for cell in attacked_cells(mark):
        share = cell.detected[rate_name(mark.level)]
        if share.value is not None and share.value <= 0.5:
            beaten.setdefault(cell.attack, f"{cell.attack} {cell.strength:g}")
    tried = len({cell.attack for cell in attacked_cells(mark)})
    if not beaten:
        return f"it outlives all {tried} attacks in more than half of the clips"
    named = list(beaten.values())
    more = "" if len(named) <= 6 else f" and {len(named) - 6} more"
    return f"{len(beaten)} of {tried} attacks beat it in half of the clips or more: {', '.join(named[:6])}{more}"


def clean_cell(mark: MarkFigures) -> CellFigures | None:
    """The clip that nothing was done to."""
    return next((cell for cell in mark.cells if cell.attack == NONE), None)


def attacked_cells(mark: MarkFigures) -> list[CellFigures]:
    """All cells but that one, as far as there are numbers."""
    return [cell for cell in mark.cells if cell.attack != NONE and cell.trials]


def headline_rows(figures: WatermarkFigures) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and one row for each mark, for a terminal."""
    headings = ("mark", "bits", "dB", "bits read", "after attacks", "detected", "after attacks", "at rate", "alarms")
    rows: list[tuple[str, ...]] = []
    for mark in figures.marks:
        clean = clean_cell(mark)
        attacked = attacked_cells(mark)
        level = None if mark.level is None else rate_name(mark.level)
        found = [cell.detected[level] for cell in attacked] if level else []
        trials = sum(share.of for share in found)
        alarms = next((a.presence for a in mark.null.alarms if a.presence is not None and a.rate == mark.level), None)
        rows.append(
            (
                mark.facts.name,
                str(mark.facts.bits),
                "–" if mark.quality.db.value is None else f"{mark.quality.db.value:.1f}",
                "–" if clean is None else percent(clean.accuracy.value),
                percent(_pooled(attacked)),
                "–" if clean is None or level is None else share_text(clean.detected[level]),
                "–" if not trials else f"{sum(share.count for share in found)} of {trials}",
                "undecidable" if mark.level is None else rate_text(mark.level),
                "–" if alarms is None else f"{alarms.count} of {alarms.of}",
            )
        )
    return headings, rows


def _pooled(cells: list[CellFigures]) -> float | None:
    weights = sum(cell.trials for cell in cells)
    return sum((cell.accuracy.value or 0.0) * cell.trials for cell in cells) / weights if weights else None


def percent(value: float | None) -> str:
    """`97.3 %`, or a dash."""
    return "–" if value is None else f"{100 * value:.1f} %"


def interval_text(found: Interval, form: str = "{:.3f}") -> str:
    """`0.97 [0.93, 0.99]`, or a dash."""
    if found.value is None:
        return "–"
    if found.low is None or found.high is None:
        return form.format(found.value)
    return f"{form.format(found.value)} [{form.format(found.low)}, {form.format(found.high)}]"


def rate_text(rate: float | None) -> str:
    """A false alarm rate as `10⁻³`; other numbers as they are; a dash for none."""
    if rate is None:
        return "–"
    mantissa, exponent = f"{rate:.0e}".split("e")
    digits = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}" if mantissa == "1" and float(f"1e{exponent}") == rate else f"{rate:g}"


def limits(plan: WatermarkPlan, figures: WatermarkFigures) -> list[str]:
    """What must not be concluded from this audit."""
    lines = [
        f"The clips are {figures.clips} stretches of {figures.clusters} files. Intervals speak of further clips only "
        "if these were drawn at random from them.",
        "Attacks are those of the ladder. An attacker who knows the mark's code, or has its weights, can do more than "
        "any attack here: survival of this ladder is no proof of security.",
        "Exact p-values hold because each unmarked trial was held against a fresh random message. An owner who writes "
        "one message into all clips gets the false alarms of the dispersion table instead, and one who tries N "
        "messages on a clip has to multiply p by N.",
        "False alarm rates of the test of presence are known down to 3 over the number of unmarked clips, and only for "
        "clips that look like those that were read.",
        "Not detected is not unmarked, and detected is not made by the owner: the frontier shows what forgers reach.",
    ]
    if plan.messages == "clip":
        lines.append(
            "The attacks of one clip share its message, so that it was marked once. Intervals are over files and allow "
            "for it; what depends on the message itself is averaged over clips alone."
        )
    if len(plan.seeds) == 1:
        lines.append("One seed: one draw of each random attack for every clip, and one key.")
    return lines
