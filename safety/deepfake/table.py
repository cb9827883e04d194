"""All windows of an audit as one table, and the ledger of the clips that are not in it.

Shape legend: N windows, D numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.sets.crossfit import Samples
from safety.deepfake.observe import BLOCKS, ClipRef, Observed, Side

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ALL = "all"
"""Every block together."""


@dataclass(frozen=True)
class TraceTable:
    """One row per window. clips: those that have windows; clip_N: whose window it is. blocks: block → values_ND.

    before_ND, after_ND: nuisances of the file as it came, and of the window in canonical form.
    """

    clips: tuple[ClipRef, ...]
    clip_N: Integers
    blocks: Mapping[str, Floats]
    before_ND: Floats
    after_ND: Floats

    @property
    def is_fake(self) -> Flags:
        return np.array([clip.side == "fake" for clip in self.clips], np.bool_)[self.clip_N]

    @property
    def sets(self) -> npt.NDArray[np.str_]:
        """Which generator or folder each window is from."""
        return np.array([clip.set for clip in self.clips], np.str_)[self.clip_N]

    @property
    def groups(self) -> Integers:
        """The groups as numbers."""
        names = {name: place for place, name in enumerate(sorted({clip.group for clip in self.clips}))}
        return np.array([names[clip.group] for clip in self.clips], np.int64)[self.clip_N]

    @property
    def seeds(self) -> Integers:
        return np.array([clip.seed for clip in self.clips], np.int64)[self.clip_N]

    def values(self, block: str = ALL) -> Floats:
        """values_ND of a block, or of all."""
        return np.concatenate(list(self.blocks.values()), axis=1) if block == ALL else self.blocks[block]

    def names(self, block: str = ALL) -> tuple[str, ...]:
        """Of the numbers of a block, with the block's name before them."""
        wanted = self.blocks if block == ALL else [block]
        return tuple(f"{name}.{number}" for name in wanted for number in BLOCKS[name])

    def samples(self, block: str = ALL) -> Samples:
        """The windows as samples for a classifier."""
        return Samples(self.values(block), self.is_fake, self.groups)

    def only(self, keep_N: Flags) -> TraceTable:
        """Some of the windows."""
        return TraceTable(
            self.clips,
            self.clip_N[keep_N],
            {name: values_ND[keep_N] for name, values_ND in self.blocks.items()},
            self.before_ND[keep_N],
            self.after_ND[keep_N],
        )


@dataclass(frozen=True, slots=True)
class Count:
    """What came of the clips of one set. groups: of those that were measured."""

    set: str
    side: Side
    clips: int
    measured: int
    windows: int
    groups: int
    reasons: Mapping[str, int]


def make_table(observed: Sequence[Observed]) -> TraceTable:
    """The windows of all clips that could be measured."""
    seen = [one for one in observed if one.windows]
    windows = [(place, window) for place, one in enumerate(seen) for window in one.windows]
    names = list(windows[0][1].traces) if windows else []
    return TraceTable(
        tuple(one.clip for one in seen),
        np.array([place for place, _ in windows], np.int64),
        {name: np.array([window.traces[name] for _, window in windows], np.float64) for name in names},
        np.array([seen[place].before for place, _ in windows], np.float64),
        np.array([window.after for _, window in windows], np.float64),
    )


def ledger(observed: Sequence[Observed]) -> tuple[Count, ...]:
    """One line for each set, in the order in which they came."""
    counts = []
    for name, side in dict.fromkeys((one.clip.set, one.clip.side) for one in observed):
        own = [one for one in observed if (one.clip.set, one.clip.side) == (name, side)]
        measured = [one for one in own if one.windows]
        counts.append(
            Count(
                name,
                side,
                len(own),
                len(measured),
                sum(len(one.windows) for one in measured),
                len({one.clip.group for one in measured}),
                dict(Counter(one.reason for one in own if not one.windows).most_common()),
            )
        )
    return tuple(counts)
