"""The leaderboard: every number with its interval, ranks as intervals, ties shown as ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.store import Run
from eval.metric import Direction

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; None where it cannot be had (no value; one case has no interval)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MetricCell:
    """One metric of one generator.

    raw: mean over cases (seeds averaged inside the case) in the metric's unit, scored rows only.
    utility: the same on 0…1, higher is better; None for a band metric without reference clips.
    scored … missing: rows by status; they add up to expected.
    as_worst: how many of the skipped count as utility 0 by the suite's rule.
    """

    raw: Interval
    utility: Interval | None
    scored: int
    skipped: int
    failed: int
    missing: int
    expected: int
    as_worst: int


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """What a metric means and how it counts. counted: part of the totals; else `note` says why not."""

    name: str
    version: int
    family: str
    unit: str
    direction: Direction
    low: float
    high: float
    weight: float
    counted: bool
    note: str
    encoder: str
    encoder_sha256: str
    summary: str
    blind_spots: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One generator.

    generator: its name; with the run (`name@run`) where two runs hold the same name.
    rank: best and worst place that the data allow; None below the suite's minimum coverage or without a total.
    coverage: scored / expected over the counted metrics (0…1); None where nothing counts.
    reasons: why there is no total or no rank, or what to know about them.
    """

    generator: str
    name: str
    run: str
    bracket: str
    rank: tuple[int, int] | None
    total: Interval
    families: Mapping[str, Interval]
    metrics: Mapping[str, MetricCell]
    coverage: float | None
    cases: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard. rows: ranked generators first, by total; then the others. notes: what a reader must know."""

    suite: str
    suite_version: int
    suite_hash: str
    runs: tuple[str, ...]
    confidence: float
    draws: int
    cases: int
    columns: tuple[MetricColumn, ...]
    families: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """The JSON document of `moviegen leaderboard --json`."""
        raise NotImplementedError

    def to_csv(self) -> str:
        """One line per generator; cells that a spreadsheet would run as a formula are quoted with '."""
        raise NotImplementedError

    def to_html(self) -> str:
        """One self-contained page: table and dot plot, nothing remote, every text escaped."""
        raise NotImplementedError


def build_board(runs: Sequence[Run], *, draws: int = 2000, confidence: float = 0.95, seed: int = 0) -> Board:
    """Rank the generators of one or more runs of the same suite. MixError names a difference that forbids it."""
    raise NotImplementedError


def render_table(board: Board, console: Console) -> None:
    """Print the board with rich, in at most 100 columns."""
    raise NotImplementedError
