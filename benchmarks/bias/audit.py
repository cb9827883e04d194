"""From a run to an audit's outcome, and the outcome as a folder of files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bias.card import pack_card, reader_card, right_by_tone
from benchmarks.bias.labels import COLUMNS as SHEET_COLUMNS
from benchmarks.bias.labels import sheet, with_labels
from benchmarks.bias.prompts import Asked, asked_of
from benchmarks.bias.table import Sources, observe
from benchmarks.export import to_json
from benchmarks.set_features import StoredFeatures
from benchmarks.store import Run
from eval.cache import write_atomically
from eval.faces.packs import open_pack, weights_sha256
from eval.feature import NotMeasurable
from eval.hashing import json_sha256
from safety.bias.audit import audit
from safety.bias.certify import Certification
from safety.bias.observe import THRESHOLDS
from safety.bias.plan import AuditPlan, PlanError
from safety.bias.report import AxisAudit, BiasReport
from safety.bias.table import AuditTable

FORMAT = "moviegen-bias-audit-1"
KIND = "bias"
STEADY = 0.75
"""Share of frames in which the middle person has to be found for the reader's card to hold; on its clips it is 1."""
FIGURES, REPORT, TABLE, LABELS = "figures.json", "report.html", "table.parquet", "labels.csv"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt of the suite, and the seeds that it was asked with."""

    id: str
    kind: str
    prompt: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What was audited and how, for the report: everything that is no statistic.

    reader: what the reader's card says of its clips, or why there is none. right_by_tone: axis, then true skin tone,
    then the share read as it is and of how many, on those clips; empty without a card. looked_at: clips whose frames
    were searched for faces; faces: how many were found in all their frames. cautions: what stands at the top.
    """

    generator: str
    version: str
    bracket: str
    run: str
    suite: str
    suite_version: int
    suite_hash: str
    created: str
    swept: str
    code: str
    packages: Mapping[str, str]
    pack: str
    pack_sha256: str
    pack_card: Mapping[str, Any]
    reader: str
    right_by_tone: Mapping[str, Mapping[str, tuple[float, int]]]
    thresholds: Mapping[str, Any]
    sources: Mapping[str, str]
    prompts: tuple[Prompt, ...]
    clips_sha256: str
    looked_at: int
    faces: int
    rerun: str
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An audit of one generator."""

    facts: Facts
    plan: AuditPlan
    report: BiasReport
    table: AuditTable

    def to_json(self) -> str:
        """figures.json: one document; what is not known is null."""
        return to_json({"format": FORMAT, "facts": asdict(self.facts), "report": self.report.to_json()})

    @property
    def nobody(self) -> bool:
        """Whether no clip shows anybody at all."""
        return self.report.systems[0].scope.people == 0


def require_pack(name: str) -> None:
    """Raises PlanError where the face pack cannot be used: without it there is no audit."""
    try:
        open_pack(name)
    except NotMeasurable as reason:
        raise PlanError(f"an audit needs a face pack: {reason}") from None


def audit_generator(
    run: Run,
    generator: str,
    plan: AuditPlan,
    sources: Sources,
    features: StoredFeatures,
    rerun: Sequence[str],
    labels: Path | None = None,
    certification: Certification | None = None,
) -> Outcome:
    """Observe the clips of one generator and audit them. Raises UserError in one line; never for what clips show."""
    seen = observe(run, generator, sources, features)
    table = seen.table if labels is None else with_labels(seen.table, labels)
    cards, by_tone = {}, {}
    try:
        card = reader_card(sources.pack)
        by_tone = right_by_tone(card)
        require_like_the_card(table)
        cards, reader = card.confusions(), f"{card.clips} clips of the Backlot ({card.made_by})"
    except NotMeasurable as reason:
        reader = str(reason)
    report = audit(table, plan, certification, cards)
    asked = asked_of(run.manifest.parsed_suite())
    made = run.manifest
    facts_of = next(facts for facts in made.generators if facts.name == generator)
    facts = Facts(
        generator=generator,
        version=facts_of.version,
        bracket=facts_of.bracket,
        run=run.id,
        suite=made.suite_name,
        suite_version=made.suite_version,
        suite_hash=made.suite_hash,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        swept=f"{made.created:%Y-%m-%d %H:%M} UTC",
        code=f"{made.code.version} {made.code.commit[:12]}{' with changes' if made.code.dirty else ''}".strip(),
        packages=made.environment.packages,
        pack=sources.pack,
        pack_sha256=weights_sha256(sources.pack),
        pack_card=pack_card(sources.pack),
        reader=reader,
        right_by_tone=by_tone,
        thresholds=asdict(THRESHOLDS),
        sources={name: metric for name, metric in asdict(sources).items() if name != "pack" and metric},
        prompts=_prompts(run, asked),
        clips_sha256=json_sha256(sorted(table.frame["clip_sha256"].dropna().astype(str).unique())),
        looked_at=seen.clips_looked_at,
        faces=seen.faces_found,
        rerun=shlex.join(rerun),
        cautions=cautions(report, made.status),
    )
    return Outcome(facts, plan, report, table)


def require_like_the_card(table: AuditTable) -> None:
    """Raises NotMeasurable where faces come and go as they never do on the card's clips: the reader errs otherwise
    there, and undoing the card's errors would make them worse.
    """
    seen = table.frame.loc[table.frame["outcome"] == "person", "coverage"].dropna()
    if len(seen) and float(seen.median()) < STEADY:
        raise NotMeasurable(
            f"the reader's card does not hold here: half of the people are found in {seen.median():.0%} of the frames "
            "or fewer, and on the card's clips in nearly all; label some clips (--labels) for a correction"
        )


def _prompts(run: Run, asked: Mapping[str, Asked]) -> tuple[Prompt, ...]:
    seeds: dict[str, list[int]] = {}
    for case, seed in run.manifest.planned():
        seeds.setdefault(case, []).append(seed)
    return tuple(Prompt(case, asked[case].kind, asked[case].prompt, tuple(known)) for case, known in seeds.items())


def cautions(report: BiasReport, status: str) -> tuple[str, ...]:
    """What a reader has to know before any figure: how much could not be seen."""
    (system,) = report.systems
    everything = next((axis.ledger.all for axis in system.axes if isinstance(axis, AxisAudit)), None)
    found = []
    if status != "complete":
        found.append("The sweep was stopped before its end: what it did not make is counted as missing.")
    if system.scope.people == 0:
        found.append("No visible person in any clip: nothing can be said about people, and no figure here pretends to.")
    if everything is not None:
        lost = everything.asked - everything.failed - everything.missing
        if everything.nobody and lost:
            found.append(
                f"No visible person in {everything.nobody} of {lost} clips that could be looked at. Shares below are "
                "of the others; the ledger says how far they could be off."
            )
        if 0 < everything.told < lost / 2 and system.scope.people:
            found.append(
                "Fewer than half of the clips tell anything: shares are of a minority of clips, and a claim about all "
                "of them needs the worst-case bounds."
            )
        if everything.failed or everything.missing:
            found.append(
                f"{everything.failed} clips failed and {everything.missing} are missing, of {everything.asked}."
            )
    found += [
        f"{axis.title[:1].upper()}{axis.title[1:]} could not be told of somebody visible in "
        f"{axis.ledger.all.unknown:.0f} of {axis.ledger.all.asked} clips."
        for axis in system.axes
        if isinstance(axis, AxisAudit) and axis.ledger.all.unknown > 0.2 * axis.ledger.all.asked
    ]
    return tuple(found)


def folder_name(generator: str) -> str:
    """The folder of a generator's audit inside its run: its name where that is one word, else with a hash."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", generator):
        return generator
    word = re.sub(r"[^A-Za-z0-9]+", "-", generator).strip("-")[:40] or "generator"
    return f"{word}-{json_sha256(generator)[:8]}"


def write_outcome(outcome: Outcome, folder: Path, page: str) -> None:
    """Write all files of an audit; each whole, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    outcome.table.write(folder / TABLE)
    write_atomically(folder / LABELS, _csv(SHEET_COLUMNS, sheet(outcome.table)))
    write_atomically(folder / FIGURES, (outcome.to_json() + "\n").encode())
    write_atomically(folder / REPORT, page.encode())


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    import csv
    import io

    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()
