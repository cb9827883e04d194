"""Everything the votes of a run say, axis by axis, as one document."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from benchmarks.arena.agreement import Agreement, SideBias, agreement, side_bias
from benchmarks.arena.axes import AXES, Axis
from benchmarks.arena.ballots import ballots, current
from benchmarks.arena.pairs import slate
from benchmarks.arena.prediction import Goodness, Prediction, goodness, predictions
from benchmarks.arena.strength import NetWin, Strength, net_wins, strengths
from benchmarks.arena.votes import FILE, VoteBox
from benchmarks.estimates import Interval
from benchmarks.export import to_json
from benchmarks.store import Run

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class AxisResult:
    """One question: who is preferred, how far raters agree, whether sides sway them, which metrics foresee it."""

    axis: Axis
    votes: int
    items: int
    cases: int
    raters: int
    strengths: tuple[Strength, ...]
    net_wins: tuple[NetWin, ...]
    agreement: Agreement
    side: SideBias
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True, slots=True)
class ArenaResults:
    """The axes that have votes, in the order of AXES. notes: what a reader must know (votes left out, and why)."""

    run: str
    suite: str
    suite_hash: str
    confidence: float
    axes: tuple[AxisResult, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """The JSON document of `moviegen arena results --json`."""
        return to_json(asdict(self))


def arena_results(run: Run, *, confidence: float = CONFIDENCE, seed: int = 0) -> ArenaResults:
    """The results of a run, from the votes file beside it. Raises VotesError where that cannot be read."""
    votes = VoteBox(run.folder.parent / FILE).votes(run.id)
    kept, notes = current(votes, slate(run))
    scores = goodness(run, set(kept["case"])) if len(kept) else Goodness({}, {}, {})
    axes = [axis for axis in AXES.values() if (kept["axis"] == axis.name).any()]
    unknown = sorted(set(kept["axis"]) - set(AXES))
    if unknown:
        notes.append(f"Votes along axes that this version does not know are left out: {', '.join(unknown)}.")
    return ArenaResults(
        run=run.id,
        suite=run.manifest.suite_name,
        suite_hash=run.manifest.suite_hash,
        confidence=confidence,
        axes=tuple(axis_result(kept, axis, scores, confidence=confidence, seed=seed) for axis in axes),
        notes=tuple(notes),
    )


def axis_result(votes: pd.DataFrame, axis: Axis, scores: Goodness, *, confidence: float, seed: int = 0) -> AxisResult:
    """One axis. votes: of any axes, as VoteBox.votes gives them."""
    found, generator = ballots(votes, axis.name), np.random.default_rng(seed)
    return AxisResult(
        axis=axis,
        votes=len(found.a_N),
        items=len(found.items),
        cases=len(found.cases),
        raters=len(found.raters),
        strengths=strengths(found, confidence),
        net_wins=net_wins(found, confidence, generator),
        agreement=agreement(found, confidence, generator),
        side=side_bias(found, confidence, generator),
        predictions=predictions(found, scores, confidence, generator),
    )


def strength_frame(result: AxisResult) -> pd.DataFrame:
    """One line per generator, numbers unrounded."""
    return pd.DataFrame(
        [
            {
                "generator": row.generator,
                **_ends("strength", row.strength),
                **_ends("chance", row.chance),
                "rank_best": None if row.rank is None else row.rank[0],
                "rank_worst": None if row.rank is None else row.rank[1],
                "votes": row.votes,
                "cases": row.cases,
                "reason": row.reason,
            }
            for row in result.strengths
        ]
    )


def net_win_frame(result: AxisResult) -> pd.DataFrame:
    """One line per pair of generators."""
    return pd.DataFrame(
        [
            {
                "a": row.a,
                "b": row.b,
                **_ends("net_win", row.net),
                "p": row.p,
                "p_adjusted": row.p_adjusted,
                "wins": row.wins,
                "ties": row.ties,
                "losses": row.losses,
                "cases": row.cases,
                "votes": row.votes,
            }
            for row in result.net_wins
        ]
    )


def prediction_frame(result: AxisResult) -> pd.DataFrame:
    """One line per metric."""
    return pd.DataFrame(
        [
            {
                "metric": row.metric,
                "family": row.family,
                **_ends("accuracy", row.accuracy),
                "p": row.p,
                "p_adjusted": row.p_adjusted,
                "items": row.items,
                "cases": row.cases,
                "reason": row.reason,
            }
            for row in result.predictions
        ]
    )


def sentences(result: AxisResult) -> list[str]:
    """Votes, agreement and sides in words."""
    agreed, side = result.agreement, result.side
    counts = ((result.items, "comparison"), (result.cases, "case"), (result.raters, "rater"))
    lines = [f"{_counted(result.votes, 'vote')}: " + ", ".join(_counted(number, noun) for number, noun in counts) + "."]
    if agreed.alpha.value is None:
        lines.append(f"Agreement of raters: not known ({agreed.reason}).")
    else:
        lines.append(
            f"Agreement of raters, 1 full, 0 as by chance: Krippendorff's alpha {_told(agreed.alpha)}, Gwet's AC2 "
            f"{_told(agreed.gwet)}; the same answer in {agreed.same:.0%} of pairs of raters, over "
            f"{_counted(agreed.items, 'comparison')} that two or more have seen."
        )
    if side.left.value is not None:
        swayed = side.p is not None and side.p <= 0.05
        lines.append(
            f"Left preferred {side.lefts} times, right {side.rights}, tied {side.ties}: {_told(side.left, '+.2f')} for "
            f"the left; p = {side.p:.3f}, "
            + ("the side sways raters." if swayed else "no sign that the side sways raters.")
        )
    return lines


def _told(interval: Interval, form: str = ".2f") -> str:
    if interval.value is None:
        return "not known"
    if interval.low is None or interval.high is None:
        return format(interval.value, form)
    return f"{format(interval.value, form)} ({format(interval.low, form)} to {format(interval.high, form)})"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _ends(name: str, interval: Interval) -> dict[str, float | None]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
