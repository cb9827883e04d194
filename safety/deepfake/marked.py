"""Marks and detection: does a mark on generated clips make them easier to tell, and do marks on both sides undo it?

A detector that reads the generator's mark is no detector of generation (RobustSora 2025 found that with visible logos).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.clip import Clip
from eval.marks.bits import random_message
from eval.marks.mark import Mark
from eval.sets.crossfit import measure_auc
from safety.deepfake.controls import Control
from safety.deepfake.observe import Observed
from safety.deepfake.table import make_table

Where = Literal["neither", "generated", "both"]

KEY = 20_260_802
"""Any key will do: nobody reads these marks."""
ABOUT: Mapping[Where, str] = {
    "neither": "as the clips came",
    "generated": "the mark on generated clips alone: what a detector could learn from the mark",
    "both": "the mark on both sides: what is left to tell them apart by",
}


@dataclass(frozen=True, slots=True)
class Marking:
    """Marks a clip with a message of its own, drawn from its name."""

    mark: Mark
    name: str

    def __call__(self, clip: Clip) -> Clip:
        return self.mark.embed(clip, random_message(self.mark.bits, zlib.crc32(self.name.encode())), key=KEY)


def mark_controls(
    plain: Sequence[Observed], marked: Sequence[Observed], mark: str, seed: int, confidence: float
) -> tuple[Control, ...]:
    """The AUC with the mark on neither side, on the generated clips, on both.

    plain, marked: the same clips of both sides. Only those that could be marked take part, in all three.
    """
    taking_part = {(one.clip.set, one.clip.name) for one in marked if one.windows}
    found = []
    for where, about in ABOUT.items():
        chosen = [
            one
            for observed, sides in ((plain, _plain_sides(where)), (marked, {"fake", "real"} - _plain_sides(where)))
            for one in observed
            if one.clip.side in sides and (one.clip.set, one.clip.name) in taking_part
        ]
        table = make_table(chosen)
        name = f"{mark} on {where}"
        if not len(table.clip_N) or table.samples().folds < 2:
            reason = next((one.reason for one in marked if one.reason), "too few clips: two of each side are needed")
            found.append(Control(name, about, None, reason))
        else:
            found.append(Control(name, about, measure_auc(table.samples(), seed, confidence=confidence)))
    return tuple(found)


def _plain_sides(where: Where) -> set[str]:
    return {"neither": {"fake", "real"}, "generated": {"real"}, "both": set[str]()}[where]
