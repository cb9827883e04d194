"""The set metrics of a leaderboard for a terminal: as many columns side by side as fit, then the reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.plain import plain_line
from benchmarks.set_rows import NOT_RANKED

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.set_board import SetCell, SetColumn

NAME_WIDTH = 24
MARK = "*"
"""Behind a value that must not be ranked."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """A generator's cells."""

    generator: str
    cells: Mapping[str, SetCell]


def print_sets(columns: Sequence[SetColumn], lines: Sequence[SetLine], console: Console, width: int) -> None:
    """Nothing where there are no set metrics."""
    if not columns:
        return
    names = [_short(line.generator) for line in lines]
    room = width - max([9, *map(len, names)])
    for block in _blocks(columns, lines, room):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 2), show_edge=False, pad_edge=False)
        table.add_column("generator", no_wrap=True)
        for column in block:
            table.add_column(_heading(column.name), no_wrap=True)
        for name, line in zip(names, lines, strict=True):
            table.add_row(Text(name), *(Text(cell_text(line.cells[column.name])) for column in block))
        console.print(table, width=width)
        console.print()
    for remark in set_remarks(columns, lines):
        console.print(Text(plain_line(remark)), style="dim", width=width)


def cell_text(cell: SetCell) -> str:
    """`12.3 [11.1, 13.5]`, with MARK where it must not be ranked; – where there is no value."""
    value = cell.value
    if value.value is None:
        return "–"
    mark = "" if cell.ranks else MARK
    if value.low is None or value.high is None:
        return f"{_figure(value.value)}{mark}"
    return f"{_figure(value.value)}{mark} [{_figure(value.low)}, {_figure(value.high)}]"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def set_remarks(columns: Sequence[SetColumn], lines: Sequence[SetLine]) -> Iterator[str]:
    """Why values are missing or not ranked, each reason once; then which direction is better."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for column in columns:
        for line in lines:
            if reason := line.cells[column.name].reason:
                found[reason][column.name].append(line.generator)
    for reason, metrics in found.items():
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, generators in metrics.items():
            alike[tuple(generators)].append(name)
        mark = f"{MARK} " if reason.startswith(NOT_RANKED) else ""
        for whom, names in alike.items():
            whose = "all generators" if len(whom) == len(lines) > 1 else ", ".join(whom)
            yield f"{mark}{whose}: {', '.join(names)}: {reason}"
    for direction, words in (("lower", "lower"), ("higher", "higher"), ("band", "neither lower nor higher")):
        if names := [column.name for column in columns if column.direction == direction]:
            yield f"better is {words}: {', '.join(names)}"
    yield "These are about all clips of a generator together, with 95% intervals, and no part of the totals."


def _blocks(columns: Sequence[SetColumn], lines: Sequence[SetLine], room: int) -> Iterator[list[SetColumn]]:
    block: list[SetColumn] = []
    used = 0
    for column in columns:
        texts = [*_heading(column.name).split("\n"), *(cell_text(line.cells[column.name]) for line in lines)]
        width = 2 + max(map(len, texts))
        if block and used + width > room:
            yield block
            block, used = [], 0
        block.append(column)
        used += width
    if block:
        yield block


def _heading(name: str) -> str:
    """The encoder above the measure: names are long, and numbers short."""
    first, _, rest = name.partition("_")
    return f"{first}\n{rest}" if rest else name


def _short(name: str) -> str:
    plain = plain_line(name)
    return plain if len(plain) <= NAME_WIDTH else plain[: NAME_WIDTH - 1] + "…"
