"""A progress bar for long work: what is running, how far, how fast, and the time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.commands.shell import err
from benchmarks.plain import plain_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """One bar. `to` moves it to a count; a remark, such as a loss, stands behind its name."""

    def __init__(self, progress: Progress, task: TaskID, name: str, unit: str) -> None:
        self._progress, self._task, self._name, self._unit = progress, task, name, unit

    def to(self, done: int, remark: str = "") -> None:
        """Show that `done` of the total are done."""
        speed = self._progress.tasks[self._task].speed
        rate = f"{speed:.3g} {self._unit}/s" if speed else ""
        text = plain_line(f"{self._name}  {remark}")
        self._progress.update(self._task, completed=done, description=text[:60], rate=rate)


@contextmanager
def bar(name: str, total: int | None, unit: str, *, quiet: bool = False) -> Iterator[Bar]:
    """A bar of `total` units (None: nobody knows) on standard error; none where `quiet`."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), disable=quiet) as progress:
        yield Bar(progress, progress.add_task(name, total=total, rate=""), name, unit)
