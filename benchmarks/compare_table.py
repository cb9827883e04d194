"""A comparison of two generators in the terminal, in at most 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from benchmarks.board_table import WIDTH, interval, number, printable

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.compare import Comparison, Difference


def print_comparison(comparison: Comparison, console: Console, worst: int = 5) -> None:
    """Total, families and metrics, then the cases that differ most, then what was left out."""
    width = min(WIDTH, console.width)
    title = printable(f"{comparison.a} − {comparison.b} · {comparison.suite} · {comparison.suite_hash[:12]}", WIDTH)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True, max_width=28)
    table.add_column(f"difference ({comparison.confidence:.0%})", no_wrap=True)
    for name in ("p", "p (Holm)", "wins", "ties", "losses"):
        table.add_column(name, justify="right", no_wrap=True)
    _line(table, "total", comparison.total, bold=True)
    table.add_section()
    for name, part in comparison.families.items():
        _line(table, name, part)
    table.add_section()
    for name, part in comparison.metrics.items():
        _line(table, name, part)
    console.print(table, width=width)
    if comparison.cases and worst:
        console.print(_cases(comparison, worst), width=width)
    for note in comparison.notes:
        console.print(printable(note), style="dim", width=width)


def _line(table: Table, name: str, part: Difference, *, bold: bool = False) -> None:
    outcomes = ("–" if count is None else str(count) for count in (part.wins, part.ties, part.losses))
    tests = (number(p, 4) for p in (part.p, part.p_holm))
    table.add_row(printable(name, 28), interval(part.difference, 4), *tests, *outcomes, style="bold" if bold else "")


def _cases(comparison: Comparison, worst: int) -> Table:
    table = Table(title="Cases that differ most", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("case", no_wrap=True, max_width=30)
    table.add_column("part of the total", justify="right")
    table.add_column("most in (utility)")
    for case in comparison.cases[:worst]:
        known = {name: value for name, value in case.metrics.items() if value}
        most = sorted(known, key=lambda name: -abs(known[name]))[:2]
        named = printable(", ".join(f"{name} {known[name]:+.3f}" for name in most))
        table.add_row(printable(case.case, 30), f"{case.difference:+.3f}", named)
    return table
