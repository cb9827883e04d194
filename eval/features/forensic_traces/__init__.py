"""Features `forensic_traces` and `forensic_sound`: what making a clip leaves in it, measured without weights.

Named blocks of numbers, computed once per clip: azimuthal spectrum, residual and its correlations, cosine-transform
histograms, temporal spectra, and sound. They say nothing about what is shown; a classifier over them says whether two
sets of clips can be told apart. The deepfake audit (safety/deepfake) and the set metric `separability` read them.

Shape legend: T frames, D numbers.
"""

from __future__ import annotations

import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable, Sampling
from eval.features.forensic_traces import sound
from eval.features.forensic_traces.dct import Dct
from eval.features.forensic_traces.look import MIN_SIDE, Block, look_at
from eval.features.forensic_traces.residual import Residual
from eval.features.forensic_traces.sound import Sound
from eval.features.forensic_traces.spectrum import Spectrum
from eval.features.forensic_traces.temporal import Temporal

PICTURE_BLOCKS: dict[str, type[Block]] = {
    "spectrum": Spectrum,
    "residual": Residual,
    "dct": Dct,
    "temporal": Temporal,
}
FEWEST_FRAMES = 4
SHORT_SIDE = 64
"""In a sweep, all clips are looked at in this size and at 8 frames per second, so that size is no trace."""


class ForensicTraces:
    """Feeds every frame to every block. finish(): traces_D, float64, in the order of `TRACE_NAMES`."""

    def __init__(self, info: ClipInfo) -> None:
        if min(info.width, info.height) < MIN_SIDE:
            raise NotMeasurable(f"forensic traces need {MIN_SIDE} pixels each way; this is {info.width}x{info.height}")
        self._blocks = [block() for block in PICTURE_BLOCKS.values()]
        self._frames = 0

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            look = look_at(frame_CHW)
            for block in self._blocks:
                block.add(look)
        self._frames += len(window.frames_TCHW)

    def finish(self) -> Arrays:
        if self._frames < FEWEST_FRAMES:
            raise NotMeasurable(f"forensic traces need {FEWEST_FRAMES} frames; there are {self._frames}")
        return {"traces_D": np.concatenate([block.values() for block in self._blocks])}


TRACE_NAMES = tuple(f"{name}.{number}" for name, block in PICTURE_BLOCKS.items() for number in block.names)
SOUND_NAMES = tuple(f"sound.{number}" for number in sound.NAMES)

_SWEEP_VIEW = Sampling(fps=8.0, short_side=SHORT_SIDE)

FEATURES.add("forensic_traces", Feature("forensic_traces", 1, "picture", ForensicTraces, _SWEEP_VIEW))
FEATURES.add("forensic_sound", Feature("forensic_sound", 1, "sound", Sound))
