"""Two generators, case by case: paired differences with intervals, a permutation test, wins and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.leaderboard import Interval
from benchmarks.store import Run

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Difference:
    """a − b over the cases that both have.

    difference: in the metric's unit for a metric; in utility (0…1) for a family and the total.
    utility: the same in utility; None for a band metric without reference clips.
    p: sign-flip permutation test, two-sided; p_holm: adjusted over the metrics (or over the families).
    wins, ties, losses: cases where a is better, equal, worse; None where neither end is better.
    detectable: the smallest difference that this many cases find with 80 % power at the board's confidence.
    cases: how many cases both have.
    """

    difference: Interval
    utility: Interval | None
    p: float | None
    p_holm: float | None
    wins: int | None
    ties: int | None
    losses: int | None
    detectable: float | None
    cases: int


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """One case: how much its part of the total differs (a − b), and each metric's difference in utility."""

    case: str
    difference: float
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """cases: largest absolute difference first. notes: what a reader must know (cases left out, and why)."""

    a: str
    b: str
    suite: str
    suite_hash: str
    confidence: float
    total: Difference
    families: Mapping[str, Difference]
    metrics: Mapping[str, Difference]
    cases: tuple[CaseDifference, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """The JSON document of `moviegen compare --json`."""
        raise NotImplementedError


def compare(
    run: Run | Sequence[Run], a: str, b: str, *, draws: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare generator a with generator b (labels as on the leaderboard). ValueError for an unknown name."""
    raise NotImplementedError


def render_comparison(comparison: Comparison, console: Console, worst: int = 5) -> None:
    """Print the comparison with rich, with the cases that differ most."""
    raise NotImplementedError
