"""What a set metric sees of a set of clips: their feature vectors, and which of them answer the same case.

Shape legend: N samples of all clips, S samples of one clip (its frames or windows; 1 where it is one sample),
D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

BATCH = 256
"""Samples that are handed on at once, or one clip's where it has more."""


@dataclass(frozen=True, slots=True)
class ClipSet:
    """A set of clips, each with at least one sample.

    samples: float32 S,D of each clip. May be a sequence that reads them one clip at a time.
    cases: for each clip a number; clips of one case share it and are no independent evidence.
    """

    samples: Sequence[Floats]
    cases: Sequence[int]

    @property
    def clips(self) -> int:
        return len(self.cases)

    @property
    def dimensions(self) -> int:
        """Of the first clip's samples; 0 for an empty set."""
        return self.samples[0].shape[-1] if self.clips else 0

    def batches(self) -> Iterator[tuple[Floats, Integers]]:
        """All samples with their case numbers, clip after clip: (features_ND, cases_N)."""
        held: list[Floats] = []
        cases: list[int] = []
        for samples_SD, case in zip(self.samples, self.cases, strict=True):
            held.append(samples_SD)
            cases += [case] * len(samples_SD)
            if len(cases) >= BATCH:
                yield np.concatenate(held), np.array(cases, np.int64)
                held, cases = [], []
        if held:
            yield np.concatenate(held), np.array(cases, np.int64)

    def features(self) -> Floats:
        """All samples at once, N,D."""
        return np.concatenate([features_ND for features_ND, _ in self.batches()])

    def only(self, places: Sequence[int]) -> ClipSet:
        """The clips at these places, in this order."""
        return ClipSet([self.samples[place] for place in places], [self.cases[place] for place in places])
