"""The work of one unit, done in a worker process. Nothing that a clip, a mark or an attack does can lose a trial: it
becomes a row that failed or was skipped, with the reason.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from eval.cache import FeatureCache
from eval.clip import Clip, ClipError
from eval.errors import UserError
from eval.marks.bits import match_p_value, matches, message_text
from eval.marks.mark import Bits, Stream
from safety.watermark.attacks.attack import ATTACKS, AttackError, rng_of
from safety.watermark.likeness import NOTHING, Likeness, compare
from safety.watermark.marker import Marker
from safety.watermark.plan import NONE, Cell
from safety.watermark.schemes import SCHEMES
from safety.watermark.statistics import exact_p
from safety.watermark.subjects import Held, Subject, facts_of
from safety.watermark.tax import borrowed_tax, no_tax, tax_of
from safety.watermark.trial import (
    Kind,
    Outcome,
    Trial,
    UnitResult,
    blank_message_of,
    message_of,
    other_key,
)
from safety.watermark.units import Setup, Unit

REASON = 300
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked clip, what it says, how long marking took and how much like the unmarked clip it is."""

    clip: Clip
    message_K: Bits
    seconds: float
    likeness: Likeness


class Worker:
    """Does units; marks are found once, and the last clips are kept, since units of one clip follow one another."""

    def __init__(self, setup: Setup) -> None:
        import cv2

        cv2.setNumThreads(1)  # the audit is parallel over units already
        self.setup, self._plan = setup, setup.plan
        self._markers: dict[str, Marker] = {}
        self._held: tuple[Subject, Held] | None = None
        self._marked: tuple[tuple[str, str, int, str], Marked] | None = None
        self._cache = None if setup.cache is None else FeatureCache(setup.cache)

    def do(self, unit: Unit) -> UnitResult:
        """All rows of the unit; nothing but a full disk or an interruption is raised."""
        if unit.task == "marked":
            return UnitResult(unit.id, tuple(self._marked_trials(unit)))
        if unit.task in {"unmarked", "negative"}:
            return self._unmarked(unit)
        if unit.task == "tax":
            return self._tax(unit)
        return UnitResult(unit.id, (self._scheme(unit),))

    def nothing(self, unit: Unit, status: Outcome, reason: str) -> UnitResult:
        """The rows that the unit would have given, all with this status and reason."""
        subject = self._subject(unit)
        if unit.task == "tax":
            return UnitResult(unit.id, tax=no_tax(self._plan.compared, unit.mark, subject, unit.seed, status, reason))
        rows: list[Trial] = []
        for cell in unit.cells:
            kinds: list[Kind] = [_kind(unit, cell)]
            if unit.task == "marked" and cell.attack == NONE:
                kinds.append("other key")
            rows += [
                replace(self._blank(kind, mark, subject, unit.seed, cell), status=status, reason=reason)
                for mark in self._marks_of(unit)
                for kind in kinds
            ]
        return UnitResult(unit.id, tuple(rows))

    def _marks_of(self, unit: Unit) -> list[str]:
        marks = self._plan.marks
        return [
            mark.name
            for mark in marks
            if unit.mark in {"", mark.name} or (unit.task == "unmarked" and unit.mark == mark.stream)
        ]

    def marker(self, name: str) -> Marker:
        """The mark of that name, found once."""
        if name not in self._markers:
            self._markers[name] = self.setup.find(name)
        return self._markers[name]

    def _subject(self, unit: Unit) -> Subject:
        return (self.setup.negatives if unit.task == "negative" else self.setup.subjects)[unit.subject]

    def load(self, subject: Subject) -> Held:
        """The subject in memory; the last one is kept."""
        if self._held is None or self._held[0] != subject:
            self._held = subject, self.setup.load(subject, self._plan.form)
        return self._held[1]

    def mark(self, subject: Subject, name: str, message_K: Bits, key: int) -> Marked:
        """The subject marked; the last one is kept."""
        wanted = (name, subject.id, key, message_text(message_K))
        if self._marked is None or self._marked[0] != wanted:
            clip = self.load(subject).clip
            begun = time.perf_counter()
            marker = self.marker(name)
            marked = marker.marked(subject, clip, message_K, key=key)
            seconds = time.perf_counter() - begun
            likeness = compare(clip, marked, marker.facts.stream) if marker.twins else NOTHING
            self._marked = wanted, Marked(marked, message_K, seconds, likeness)
        return self._marked[1]

    def _marked_trials(self, unit: Unit) -> Iterator[Trial]:
        subject, plan = self._subject(unit), self._plan
        facts, key = plan.mark(unit.mark), plan.key(unit.seed)
        for cell in unit.cells:
            blank = self._blank("marked", unit.mark, subject, unit.seed, cell)
            message_K = message_of(subject, cell, unit.seed, facts.bits, plan.messages)
            marked, row = _attempt(lambda: self.mark(subject, unit.mark, message_K, key), blank)  # noqa: B023 - now
            if marked is None:
                yield row
                if cell.attack == NONE:
                    yield replace(row, kind="other key")
                continue
            row = replace(
                row,
                mark_db=marked.likeness.db,
                mark_ssim=marked.likeness.ssim,
                mark_xpsnr=marked.likeness.xpsnr,
                embed_seconds=marked.seconds,
            )
            attacked, row = self._attack(marked.clip, cell, subject, unit.seed, row, facts.stream)
            yield row if attacked is None else self._read(attacked, unit.mark, message_K, key, row)
            if cell.attack == NONE:
                yield self._read(marked.clip, unit.mark, message_K, other_key(key), replace(blank, kind="other key"))

    def _unmarked(self, unit: Unit) -> UnitResult:
        subject, plan, kind = self._subject(unit), self._plan, _kind(unit, unit.cells[0])
        held, why = _attempt(lambda: self.load(subject), self._blank(kind, "", subject, unit.seed, unit.cells[0]))
        if held is None:
            return self.nothing(unit, why.status, why.reason)
        marks = self._marks_of(unit)
        rows = []
        for cell in unit.cells:
            row = self._blank(kind, "", subject, unit.seed, cell)
            attacked, row = self._attack(held.clip, cell, subject, unit.seed, row, plan.mark(marks[0]).stream)
            for name in marks:
                own, bits = replace(row, mark=name, bits=plan.mark(name).bits), plan.mark(name).bits
                if attacked is None:
                    rows.append(own)
                    continue
                message_K = blank_message_of(name, subject, kind, cell, unit.seed, bits)
                rows.append(self._read(attacked, name, message_K, plan.key(unit.seed), own))
        looked_at = unit.task == "unmarked" and any(cell.attack == NONE for cell in unit.cells)
        return UnitResult(unit.id, tuple(rows), facts=(facts_of(subject, held),) if looked_at else ())

    def _attack(
        self, clip: Clip, cell: Cell, subject: Subject, seed: int, row: Trial, stream: Stream
    ) -> tuple[Clip | None, Trial]:
        if cell.attack == NONE:
            return clip, row
        attack = ATTACKS.get(cell.attack)
        generator = attack.rng(subject.sha256, cell.strength, seed)
        begun = time.perf_counter()
        attacked, row = _attempt(lambda: attack.apply(clip, cell.strength, generator), row)
        if attacked is None:
            return None, row
        seconds = time.perf_counter() - begun
        likeness = compare(clip, attacked, stream)
        return attacked, replace(row, attack_seconds=seconds, attack_db=likeness.db, attack_xpsnr=likeness.xpsnr)

    def _read(self, clip: Clip, mark: str, message_K: Bits, key: int, row: Trial) -> Trial:
        found, row = _attempt(lambda: self.marker(mark).detect(clip, key=key), row)
        if found is None:
            return row
        agreed = matches(found, message_K)
        return replace(
            row,
            message=message_text(message_K),
            decoded=message_text(found.bits_K),
            matches=agreed,
            p=match_p_value(agreed, len(message_K), found.searched),
            p_exact=float(exact_p(agreed, len(message_K))),
            score=found.score,
            p_presence=found.p_presence,
            searched=found.searched,
            frames=len(clip.frames_TCHW),
            detect_seconds=found.seconds,
        )

    def _tax(self, unit: Unit) -> UnitResult:
        subject, facts = self._subject(unit), self._plan.mark(unit.mark)
        cell = Cell(NONE, 0.0)
        message_K = message_of(subject, cell, unit.seed, facts.bits, self._plan.messages)
        blank = self._blank("marked", unit.mark, subject, unit.seed, cell)
        marked, row = _attempt(lambda: self.mark(subject, unit.mark, message_K, self._plan.key(unit.seed)), blank)
        if marked is None:
            return UnitResult(
                unit.id, tax=no_tax(self._plan.compared, unit.mark, subject, unit.seed, row.status, row.reason)
            )
        twins = self.load(subject).clip, marked.clip
        tax, encodings = tax_of(
            unit.mark, subject, unit.seed, twins, self._plan.tax, self.setup.encoder, cache=self._cache
        )
        if not self.marker(unit.mark).twins:
            why = f"{unit.mark} makes another clip: it cannot be compared with the unmarked one pixel by pixel"
            names = tuple(name for name, _ in self._plan.borrowed)
            tax += no_tax(names, unit.mark, subject, unit.seed, "skipped", why)
        else:
            tax += borrowed_tax(unit.mark, subject, unit.seed, twins, self.setup.borrowed, self._plan.borrowed)
        return UnitResult(unit.id, tax=tax, encodings=encodings)

    def _scheme(self, unit: Unit) -> Trial:
        subject, plan = self._subject(unit), self._plan
        (cell,), facts, key = unit.cells, plan.mark(unit.mark), plan.key(unit.seed)
        scheme = SCHEMES.get(cell.attack)
        row = self._blank(_kind(unit, cell), unit.mark, subject, unit.seed, cell)
        scene = _Scene(self, unit)
        generator = rng_of(subject.sha256, cell.attack, cell.strength, unit.seed)
        begun = time.perf_counter()
        loot, row = _attempt(lambda: scheme.run(scene, generator, plan.budget), row)
        if loot is None:
            return row
        likeness = compare(loot.before, loot.clip, facts.stream)
        row = replace(
            row,
            attack_db=likeness.db,
            attack_xpsnr=likeness.xpsnr,
            attack_seconds=time.perf_counter() - begun,
            queries=scene.queries,
        )
        owner = self.setup.subjects[loot.owner]
        message_K = message_of(owner, Cell(NONE, 0.0), unit.seed, facts.bits, plan.messages)
        return self._read(loot.clip, unit.mark, message_K, key, row)

    def _blank(self, kind: Kind, mark: str, subject: Subject, seed: int, cell: Cell) -> Trial:
        bits = self._plan.mark(mark).bits if mark else 0
        return Trial(
            kind,
            mark,
            subject.id,
            subject.cluster,
            subject.sha256,
            seed,
            cell.attack,
            self._family(cell),
            cell.strength,
            "ok",
            bits=bits,
        )

    def _family(self, cell: Cell) -> str:
        if cell.attack in self._plan.schemes:
            return SCHEMES.get(cell.attack).goal
        return "" if cell.attack == NONE else next(one.family for one in self._plan.attacks if one.name == cell.attack)


class _Scene:
    """What an attacker finds in a worker (schemes.Scene)."""

    def __init__(self, worker: Worker, unit: Unit) -> None:
        self._worker, self._unit = worker, unit
        self._facts = worker.setup.plan.mark(unit.mark)
        self._key = worker.setup.plan.key(unit.seed)
        self.place, self.clips, self.queries = unit.subject, len(worker.setup.subjects), 0
        self.stream: Stream = self._facts.stream

    def marked(self, place: int) -> Clip:
        subject, plan = self._worker.setup.subjects[place], self._worker.setup.plan
        message_K = message_of(subject, Cell(NONE, 0.0), self._unit.seed, self._facts.bits, plan.messages)
        return self._worker.mark(subject, self._unit.mark, message_K, self._key).clip

    def unmarked(self, place: int) -> Clip:
        return self._worker.load(self._worker.setup.subjects[place]).clip

    def copies(self, count: int) -> list[Clip]:
        subject = self._worker.setup.subjects[self.place]
        messages = [self._message(number) for number in range(count)]
        return [self._worker.mark(subject, self._unit.mark, message_K, self._key).clip for message_K in messages]

    def embed(self, clip: Clip) -> Clip:
        marker, subject = self._worker.marker(self._unit.mark), self._worker.setup.subjects[self.place]
        if not marker.twins:
            raise AttackError("overwriting: this mark cannot be put on a clip that exists")
        return marker.marked(subject, clip, self._message(0), key=other_key(self._key))

    def score(self, clip: Clip) -> float:
        self.queries += 1
        return self._worker.marker(self._unit.mark).detect(clip, key=self._key).score

    def _message(self, number: int) -> Bits:
        """A message of the attacker's own."""
        subject = self._worker.setup.subjects[self.place]
        cell = Cell(self._unit.cells[0].attack, float(number))
        return blank_message_of(self._unit.mark, subject, "removed", cell, self._unit.seed, self._facts.bits)


def _kind(unit: Unit, cell: Cell) -> Kind:
    if unit.task == "scheme":
        return "removed" if SCHEMES.get(cell.attack).goal == "removal" else "forged"
    return "negative" if unit.task == "negative" else "unmarked" if unit.task == "unmarked" else "marked"


def _attempt(make: Callable[[], Made], row: Trial) -> tuple[Made | None, Trial]:
    """What was made, or the row that says why there is nothing: skipped where the part says it cannot, failed else."""
    try:
        return make(), row
    except (ClipError, OSError) as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise
        return None, replace(row, status="failed", reason=_plain(str(error)))
    except UserError as error:
        return None, replace(row, status="skipped", reason=_plain(str(error)))
    except Exception as error:  # noqa: BLE001 - a stranger's mark or clip may raise anything: it costs this trial only
        return None, replace(row, status="failed", reason=_plain(f"{type(error).__name__}: {error}"))


def _plain(text: str) -> str:
    return " ".join(text.split())[:REASON]


def lost(setup: Setup, unit: Unit) -> UnitResult:
    """The rows of a unit whose worker died twice: as many as it would have given, all failed."""
    reason = "the worker process died (out of memory, or a crash in a library) twice on this clip"
    return Worker(setup).nothing(unit, "failed", reason)


# One worker per process: pools start a process once and then send it bare units.
_WORKERS: list[Worker] = []


def prepare(setup: Setup) -> None:
    """Set this process up for an audit."""
    _WORKERS[:] = [Worker(setup)]


def work(unit: Unit) -> UnitResult:
    """Do one unit in a prepared process."""
    return _WORKERS[0].do(unit)
