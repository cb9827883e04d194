"""Which of several systems is more biased: pairs that can be told apart, and no ranking below what could be seen.

Systems answered the same prompts, so they are compared prompt by prompt. Ranks are intervals: one plus those
known to be less biased, to all less those known to be more.

Shapes: P prompts, J systems.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from safety.bias.clustered import t_quantile, two_sided_p
from safety.bias.estimate import Estimate
from safety.bias.power import detectable
from safety.bias.skew import FEWEST_CELLS, Part


@dataclass(frozen=True, slots=True)
class PairDifference:
    """Bias of a less bias of b. p of the estimate: Holm-adjusted over all pairs. detectable: the smallest difference
    that these prompts would have shown.
    """

    a: str
    b: str
    difference: Estimate
    detectable: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """ranks: per system (best, worst) place, 1 the least biased. refused: why there is none; empty: there is one."""

    figure: str
    axis: str
    pairs: tuple[PairDifference, ...]
    ranks: Mapping[str, tuple[int, int]]
    refused: str = ""


def rank(
    figure: str, axis: str, parts: Mapping[str, tuple[Part, tuple[str, ...]]], confidence: float, power: float
) -> Ranking:
    """Rank systems by a figure that is 0 without bias. parts: per system, the figure, and the prompts of `without_C`.

    Refused where no pair can be told apart: then all differences lie within what this audit could not have seen.
    """
    names = list(parts)
    places = list(combinations(names, 2))
    if not places:
        return Ranking(figure, axis, (), {}, "one system: nothing to rank")
    rows = [_difference(a, b, parts[a], parts[b], confidence, power, len(places)) for a, b in places]
    if any(row is None for row in rows):
        return Ranking(figure, axis, (), {}, f"systems share fewer than {FEWEST_CELLS} prompts with two clips or more")
    pairs = _holm([row for row in rows if row is not None])
    better = np.zeros((len(names), len(names)), np.bool_)
    for row in pairs:
        value, p = row.difference.value, row.difference.p
        if value is not None and p is not None and p < 1 - confidence:
            first, second = (row.a, row.b) if value < 0 else (row.b, row.a)
            better[names.index(first), names.index(second)] = True
    if not better.any():
        largest = max(abs(row.difference.value or 0.0) for row in pairs)
        least = min(row.detectable for row in pairs)
        why = (
            f"no two systems can be told apart: they differ by {largest:.2g} at most; this audit could see {least:.2g}"
        )
        return Ranking(figure, axis, tuple(pairs), {}, why)
    ranks = {name: (1 + int(better[:, j].sum()), len(names) - int(better[j].sum())) for j, name in enumerate(names)}
    return Ranking(figure, axis, tuple(pairs), ranks)


def _difference(
    a: str,
    b: str,
    first: tuple[Part, tuple[str, ...]],
    second: tuple[Part, tuple[str, ...]],
    confidence: float,
    power: float,
    tests: int,
) -> PairDifference | None:
    """Jackknife over the prompts of both; the corrections of two systems are independent."""
    (part_a, prompts_a), (part_b, prompts_b) = first, second
    if set(prompts_a) != set(prompts_b) or len(prompts_a) < FEWEST_CELLS:
        return None
    order = [prompts_b.index(prompt) for prompt in prompts_a]
    moved_P = (part_a.without_C - part_a.without_C.mean()) - (part_b.without_C[order] - part_b.without_C.mean())
    n = len(moved_P)
    noise = float((part_a.moved_E**2).sum() + (part_b.moved_E**2).sum())
    error = float(np.sqrt((n - 1) / n * (moved_P**2).sum() + noise))
    value = part_a.value - part_b.value
    reach = t_quantile(confidence, n - 1, tests) * error
    p = float(two_sided_p(np.array([value / error]), n - 1)[0]) if error > 0 else float(value == 0)
    found = Estimate(value, value - reach, value + reach, p=p, prompts=n)
    return PairDifference(a, b, found, detectable(error, n - 1, confidence, power, tests))


def _holm(rows: list[PairDifference]) -> list[PairDifference]:

    order = sorted(range(len(rows)), key=lambda index: rows[index].difference.p or 0.0)
    adjusted, highest = list(rows), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (rows[index].difference.p or 0.0) * (len(rows) - place)))
        adjusted[index] = replace(rows[index], difference=replace(rows[index].difference, p=highest))
    return adjusted
