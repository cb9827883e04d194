"""Removal and forgery by somebody who has more than one clip, the marker, or the detector: group.py's attacks as
trials.

The attacker sees marked clips and may call the mark under a key of his own, and the owner's detector within a budget.
He never sees the owner's key or messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from eval.clip import Clip
from eval.marks.mark import Stream
from eval.registry import Registry
from safety.watermark.attacks import group

Goal = Literal["removal", "forgery"]
OTHERS = 4
"""Further marked clips, or copies of the same one, that an attacker has."""
GAIN = 2.0
"""How many times a residual is put on: its estimate holds only part of the mark."""

FAINT_GAINS = (0.1, 0.25, 0.5)
"""Marks that are read over many pixels and frames are forged with far less than their own strength."""


class Scene(Protocol):
    """What an attacker finds. Clips are numbered as the plan's; `place` is the one that is attacked.

    copies: the marked clip with so many different messages. embed: the mark, with a key and a message of the
    attacker's own. score: the owner's detector; each call counts.
    """

    @property
    def place(self) -> int: ...
    @property
    def clips(self) -> int: ...
    @property
    def stream(self) -> Stream: ...

    def marked(self, place: int) -> Clip: ...
    def unmarked(self, place: int) -> Clip: ...
    def copies(self, count: int) -> list[Clip]: ...
    def embed(self, clip: Clip) -> Clip: ...
    def score(self, clip: Clip) -> float: ...


@dataclass(frozen=True, slots=True)
class Loot:
    """What came of it. clip: the attacked clip; before: what it is compared with. owner: whose message it should carry
    (forgery), or no longer carry (removal), as the number of a clip.
    """

    clip: Clip
    before: Clip
    owner: int


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to remove or forge. others: how many further clips it needs. picture: it knows no sound."""

    name: str
    goal: Goal
    summary: str
    others: int
    run: Callable[[Scene, np.random.Generator, int], Loot]
    streams: frozenset[Stream] = frozenset({"picture", "sound"})

    def possible(self, clips: int) -> bool:
        """Whether there are enough clips for it."""
        return clips > self.others


SCHEMES: Registry[Scheme] = Registry("scheme", ())


def _others(scene: Scene) -> list[int]:
    """The clips after this one, around the end."""
    return [(scene.place + step) % scene.clips for step in range(1, OTHERS + 1)]


def _collude(scene: Scene, _: np.random.Generator, __: int) -> Loot:
    copies = scene.copies(OTHERS)
    return Loot(group.collude([scene.marked(scene.place), *copies]), scene.marked(scene.place), scene.place)


def _average_out(scene: Scene, _: np.random.Generator, __: int) -> Loot:
    marked = scene.marked(scene.place)
    others = [scene.marked(place) for place in _others(scene)]
    return Loot(group.subtract_average(marked, others, stream=scene.stream, gain=GAIN), marked, scene.place)


def _overwrite(scene: Scene, _: np.random.Generator, __: int) -> Loot:
    marked = scene.marked(scene.place)
    return Loot(group.overwrite(marked, scene.embed), marked, scene.place)


def _query_out(scene: Scene, generator: np.random.Generator, budget: int) -> Loot:
    marked = scene.marked(scene.place)
    found = group.search_by_queries(marked, scene.score, generator, goal="remove", budget=budget)
    return Loot(found.clip, marked, scene.place)


def _average_in(scene: Scene, _: np.random.Generator, __: int) -> Loot:
    target, others = scene.unmarked(scene.place), _others(scene)
    forged = group.add_average(target, [scene.marked(place) for place in others], stream=scene.stream, gain=GAIN)
    return Loot(forged, target, others[0])


def _copying(gain: float) -> Callable[[Scene, np.random.Generator, int], Loot]:
    def copy(scene: Scene, _: np.random.Generator, __: int) -> Loot:
        target, source = scene.unmarked(scene.place), _others(scene)[0]
        return Loot(group.copy_residual(scene.marked(source), target, stream=scene.stream, gain=gain), target, source)

    return copy


def _query_in(scene: Scene, generator: np.random.Generator, budget: int) -> Loot:
    target = scene.unmarked(scene.place)
    found = group.search_by_queries(target, scene.score, generator, goal="forge", budget=budget)
    return Loot(found.clip, target, scene.place)


_PICTURE: frozenset[Stream] = frozenset({"picture"})

for _scheme in (
    Scheme("collude", "removal", f"the mean of {OTHERS + 1} copies of the clip with different messages", 0, _collude),
    Scheme(
        "average-out", "removal", f"what {OTHERS} other marked clips have in common, taken off", OTHERS, _average_out
    ),
    Scheme("overwrite", "removal", "the same mark again, with another key and another message", 0, _overwrite),
    Scheme("query-out", "removal", "squares that make the detector's score fall, kept", 0, _query_out, _PICTURE),
    Scheme("average-in", "forgery", f"what {OTHERS} marked clips have in common, put on", OTHERS, _average_in),
    Scheme("residual-copy", "forgery", "the residual of one marked clip, put on", 1, _copying(GAIN)),
    *(
        Scheme(
            f"residual-copy-{gain:g}",
            "forgery",
            f"the residual of one marked clip, put on × {gain:g}",
            1,
            _copying(gain),
        )
        for gain in FAINT_GAINS
    ),
    Scheme("query-in", "forgery", "squares that make the detector's score rise, kept", 0, _query_in, _PICTURE),
):
    SCHEMES.add(_scheme.name, _scheme)
