"""From a plan to an audit's outcome: its trials in parallel, resumed where they stopped, and its files."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.executors import ExecutorName, Job, execute
from benchmarks.export import to_json
from benchmarks.provenance import code_facts, environment_facts
from benchmarks.sweep import DiskFullError
from benchmarks.unit import out_of_space
from benchmarks.watermark.trial_store import TrialStore
from eval.cache import write_atomically
from safety.watermark.export import FIGURES, REPORT, table_files
from safety.watermark.figures import Tables, WatermarkFigures, figures
from safety.watermark.page import audit_page
from safety.watermark.plan import WatermarkPlan
from safety.watermark.report import About
from safety.watermark.run import lost, prepare, work
from safety.watermark.trial import UnitResult
from safety.watermark.units import Setup, Unit, units

FORMAT = "moviegen-watermark-audit-1"
KIND = "watermark"
FLUSH_SECONDS = 5.0
Report = Callable[[int, str], None]
"""(trials done, what was done last)"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An audit: what was asked, what was found, and the rows it rests on."""

    about: About
    plan: WatermarkPlan
    figures: WatermarkFigures
    tables: Tables

    def to_json(self) -> str:
        """figures.json: one document; what is not known is null."""
        return to_json(
            {
                "format": FORMAT,
                "about": asdict(self.about),
                "plan_sha256": self.plan.sha256,
                "plan": self.plan.to_json(),
                "figures": self.figures.to_json(),
            }
        )


def audit_name(plan: WatermarkPlan) -> str:
    """The folder of an audit inside its run: its marks, and eight digits of its plan."""
    marks = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", mark.name).strip("-") for mark in plan.marks)[:48]
    return f"{marks or 'mark'}-{plan.sha256[:8]}"


def trial_count(setup: Setup) -> int:
    """What progress counts to."""
    return sum(unit.weight for unit in units(setup))


def run_trials(
    store: TrialStore, setup: Setup, executor: ExecutorName, workers: int | None, report: Report = lambda *_: None
) -> None:
    """Do what is left of the plan. Raises DiskFullError; what was stored before is safe, and the audit can go on."""
    done, planned = store.done(), {unit.id: unit for unit in units(setup)}
    finished = sum(unit.weight for unit in planned.values() if unit.id in done)
    report(finished, "")
    job: Job[Unit, UnitResult] = Job(work, prepare, setup, partial(lost, setup))
    flushed = time.monotonic()
    left = [unit for unit in planned.values() if unit.id not in done]
    try:
        for result in execute(executor, job, left, workers):
            store.add(result)
            finished += planned[result.unit].weight
            report(finished, _named(result))
            if time.monotonic() - flushed > FLUSH_SECONDS:
                store.flush()
                flushed = time.monotonic()
        store.flush()
    except OSError as error:
        if out_of_space(error):
            why = "the disk is full; free some space and give the same command again"
            raise DiskFullError(f"{store.folder}: {why}") from error
        raise


def _named(result: UnitResult) -> str:
    """What a unit was about, for the bar."""
    if result.trials:
        last = result.trials[-1]
        return f"{last.mark} · {last.attack} · {last.clip}"
    return "metrics of twins"


def conclude(
    plan: WatermarkPlan, tables: Tables, title: str, started: datetime, argv: Sequence[str], notes: Sequence[str]
) -> Outcome:
    """All figures of the tables, and what the report says about the audit itself."""
    code = code_facts()
    about = About(
        title=title,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        seconds=(datetime.now(UTC) - started).total_seconds(),
        code=f"{code.version} {code.commit[:12]}{' with changes' if code.dirty else ''}".strip(),
        packages=environment_facts().packages,
        rerun=shlex.join(["moviegen", *argv]),
        notes=tuple(notes),
    )
    return Outcome(about, plan, figures(plan, tables), tables)


def write_outcome(outcome: Outcome, folder: Path) -> None:
    """Write all files of the report; each whole, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in table_files(outcome.tables):
        write_atomically(folder / name, data)
    write_atomically(folder / FIGURES, (outcome.to_json() + "\n").encode())
    page = audit_page(outcome.plan, outcome.about, outcome.figures, outcome.tables)
    write_atomically(folder / REPORT, page.encode())
