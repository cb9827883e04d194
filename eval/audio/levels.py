"""clipping and silence: sound that is too loud to be true, and no sound where there is a track."""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, NotMeasurable, metric

SILENT_DBFS = -60.0


@metric(
    name="clipping",
    version=1,
    family="sound",
    unit="1",
    low=0.0,
    high=1.0,
    direction="lower",
    needs=("sound_levels",),
    source="ours: runs of at least three samples at 0.999 of full scale or beyond",
    summary="share of the samples that are flattened at full scale",
    blind_spots="sound that was clipped and then turned down; a low tone that just fits touches full scale too",
    invariant_to=frozenset({"fps", "size"}),
    needs_sound=True,
)
def clipping(measured: Measured) -> float:
    """Samples in runs of ≥ 3 with |x| ≥ 0.999, over all samples and channels; 0-1."""
    levels = measured["sound_levels"]
    if not int(levels["samples"]):
        raise NotMeasurable("the sound track is empty")
    return float(levels["clipped"])


@metric(
    name="silence",
    version=1,
    family="sound",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("sound_levels",),
    source="ours: slices of 50 ms below -60 dBFS RMS",
    summary="share of the time without audible sound",
    blind_spots="a scene may be silent on purpose; hum and hiss above -60 dBFS are not silence",
    invariant_to=frozenset({"fps", "size"}),
    needs_sound=True,
)
def silence(measured: Measured) -> float:
    """Share of 50 ms slices whose mean square over channels is below 10⁻⁶; 0-1."""
    mean_square_L = measured["sound_levels"]["mean_square_L"]
    if not mean_square_L.size:
        raise NotMeasurable("needs at least 50 ms of sound")
    return float(np.mean(mean_square_L < 10 ** (SILENT_DBFS / 10)))
