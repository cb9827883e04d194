"""How well the learned mark holds: bit accuracy and detection under each kind of wear, and false alarms.

Shape legend: T frames, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.clip import Clip
from eval.marks.bits import random_message
from eval.marks.keys import PUBLIC_KEY
from eval.marks.mark import Mark
from moviegen.training.mark_data import FPS, SIDE, Frames, Material, footage, resized, window
from moviegen.training.mark_wear import coded, cut, fresh, noised, shrunk, thinned

FALSE_ALARMS = 1e-3
"""The rate that a clip is called marked at."""
SMALL_SIDE = 64
"""The reference model's clips."""

Wear = Callable[[Frames, np.random.Generator], Frames]
OnClip = Callable[[], None]


def _cut(frames_TCHW: Frames, random: np.random.Generator, *, back: bool) -> Frames:
    return cut(fresh(frames_TCHW), 0.71, random, back=back).frames_TCHW


def _halved(frames_TCHW: Frames, *, back: bool) -> Frames:
    small = shrunk(fresh(frames_TCHW), 0.5).frames_TCHW
    return resized(small, *frames_TCHW.shape[-2:]) if back else small


WEAR: Mapping[str, Wear] = {
    "clean": lambda frames, _: frames,
    "x264 crf 23": lambda frames, _: coded(fresh(frames), 23.0).frames_TCHW,
    "x264 crf 30": lambda frames, _: coded(fresh(frames), 30.0).frames_TCHW,
    "x264 crf 40": lambda frames, _: coded(fresh(frames), 40.0).frames_TCHW,
    "vp9 crf 40": lambda frames, _: coded(fresh(frames), 40.0, vp9=True).frames_TCHW,
    "crop .71": lambda frames, random: _cut(frames, random, back=False),
    "crop .71, resized back": lambda frames, random: _cut(frames, random, back=True),
    "crop .71, x264 crf 30": lambda frames, random: (
        coded(cut(fresh(frames), 0.71, random, back=False), 30.0).frames_TCHW
    ),
    "resize .5": lambda frames, _: _halved(frames, back=False),
    "resize .5, resized back": lambda frames, _: _halved(frames, back=True),
    "half of the frames": lambda frames, random: thinned(fresh(frames), 0.5, random).frames_TCHW,
    "mirrored": lambda frames, _: np.ascontiguousarray(frames[..., ::-1]),
    "noise 10": lambda frames, random: noised(fresh(frames), 10.0, random).frames_TCHW,
}
SMALL_WEAR = ("clean", "x264 crf 23", "x264 crf 30", "half of the frames", "crop .71")

BARS: Mapping[str, float] = {
    "clean": 0.99,
    "x264 crf 30": 0.97,
    "x264 crf 40": 0.90,
    "crop .71": 0.95,
    "crop .71, resized back": 0.95,
    "resize .5": 0.95,
    "resize .5, resized back": 0.95,
    "half of the frames": 0.99,
}
"""Bit accuracy that was asked for, at 38 dB."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One clip, marked with a random message under the public key, worn and read. p_presence: see Detection."""

    kind: str
    wear: str
    accuracy: float
    p_presence: float
    psnr_db: float


def trials(mark: Mark, material: Material, wears: tuple[str, ...], side: int, on_clip: OnClip) -> list[Trial]:
    """Every clip under every wear; clips are shrunk to `side` before they are marked."""
    found = []
    for row in range(len(material)):
        plain = resized(np.array(material[row]), side, side)
        message_K = random_message(mark.bits, row)
        marked = mark.embed(Clip(plain, FPS), message_K, key=PUBLIC_KEY).frames_TCHW
        psnr_db = _psnr(plain, marked)
        for wear in wears:
            worn = WEAR[wear](marked, np.random.default_rng((row, len(wear))))
            read = mark.detect(Clip(np.ascontiguousarray(worn), FPS), key=PUBLIC_KEY)
            assert read.p_presence is not None
            accuracy = float(np.mean(read.bits_K == message_K))
            found.append(Trial(material.kinds[row], wear, accuracy, read.p_presence, psnr_db))
        on_clip()
    return found


def summary(found: list[Trial]) -> dict[str, Any]:
    """Per wear: mean bit accuracy over all clips, by kind of clip, the worst clip's, and the share found at
    FALSE_ALARMS; the bar where there is one.
    """
    table: dict[str, Any] = {}
    for wear in dict.fromkeys(one.wear for one in found):
        these = [one for one in found if one.wear == wear]
        accuracy = [one.accuracy for one in these]
        row = {"bit_accuracy": round(float(np.mean(accuracy)), 4)}
        for kind in dict.fromkeys(one.kind for one in these):
            row[kind] = round(float(np.mean([one.accuracy for one in these if one.kind == kind])), 4)
        row["worst"] = round(min(accuracy), 4)
        row["found"] = round(float(np.mean([one.p_presence <= FALSE_ALARMS for one in these])), 4)
        table[wear] = row | ({"asked": BARS[wear]} if wear in BARS else {})
    return table


def negatives(count: int, media: Path | None, seed_of: Callable[[int], Frames]) -> Callable[[int], Frames]:
    """Clip number n without a mark: windows of footage and Backlot clips in turn, all different."""
    films = footage(media, "negative")

    def clip(number: int) -> Frames:
        if films and number % 2:
            random = np.random.default_rng((3, number))
            return window(films[number // 2 % len(films)], random, frames=8, side=int(random.choice([64, 128, SIDE])))
        return seed_of(number)

    assert count > 0
    return clip


def false_alarms(mark: Mark, clip: Callable[[int], Frames], count: int, on_clip: OnClip) -> dict[str, float | int]:
    """How many of `count` unmarked clips are called marked under the public key, and the smallest p."""
    smallest, alarms = 1.0, 0
    for number in range(count):
        p_presence = mark.detect(Clip(clip(number), FPS), key=PUBLIC_KEY).p_presence
        assert p_presence is not None
        alarms += p_presence <= FALSE_ALARMS
        smallest = min(smallest, p_presence)
        on_clip()
    bound = 3.0 / count if alarms == 0 else float("nan")
    return {"clips": count, "alarms": alarms, "smallest_p": smallest} | ({} if alarms else {"rate_at_most": bound})


def _psnr(plain: Frames, marked: Frames) -> float:
    error = np.square(plain.astype(np.float32) - marked).mean()
    return float(10 * np.log10(255.0**2 / max(float(error), 1e-12)))
