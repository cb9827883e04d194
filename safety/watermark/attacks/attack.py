"""What an attack is: a clip, a strength of a stated ladder and a generator of random numbers in, a changed clip out.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eval.clip import Clip
from eval.errors import UserError
from eval.registry import Registry

Family = Literal["spatial", "photometric", "codec", "temporal", "combined", "sound", "removal", "forgery"]
Stream = Literal["picture", "sound"]


class AttackError(UserError):
    """An attack that cannot be carried out on this clip. The message is one line: which, on what, why."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One way of changing a clip, at strengths that are stated.

    ladder: strengths from mild to strong, in `unit`; they need not increase (a smaller crop is the stronger one).
    streams: what it changes; an attack on both keeps picture and sound together.
    apply: (clip, strength, rng) → a new clip, uint8 frames and float32 sound; its input stays as it was. Raises
    AttackError where the clip is too short or too small, or has no sound for an attack on sound alone.
    identity: the strength that changes nothing, where there is one.
    source: where the attack and its strengths come from. random: whether it draws from `rng` at all.
    chain: a stronger attack begins as a weaker one does, and goes on: all strengths share their random numbers.
    """

    name: str
    family: Family
    unit: str
    ladder: tuple[float, ...]
    summary: str
    streams: frozenset[Stream]
    apply: Callable[[Clip, float, np.random.Generator], Clip]
    identity: float | None = None
    source: str = ""
    random: bool = False
    chain: bool = False

    def __post_init__(self) -> None:
        if not self.ladder or not np.isfinite(self.ladder).all() or len(set(self.ladder)) < len(self.ladder):
            raise ValueError(f"{self.name}: a ladder holds finite strengths, each once; got {self.ladder}")
        if not self.streams:
            raise ValueError(f"{self.name}: an attack changes picture, sound or both")

    def rng(self, clip_sha_or_case: str, strength: float, seed: int) -> np.random.Generator:
        """The random numbers of one trial of this attack (`rng_of`)."""
        return rng_of(clip_sha_or_case, self.name, 0.0 if self.chain else strength, seed)


ATTACKS: Registry[Attack] = Registry("attack", ("safety.watermark.attacks",))


def rng_of(clip_sha_or_case: str, attack: str, strength: float, seed: int) -> np.random.Generator:
    """The random numbers of one trial. They do not depend on the mark, so that attacks are paired across marks."""
    name = "\x1f".join([clip_sha_or_case, attack, float(strength).hex(), str(seed)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))
