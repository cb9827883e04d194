"""The work of an audit, cut into units: a few cells (attack and strength) of one clip under one mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from eval.marks.mark import Stream
from safety.watermark.borrowed_quality import Borrowed
from safety.watermark.marker import Marker
from safety.watermark.plan import NONE, Cell, Form, WatermarkPlan
from safety.watermark.schemes import SCHEMES
from safety.watermark.subjects import Held, Subject

CELLS = 6
"""Cells of one unit: few enough that a kill wastes little and the bar moves, enough that marking is not repeated
much.
"""

Task = Literal["marked", "unmarked", "negative", "scheme", "tax"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work. subject: its place among the plan's clips, or among the negatives. mark: empty for all marks.

    cells: what is done to the clip; for a scheme (an attack that needs more than the clip) its name.
    """

    task: Task
    subject: int
    seed: int
    mark: str = ""
    cells: tuple[Cell, ...] = ()
    trials: int = 0

    @property
    def id(self) -> str:
        """The same for the same work of the same plan."""
        cells = ",".join(f"{cell.attack}={cell.strength!r}" for cell in self.cells)
        return f"{self.task}|{self.subject}|{self.seed}|{self.mark}|{cells}"

    @property
    def weight(self) -> int:
        """Trials, for progress; scoring twins counts as one."""
        return max(1, self.trials)


@dataclass(frozen=True, slots=True)
class Setup:
    """What every worker needs. find, load: module-level functions, which travel by name.

    encoder: (feature, array) of the encoding that diversity is measured on; None: no diversity.
    borrowed: how to take the measures that the plan calls borrowed.
    """

    plan: WatermarkPlan
    subjects: tuple[Subject, ...]
    negatives: tuple[Subject, ...]
    find: Callable[[str], Marker]
    load: Callable[[Subject, Form], Held]
    cache: Path | None = None
    encoder: tuple[str, str] | None = None
    borrowed: Borrowed = field(default_factory=Borrowed)


def units(setup: Setup) -> Iterator[Unit]:
    """All work of the plan, in an order in which early rows already say something: clip by clip, all marks."""
    plan = setup.plan
    for seed in plan.seeds:
        for place in range(len(setup.subjects)):
            for mark in plan.marks:
                yield from _chunks("marked", place, seed, mark.name, plan.cells(mark.stream), readings=1)
            for stream in dict.fromkeys(mark.stream for mark in plan.marks):
                marks = sum(mark.stream == stream for mark in plan.marks)
                yield from _chunks("unmarked", place, seed, stream, plan.unmarked_cells(stream), readings=marks)
            if plan.compared and seed == plan.seeds[0]:
                yield from (Unit("tax", place, seed, mark.name) for mark in plan.marks)
            for mark in plan.marks:
                for name in plan.schemes:
                    if place < plan.scheme_clips and _possible(name, mark.stream, len(setup.subjects)):
                        yield Unit("scheme", place, seed, mark.name, (Cell(name, 0.0),), 1)
    for place in range(len(setup.negatives)):
        yield Unit("negative", place, plan.seeds[0], cells=(Cell(NONE, 0.0),), trials=len(plan.marks))


def _chunks(task: Task, place: int, seed: int, mark: str, cells: Sequence[Cell], *, readings: int) -> Iterator[Unit]:
    for first in range(0, len(cells), CELLS):
        some = tuple(cells[first : first + CELLS])
        # The reading with a key that is not the owner's comes with the unattacked cell.
        more = sum(cell.attack == NONE for cell in some) if task == "marked" else 0
        yield Unit(task, place, seed, mark, some, len(some) * readings + more)


def _possible(scheme: str, stream: Stream, clips: int) -> bool:
    return stream in SCHEMES.get(scheme).streams and SCHEMES.get(scheme).possible(clips)
