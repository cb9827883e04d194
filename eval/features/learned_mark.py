"""Feature `learned_mark`: what the detector of the shipped mark finds under the public key."""

from __future__ import annotations

import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable
from eval.marks.keys import PUBLIC_KEY
from eval.marks.learned import SMALLEST, LearnedMark, reader_of, whitened
from eval.marks.learned.residual import Common
from eval.marks.learned.search import find
from eval.marks.learned.weights import load_trained, shipped_path


class Looked:
    """Every frame counts, and none is kept."""

    def __init__(self, info: ClipInfo) -> None:
        if min(info.width, info.height) < SMALLEST:
            raise NotMeasurable(f"the shipped mark needs {SMALLEST} pixels a side; this clip has less")
        self._common = Common()

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            self._common.add(frame_CHW)

    def finish(self) -> Arrays:
        """surprise: -log10 of the bound on chance, 1 value. evidence_K: of each bit, in deviations of chance."""
        trained = load_trained(shipped_path())
        found = find(whitened(trained, self._common.averages()), reader_of(trained, PUBLIC_KEY))
        return {"surprise": np.array([found.surprise]), "evidence_K": found.evidence_K}


FEATURES.add(
    "learned_mark",
    Feature("learned_mark", 1, "picture", Looked, encoder="mark-learned", weights=lambda: LearnedMark().weights_sha256),
)
