"""Feature `learned_mark_cost`: how loud the shipped mark is in a clip, found by writing one more into it."""

from __future__ import annotations

import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable
from eval.marks.bits import random_message
from eval.marks.keys import PUBLIC_KEY
from eval.marks.learned import SMALLEST, LearnedMark, reader_of, whitened
from eval.marks.learned.alignment import untouched
from eval.marks.learned.embed import write
from eval.marks.learned.lattice import pattern, secret_of
from eval.marks.learned.loudness import loudness
from eval.marks.learned.residual import Common
from eval.marks.learned.search import find
from eval.marks.learned.weights import BITS, load_trained, shipped_path

PROBE_KEY = PUBLIC_KEY + 1
"""The probe's waves are not the mark's."""
LARGE = 1
"""The channel of Common.averages that clips the residual least."""


class Probed:
    """Sees every frame twice: as it is, and with the probe."""

    def __init__(self, info: ClipInfo) -> None:
        if min(info.width, info.height) < SMALLEST:
            raise NotMeasurable(f"the shipped mark needs {SMALLEST} pixels a side; this clip has less")
        self._trained = load_trained(shipped_path())
        self._message_K = random_message(BITS, 0)
        self._secret = secret_of(PROBE_KEY, BITS)
        self._plain_HW = pattern(self._secret, self._message_K, self._trained.pen.amplitude_F, info.height, info.width)
        self._bare, self._probed = Common(), Common()
        self._squares, self._pixels = 0.0, 0

    def update(self, window: Window) -> None:
        for bare_CHW in window.frames_TCHW:
            # Each frame alone, so that the probe does not depend on how the clip is cut into windows.
            (probed_CHW,) = write(bare_CHW[None], self._plain_HW, self._trained.pen)
            self._bare.add(bare_CHW)
            self._probed.add(probed_CHW)
            changed = probed_CHW.astype(np.float32) - bare_CHW
            self._squares += float(np.square(changed).sum(dtype=np.float64))
            self._pixels += changed.size

    def finish(self) -> Arrays:
        """relative: the mark's strength, the probe's is 1. probe_mse: the probe's mean square, in steps of 0-255."""
        bare_CHW, probed_CHW = self._bare.averages(), self._probed.averages()
        amplitude_F = self._trained.pen.amplitude_F
        found = find(whitened(self._trained, bare_CHW), reader_of(self._trained, PUBLIC_KEY))
        read_K = (found.evidence_K > 0).astype(np.uint8)
        mark = loudness(bare_CHW[LARGE], secret_of(PUBLIC_KEY, BITS), read_K, amplitude_F, found.alignment)
        at_rest = untouched(*bare_CHW.shape[1:])[0]
        with_probe, without = (
            loudness(image_CHW[LARGE], self._secret, self._message_K, amplitude_F, at_rest)
            for image_CHW in (probed_CHW, bare_CHW)
        )
        relative = mark / (with_probe - without)
        return {
            "relative": np.array([relative]),
            "probe_mse": np.array([self._squares / self._pixels]),
            "surprise": np.array([found.surprise]),
        }


FEATURES.add(
    "learned_mark_cost",
    Feature(
        "learned_mark_cost", 1, "picture", Probed, encoder="mark-learned", weights=lambda: LearnedMark().weights_sha256
    ),
)
