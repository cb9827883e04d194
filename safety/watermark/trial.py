"""One trial: a clip, marked or not, attacked, and read. What is written down of it, and where its randomness comes
from.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from eval.marks.bits import random_message
from eval.marks.mark import Bits
from safety.watermark.plan import Cell, Messages
from safety.watermark.subjects import Facts, Subject

Kind = Literal["marked", "unmarked", "negative", "other key", "removed", "forged"]
"""marked: a marked clip, attacked. unmarked: the same clip without a mark, attacked alike. negative: a further clip
that was never marked. other key: a marked clip read with a key that is not its own. removed: a marked clip after an
attack that needs more than the clip itself. forged: a clip that its owner never marked, after somebody tried to make
it look so.
"""

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One line of the long table. Numbers are None where status is not ok, or where there is no such thing.

    message, decoded: hexadecimal. p: exact binomial times the alignments searched, at most 1; p_exact: without that
    factor. score, p_presence: of the mark's own test of presence. mark_db, attack_db: PSNR of the picture (of the
    sound: signal over noise), of the marked against the unmarked clip and of the attacked against what was attacked.
    mark_ssim, mark_xpsnr, attack_xpsnr: likewise, for pictures. frames: that were read.
    """

    kind: Kind
    mark: str
    clip: str
    cluster: str
    clip_sha256: str
    seed: int
    attack: str
    family: str
    strength: float
    status: Outcome
    reason: str = ""
    bits: int = 0
    message: str = ""
    decoded: str = ""
    matches: int | None = None
    p: float | None = None
    p_exact: float | None = None
    score: float | None = None
    p_presence: float | None = None
    searched: int | None = None
    mark_db: float | None = None
    mark_ssim: float | None = None
    mark_xpsnr: float | None = None
    attack_db: float | None = None
    attack_xpsnr: float | None = None
    frames: int | None = None
    queries: int | None = None
    embed_seconds: float | None = None
    attack_seconds: float | None = None
    detect_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    """One metric of a clip, marked and not. None: it could not be measured, for the reason given."""

    mark: str
    clip: str
    cluster: str
    seed: int
    metric: str
    version: int
    encoder: str
    unmarked: float | None
    marked: float | None
    status: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One clip as an encoder sees it, a row for the diversity of sets: marked (mark), or its twin (mark is empty).

    beside: the mark whose twin it is.
    """

    mark: str
    beside: str
    clip: str
    cluster: str
    case: str
    encoder: str
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Everything one unit of work gave, committed together."""

    unit: str
    trials: tuple[Trial, ...] = ()
    tax: tuple[Tax, ...] = ()
    facts: tuple[Facts, ...] = ()
    encodings: tuple[Encoding, ...] = ()


def record(row: Trial | Tax | Facts | Encoding) -> dict[str, Any]:
    """A row as a line of its table."""
    return asdict(row)


TRIAL_COLUMNS = tuple(field.name for field in fields(Trial))


def message_of(subject: Subject, cell: Cell, seed: int, bits: int, messages: Messages) -> Bits:
    """The message that is written into a marked clip: the same for all marks (of as many bits), so that they are
    paired.

    "clip": the attacks of one clip share it, and the clip is marked once; "trial": each attack and strength has its
    own.
    A shared message is no fault in the null: unmarked clips are held against fresh ones always (`blank_message_of`). It
    costs in the other direction: what depends on the message is averaged over clips alone, which are the clusters of
    every interval anyway.
    """
    own = (cell.attack, float(cell.strength).hex()) if messages == "trial" else ()
    return random_message(bits, _number("marked", subject.sha256, str(seed), *own))


def blank_message_of(mark: str, subject: Subject, kind: Kind, cell: Cell, seed: int, bits: int) -> Bits:
    """The message that a clip without a mark is held against: a fresh one for every trial, of every mark.

    Given all that was decoded, these are independent fair coins, so that the p-values of unmarked trials are exact and
    independent, although the clips, attacks and decoders are not.
    """
    own = (cell.attack, float(cell.strength).hex())
    return random_message(bits, _number("unmarked", mark, kind, subject.sha256, str(seed), *own))


def other_key(key: int) -> int:
    """A key that is not the owner's."""
    return key ^ 0x5DEECE66


def _number(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:8], "big")


def spread_of(trials: int, seed: int) -> np.random.Generator:
    """The random numbers that spread discrete p-values over their steps; fixed by the plan."""
    return np.random.default_rng([seed, trials])
