"""What a watermark audit asks, fixed and hashed before a clip is marked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from eval.errors import UserError
from eval.hashing import json_sha256
from eval.marks.mark import Stream
from safety.watermark.attacks.attack import ATTACKS, Attack, Family

FORMAT = "moviegen-watermark-plan-1"
NONE = "none"
"""The name of the cell in which nothing is done to the clip."""

Messages = Literal["clip", "trial"]

QUESTIONS = (
    "Is the message read after each attack, and at which strength is it lost? Bit accuracy, message accuracy, and the "
    "share of clips detected at fixed false alarm rates.",
    "How often does the detector claim a clip that carries no mark, and is its p-value what it says?",
    "What does the mark cost: picture and sound, the metrics of quality, alignment and diversity, and time?",
    "How many reshares does the mark survive?",
    "At equal quality, is the mark easier to remove, or to forge onto a clip that never carried it?",
    "Is it weaker on some clips: dark or bright, still or moving, by tag?",
)


class WatermarkError(UserError):
    """An audit that cannot be carried out as asked. The message is one line."""


class Cell(NamedTuple):
    """One attack at one strength."""

    attack: str
    strength: float


@dataclass(frozen=True, slots=True)
class MarkFacts:
    """A mark as it was when the plan was made."""

    name: str
    version: int
    bits: int
    stream: Stream
    summary: str
    source: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """One attack and the strengths it is tried at, mild to strong."""

    name: str
    family: Family
    unit: str
    strengths: tuple[float, ...]
    streams: tuple[Stream, ...]
    summary: str
    source: str = ""

    @classmethod
    def of(cls, attack: Attack, strengths: Sequence[float] | None = None) -> Ladder:
        return cls(
            attack.name,
            attack.family,
            attack.unit,
            tuple(attack.ladder if strengths is None else strengths),
            tuple(sorted(attack.streams)),
            attack.summary,
            attack.source,
        )


@dataclass(frozen=True, slots=True)
class Form:
    """What of each file is audited: up to `windows` stretches of `frames` frames, the shorter side at most `side`.

    side: None: as it is.
    """

    frames: int = 96
    windows: int = 1
    side: int | None = None


@dataclass(frozen=True, slots=True)
class WatermarkPlan:
    """A plan. Its hash stands in the report, and rows of another plan are never mixed with it.

    clips: id and SHA-256 of each stretch of a clip that is marked; negatives: the same of further ones that are only
    read. generator: whose clips they are; empty: a folder's. seeds: each repeats all trials with other messages and
    other random attacks. keys: one for each seed. messages: a fresh message for each clip (shared by its attacks) or
    for each trial. rates: false alarm rates that detection is reported at. quality_db: PSNR below which a mark counts
    as visible. attack_db: PSNR below which an attack has destroyed the clip and does not count as removal or forgery.
    tax: metrics that marked and unmarked twins are compared by; borrowed: name and identity of measures of the user's
    own that compare them too (borrowed_quality.py). schemes: removal and forgery by more than one clip (schemes.py),
    tried on the first scheme_clips clips. budget: queries of the detector that a forger has.
    """

    marks: tuple[MarkFacts, ...]
    attacks: tuple[Ladder, ...]
    clips: tuple[tuple[str, str], ...]
    negatives: tuple[tuple[str, str], ...] = ()
    generator: str = ""
    form: Form = Form()
    seeds: tuple[int, ...] = (0,)
    keys: tuple[int, ...] = (20_261,)
    messages: Messages = "clip"
    rates: tuple[float, ...] = (1e-2, 1e-3, 1e-6)
    confidence: float = 0.95
    false_discovery: float = 0.05
    quality_db: float = 36.0
    attack_db: float = 20.0
    tax: tuple[str, ...] = ()
    borrowed: tuple[tuple[str, str], ...] = ()
    schemes: tuple[str, ...] = ()
    scheme_clips: int = 12
    budget: int = 200
    seed: int = 0
    questions: tuple[str, ...] = QUESTIONS

    def __post_init__(self) -> None:
        """Raises WatermarkError."""
        if not self.marks:
            raise WatermarkError("which mark? moviegen audit watermark --mark learned (or several, with commas)")
        names = [mark.name for mark in self.marks]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise WatermarkError(f"mark {twice!r} is named twice: name it once")
        if not self.clips:
            raise WatermarkError("no clips to mark: name a folder that holds some, or a generator")
        if len(self.keys) != len(self.seeds) or len(set(self.seeds)) != len(self.seeds) or not self.seeds:
            raise WatermarkError(f"{len(self.keys)} keys for {len(self.seeds)} seeds: give one for each, all different")
        if not all(0 < rate < 0.5 for rate in self.rates) or not self.rates:
            raise WatermarkError(f"false alarm rates {self.rates}: each lies above 0 and below 0.5")
        if not 0.5 <= self.confidence < 1:
            raise WatermarkError(f"confidence is {self.confidence:g}: it lies between 0.5 and 1")
        if self.form.frames < 1 or self.form.windows < 1 or (self.form.side is not None and self.form.side < 16):
            raise WatermarkError(f"form {self.form}: at least 1 frame, 1 window, and 16 pixels")

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON-able values."""
        return {"format": FORMAT, **asdict(self)}

    @property
    def sha256(self) -> str:
        return json_sha256(self.to_json())

    def key(self, seed: int) -> int:
        """The owner's key of this seed."""
        return self.keys[self.seeds.index(seed)]

    @property
    def compared(self) -> tuple[str, ...]:
        """Everything that twins are compared by."""
        return (*self.tax, *(name for name, _ in self.borrowed))

    def mark(self, name: str) -> MarkFacts:
        return next(mark for mark in self.marks if mark.name == name)

    def ladders(self, stream: Stream) -> tuple[Ladder, ...]:
        """The attacks that touch this stream; others cannot matter to a mark in it."""
        return tuple(ladder for ladder in self.attacks if stream in ladder.streams)

    def cells(self, stream: Stream) -> tuple[Cell, ...]:
        """Everything that is done to a marked clip: nothing first."""
        return (
            Cell(NONE, 0.0),
            *(Cell(one.name, strength) for one in self.ladders(stream) for strength in one.strengths),
        )

    def unmarked_cells(self, stream: Stream) -> tuple[Cell, ...]:
        """What is done to a clip without a mark before it is read: nothing, and one attack of each family, its
        strongest: attacks can make a detector see things, and there are many more clips that nothing was done to.
        """
        last = {one.family: Cell(one.name, one.strengths[-1]) for one in self.ladders(stream)}
        return (Cell(NONE, 0.0), *last.values())


def choose_attacks(text: str, quick: Sequence[tuple[str, tuple[float, ...]]] = ()) -> tuple[Ladder, ...]:
    """The attacks that `--attacks` names: all, none, families, attacks, `attack=strength+strength`, with commas.

    quick: what an empty text means. Raises WatermarkError and UnknownName with suggestions.
    """
    if not text.strip():
        return tuple(Ladder.of(ATTACKS.get(name), strengths) for name, strengths in quick)
    found: dict[str, Ladder] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        if part == NONE:
            continue
        for ladder in _named(part):
            found[ladder.name] = ladder
    return tuple(found.values())


def _named(part: str) -> Iterator[Ladder]:
    name, equals, strengths = part.partition("=")
    families = {attack.family for attack in ATTACKS}
    if equals:
        yield Ladder.of(ATTACKS.get(name.strip()), _strengths(part, strengths))
    elif name == "all" or name in families:
        yield from (Ladder.of(attack) for attack in ATTACKS if name in {"all", attack.family})
    else:
        yield Ladder.of(ATTACKS.get(name))


def _strengths(part: str, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(piece) for piece in text.split("+"))
    except ValueError:
        found = ()
    if not found or not all(map(math.isfinite, found)) or len(set(found)) < len(found):
        raise WatermarkError(f"attack {part!r}: strengths are different numbers with + between, as in x264=30+40")
    return found
