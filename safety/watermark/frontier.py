"""Removal against forgery at equal quality: what an attacker reaches who may spoil the clip only so far.

One curve per mark and goal. Removal: the share of marked clips that are not detected any more. Forgery: the share of
clips that their owner never marked and that are detected. Both against the quality of the attacked clip, measured
alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from safety.watermark.plan import NONE, MarkFacts, WatermarkPlan
from safety.watermark.statistics import Share, clustered_share

STEP_DB, BEST_DB = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Point:
    """One attack. quality: mean dB of the attacked clip against what was attacked. gained: share that the attacker
    won.
    """

    goal: Literal["removal", "forgery"]
    attack: str
    strength: float | None
    quality: float
    gained: Share


@dataclass(frozen=True, slots=True)
class Best:
    """The most that is won at `quality` dB or better, and by what; 0 by nothing."""

    quality: float
    gained: float
    attack: str


@dataclass(frozen=True, slots=True)
class Frontier:
    """measure: what quality is in (XPSNR where all attacks have it, else PSNR or signal over noise). reason: why
    empty.
    """

    measure: str
    points: tuple[Point, ...]
    removal: tuple[Best, ...]
    forgery: tuple[Best, ...]
    unmeasured: tuple[str, ...]
    reason: str = ""


def frontier(
    plan: WatermarkPlan, facts: MarkFacts, marked: pd.DataFrame, own: pd.DataFrame, level: float | None
) -> Frontier:
    """marked: trials that worked; own: all trials of the mark, for the schemes. Attacks that change the clip's size or
    length have no quality here and are named in `unmeasured`.
    """
    if level is None:
        return Frontier("", (), (), (), (), "the bits of this mark decide none of the rates")
    ok = own[own["status"] == "ok"]
    measure = _measure(facts, marked, ok)
    column = "attack_xpsnr" if measure == "XPSNR" else "attack_db"
    read = marked[(marked["attack"] == NONE) & (marked["p"] <= level)]
    able = set(zip(read["clip"], read["seed"], strict=True))
    points, unmeasured = [], []
    tried: list[tuple[str, float | None, pd.DataFrame]] = []
    for attack, ladder in marked[marked["attack"] != NONE].groupby("attack", sort=False):
        tried += [(str(attack), float(str(at)), part) for at, part in ladder.groupby("strength", sort=False)]
    tried += [(str(name), None, part) for name, part in ok[ok["kind"] == "removed"].groupby("attack", sort=False)]
    for name, strength, part in tried:
        # Only what was detected before can be removed.
        usable = part[[pair in able for pair in zip(part["clip"], part["seed"], strict=True)]]
        quality = _mean(usable[column])
        if quality is None:
            unmeasured.append(name)
        elif quality >= plan.attack_db:
            gone = usable["p"].to_numpy(np.float64) > level
            share = clustered_share(gone, usable["cluster"].to_numpy(), plan.confidence)
            points.append(Point("removal", name, strength, quality, share))
    for attack, part in ok[ok["kind"] == "forged"].groupby("attack", sort=False):
        quality = _mean(part[column])
        if quality is not None and quality >= plan.attack_db:
            share = clustered_share(
                part["p"].to_numpy(np.float64) <= level, part["cluster"].to_numpy(), plan.confidence
            )
            points.append(Point("forgery", str(attack), None, quality, share))
    return Frontier(
        measure,
        tuple(points),
        _curve([point for point in points if point.goal == "removal"], plan.attack_db),
        _curve([point for point in points if point.goal == "forgery"], plan.attack_db),
        tuple(dict.fromkeys(unmeasured)),
    )


def _measure(facts: MarkFacts, marked: pd.DataFrame, ok: pd.DataFrame) -> str:
    if facts.stream == "sound":
        return "signal over noise"
    attacked = pd.concat([marked[marked["attack"] != NONE], ok[ok["kind"].isin(["removed", "forged"])]])
    has_db = attacked["attack_db"].notna()
    return "XPSNR" if has_db.any() and attacked.loc[has_db, "attack_xpsnr"].notna().all() else "PSNR"


def _curve(points: Sequence[Point], worst_db: float) -> tuple[Best, ...]:
    if not points:
        return ()
    found = []
    for quality in np.arange(worst_db, BEST_DB + STEP_DB / 2, STEP_DB).tolist():
        within = [point for point in points if point.quality >= quality and point.gained.value]
        best = max(within, key=lambda point: point.gained.value or 0.0, default=None)
        found.append(Best(quality, 0.0, "") if best is None else Best(quality, best.gained.value or 0.0, best.attack))
    return tuple(found)


def _mean(values: pd.Series[float]) -> float | None:
    known = values.dropna().to_numpy(np.float64)
    known = np.minimum(known, 100.0)  # an attack that changes nothing has no noise at all
    return float(known.mean()) if len(known) else None
