"""A leaderboard in the terminal, in at most 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.estimates import Interval
from benchmarks.plain import plain_line
from benchmarks.set_table import SetLine, print_sets

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.leaderboard import Board, BoardRow

WIDTH = 100
_RANK_WIDTH, _TOTAL_WIDTH, _FAMILY_WIDTH, _SCORED_WIDTH, _NAME_LEAST = 5, 20, 7, 6, 10
_BRACKET_STYLES = {"ceiling": "green", "floor": "dim"}


def print_board(board: Board, console: Console) -> None:
    """Rank interval, generator, total with interval, families, coverage; reasons and notes; then the set metrics."""
    title = f"{board.suite} version {board.suite_version} · {board.suite_hash[:12]} · run {', '.join(board.runs)}"
    table = Table(title=printable(title, WIDTH), title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    longest = max([_NAME_LEAST, *(len(row.generator) for row in board.rows)])
    headers = _headers(board.families, WIDTH - _RANK_WIDTH - _TOTAL_WIDTH - _SCORED_WIDTH - 3 - longest)
    name_width = max(_NAME_LEAST, WIDTH - _RANK_WIDTH - _TOTAL_WIDTH - _SCORED_WIDTH - 3 - _width(headers))
    table.add_column("rank", justify="right", no_wrap=True, min_width=_RANK_WIDTH)
    table.add_column("generator", no_wrap=True, max_width=name_width)
    table.add_column(f"total ({board.confidence:.0%})", no_wrap=True, min_width=_TOTAL_WIDTH)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True, min_width=len(header))
    table.add_column("scored", justify="right", no_wrap=True, min_width=_SCORED_WIDTH)
    for row in board.rows:
        families = (Text(number(row.families[name].value, 2)) for name in board.families)
        covered = "–" if row.coverage is None else f"{row.coverage:.0%}"
        table.add_row(_rank(row), _name(row, name_width), interval(row.total), *families, covered)
    console.print(table, width=min(WIDTH, console.width))
    console.print()
    for line in _remarks(board):
        console.print(printable(line), style="dim", width=min(WIDTH, console.width))
    if board.set_columns:
        console.print()
        lines = [SetLine(row.generator, row.sets) for row in board.rows]
        print_sets(board.set_columns, lines, console, min(WIDTH, console.width))


def interval(estimate: Interval, digits: int = 3) -> str:
    """0.873 [0.850, 0.893], or – where there is no value."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return number(estimate.value, digits)
    return f"{number(estimate.value, digits)} [{number(estimate.low, digits)}, {number(estimate.high, digits)}]"


def number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def printable(text: str, width: int | None = None) -> Text:
    """A stranger's text for the terminal, as rich text without markup, cut to `width`."""
    safe = plain_line(text)
    return Text(safe if width is None else _short(safe, width))


def _remarks(board: Board) -> list[str]:
    remarks = [f"{row.generator}: {reason}" for row in board.rows for reason in row.reasons]
    notes = dict.fromkeys(column.note for column in board.columns if column.note)
    remarks += [f"{', '.join(one.name for one in board.columns if one.note == note)}: {note}" for note in notes]
    legend = f"Totals run from 0 to 1. A rank is the range of places that {board.cases} cases allow"
    overlap = "; generators whose ranges overlap are tied." if _ties(board) else "."
    return [*remarks, *board.notes, legend + overlap]


def _ties(board: Board) -> bool:
    return any(row.rank is not None and row.rank[0] < row.rank[1] for row in board.rows)


def _rank(row: BoardRow) -> str:
    if row.rank is None:
        return "–"
    best, worst = row.rank
    return str(best) if best == worst else f"{best}–{worst}"


def _name(row: BoardRow, width: int) -> Text:
    name = printable(row.generator, width)
    name.stylize(_BRACKET_STYLES.get(row.bracket, ""))
    return name


def _headers(families: Sequence[str], room: int) -> list[Text]:
    """The families' names in full where they fit beside the longest generator, else cut short."""
    whole = [printable(family) for family in families]
    return whole if _width(whole) <= room else [printable(family, _FAMILY_WIDTH) for family in families]


def _width(headers: Sequence[Text]) -> int:
    """Of the family columns, each with one space beside it; a number needs four columns."""
    return sum(max(4, len(header)) + 1 for header in headers)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
