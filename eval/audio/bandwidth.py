"""bandwidth: how high the sound reaches."""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, NotMeasurable, metric

SHARE = 0.99
LOWEST_HZ = 20.0
QUIETEST = 1e-9


@metric(
    name="bandwidth",
    version=1,
    family="sound",
    unit="Hz",
    low=0.0,
    high=float("inf"),
    direction="band",
    needs=("spectrum",),
    source="spectral roll-off (Tzanetakis & Cook 2002) at 99 % of the long-term power",
    summary="frequency below which 99 % of the sound's power lies",
    blind_spots="hiss widens it; deep sounds are narrow by nature",
    invariant_to=frozenset({"fps", "size"}),
    needs_sound=True,
)
def bandwidth(measured: Measured) -> float:
    """Lowest frequency at which the cumulative power above 20 Hz reaches 99 %, Hz (to 25 Hz).

    Raises NotMeasurable for silence (mean power under −90 dBFS) and under 40 ms of sound.
    """
    spectrum = measured["spectrum"]
    heard_F = spectrum["hz_F"] >= LOWEST_HZ
    cumulative = np.cumsum(spectrum["power_F"][heard_F])
    if cumulative[-1] < QUIETEST:
        raise NotMeasurable("the sound track is silent")
    return float(spectrum["hz_F"][heard_F][np.searchsorted(cumulative, SHARE * cumulative[-1])])
