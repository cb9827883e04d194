"""The provenance audit of a folder: one row per clip, counts with exact intervals, and, on request, laundering."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import c2pa
import numpy as np

from eval.clip import ClipError
from eval.hashing import file_sha256
from eval.video import open_clip
from safety.provenance.credentials import STATES, CredentialReport, credentials
from safety.provenance.errors import ProvenanceError
from safety.provenance.launder import CHAINS, OUTCOMES, Chain, Laundered, NotApplicable, launder, make_parties, prepare
from safety.provenance.offline import Anchors
from safety.provenance.verdicts import KINDS, NOT_ASKED, Answer, Picture, Verdict, conclude, evidence

Step = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of`, with the exact interval of Clopper and Pearson (1934) for the share; none of nothing."""

    count: int
    of: int
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class ClipAudit:
    """One clip. file: relative to the folder. sha256: of its content; empty where it cannot be read."""

    file: str
    sha256: str
    report: CredentialReport
    picture: Picture
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class LaunderedClip:
    """One clip of the laundering experiment. own: its credentials were its own, not made for the experiment."""

    file: str
    own: bool
    results: tuple[Laundered, ...]


@dataclass(frozen=True, slots=True)
class ChainSummary:
    """One chain over all clips. states: of the credentials that came out; outcomes: as OUTCOMES names them."""

    chain: Chain
    measured: int
    changed: int
    states: Mapping[str, int]
    codes: tuple[str, ...]
    outcomes: Mapping[str, int]
    with_mark: Mapping[str, int]
    contradictions: Mapping[str, int]
    reasons: Mapping[str, int]
    alarm: Share
    alarm_with_mark: Share


@dataclass(frozen=True, slots=True)
class Experiment:
    """The laundering experiment. skipped: clips that could not take part, by reason. drawn: out of how many clips."""

    clips: tuple[LaunderedClip, ...]
    chains: tuple[ChainSummary, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)
    drawn_of: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ProvenanceAudit:
    """Everything that a report shows."""

    folder: str
    created: str
    library: str
    anchors: tuple[str, ...]
    confidence: float
    clips: tuple[ClipAudit, ...]
    states: Mapping[str, Share]
    verdicts: Mapping[str, Share]
    contradictions: Mapping[str, int]
    experiment: Experiment | None = None


def audit_clips(
    folder: Path, paths: Sequence[Path], anchors: Anchors, pictures: Mapping[str, Picture], step: Step
) -> tuple[ClipAudit, ...]:
    """A row for each of the clips below `folder`; `pictures`: what is known of them by name, as read_pictures gives it.

    A clip that cannot be read is a row as well. Raises ProvenanceError where there are no clips, or where `pictures`
    names one that is not there.
    """
    if not paths:
        raise ProvenanceError(
            f"{folder}: no clips in this folder; name one that holds mp4, mov, avi, webm, mkv or gif files"
        )
    names = [path.relative_to(folder).as_posix() for path in paths]
    if strange := sorted(set(pictures) - set(names)):
        raise ProvenanceError(f"the table of evidence names {strange[0]!r}, which is no clip in {folder}")
    rows = []
    for number, (name, path) in enumerate(zip(names, paths, strict=True)):
        step(number, name)
        report, picture = credentials(path, anchors), pictures.get(name, NOT_ASKED)
        rows.append(ClipAudit(name, _sha256(path), report, picture, conclude(evidence(report, picture))))
    return tuple(rows)


def summarise(
    folder: str,
    anchors: Anchors,
    clips: tuple[ClipAudit, ...],
    confidence: float = 0.95,
    experiment: Experiment | None = None,
) -> ProvenanceAudit:
    """The audit with its counts. Every clip counts, the unreadable as well."""
    states = Counter(clip.report.state for clip in clips)
    verdicts = Counter(clip.verdict.kind for clip in clips)
    return ProvenanceAudit(
        folder=folder,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        library=f"c2pa-python {c2pa.__version__}, c2pa-rs {c2pa.sdk_version()}",
        anchors=anchors.names,
        confidence=confidence,
        clips=clips,
        states={state: exact_share(states[state], len(clips), confidence) for state in STATES},
        verdicts={kind: exact_share(verdicts[kind], len(clips), confidence) for kind in KINDS},
        contradictions=Counter(name for clip in clips for name in clip.verdict.contradictions),
        experiment=experiment,
    )


def run_experiment(
    folder: Path, paths: Sequence[Path], anchors: Anchors, *, most: int, seed: int, confidence: float, step: Step
) -> Experiment:
    """Copies of up to `most` clips, drawn at random, through every chain. The clips themselves are only read."""
    chosen = np.random.default_rng(seed).permutation(len(paths))[:most]
    parties = make_parties(anchors)
    clips: list[LaunderedClip] = []
    skipped: dict[str, str] = {}
    for number, index in enumerate(sorted(chosen)):
        name = paths[index].relative_to(folder).as_posix()
        step(number, name)
        scratch = Path(tempfile.mkdtemp(prefix="moviegen-launder-"))
        try:
            subject, own = prepare(paths[index], scratch, parties)
            clips.append(LaunderedClip(name, own, tuple(launder(subject, chain) for chain in CHAINS)))
        except NotApplicable as error:
            skipped[name] = str(error)
        finally:
            shutil.rmtree(scratch)
    return Experiment(tuple(clips), tuple(_summaries(clips, confidence)), skipped, len(paths), seed)


def exact_share(count: int, of: int, confidence: float) -> Share:
    """Clopper and Pearson's interval: it covers at least as often as it says, whatever the share and the number."""
    from scipy.stats import binomtest

    if of == 0:
        return Share(0, 0, None, None)
    interval = binomtest(count, of).proportion_ci(confidence, "exact")
    return Share(count, of, float(interval.low), float(interval.high))


def read_pictures(path: Path) -> dict[str, Picture]:
    """A table (CSV) of what was found in the pictures: file, and any of mark, detector, message_sha256.

    mark and detector: present, absent, or empty for not asked. Raises ProvenanceError, with the line, for other words.
    """
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProvenanceError(f"{path}: not readable as CSV; columns: file, mark, detector, message_sha256") from error
    found: dict[str, Picture] = {}
    for number, line in enumerate(lines, start=2):
        name = line.get("file") or ""
        if not name or name in found:
            raise ProvenanceError(
                f"{path}: line {number}: {'named twice' if name else 'the column file is empty or missing'}"
            )
        where = f"{path}: line {number}"
        found[name] = Picture(
            _answer(line.get("mark"), where),
            _answer(line.get("detector"), where),
            (line.get("message_sha256") or "").lower(),
        )
    return found


def _answer(word: str | None, where: str) -> Answer:
    said = (word or "").strip().lower() or "not asked"
    for answer in get_args(Answer):
        if said == answer:
            return answer  # type: ignore[no-any-return]  # one of the literals
    raise ProvenanceError(f"{where}: {said!r}: present, absent, or nothing for not asked")


def _summaries(clips: Sequence[LaunderedClip], confidence: float) -> Iterable[ChainSummary]:
    for place, chain in enumerate(CHAINS):
        results = [clip.results[place] for clip in clips]
        measured = [result for result in results if result.status == "measured"]
        outcomes = Counter(result.outcome for result in measured)
        with_mark = Counter(result.outcome_with_mark for result in measured)
        caught = Counter(name for one in measured if one.with_mark for name in one.with_mark.contradictions)
        yield ChainSummary(
            chain=chain,
            measured=len(measured),
            changed=sum(result.changed for result in measured),
            states=Counter(result.after.state for result in measured if result.after),
            codes=tuple(sorted({code for result in measured if result.after for code in result.after.codes})),
            outcomes={name: outcomes[name] for name in OUTCOMES if outcomes[name]},
            with_mark={name: with_mark[name] for name in OUTCOMES if with_mark[name]},
            contradictions=caught,
            reasons=Counter(result.reason for result in results if result.status == "skipped"),
            alarm=exact_share(outcomes["alarm"], len(measured), confidence),
            alarm_with_mark=exact_share(with_mark["alarm"], len(measured), confidence),
        )


def _sha256(path: Path) -> str:
    if path.is_file():
        return file_sha256(path)
    try:
        return open_clip(path).info.sha256
    except ClipError:
        return ""
