"""loudness: programme loudness as broadcasters measure it.

Shape legend: C channels, K steps of 100 ms, J gating blocks of 400 ms.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.metric import Measured, NotMeasurable, metric

OFFSET = -0.691
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
CHANNEL_GAINS = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),
}
"""BS.1770-4, table 3, in FFmpeg's channel order; the fourth of six, the low-frequency channel, does not count."""


@metric(
    name="loudness",
    version=1,
    family="sound",
    unit="LUFS",
    low=ABSOLUTE_GATE,
    high=float("inf"),
    direction="band",
    needs=("loudness_steps",),
    source="ITU-R BS.1770-4, integrated loudness; filters of pyloudnorm",
    summary="integrated loudness: -23 is broadcast level, -14 that of streaming services",
    blind_spots="says nothing of what is heard; gating leaves out the quiet parts",
    invariant_to=frozenset({"fps", "size"}),
    needs_sound=True,
)
def loudness(measured: Measured) -> float:
    """−0.691 + 10 log₁₀ Σ_c G_c z̄_c over 400 ms blocks (75 % overlap) above both gates, LUFS.

    Gates: −70 LUFS, then 10 LU below the loudness of what passed. Raises NotMeasurable under 0.4 s of sound, when
    nothing passes −70, and for channel layouts that the standard gives no weights for.
    """
    energy_KC = measured["loudness_steps"]["energy_KC"]
    if len(energy_KC) < 4:
        raise NotMeasurable("needs at least 0.4 s of sound")
    gains = CHANNEL_GAINS.get(energy_KC.shape[1])
    if gains is None:
        raise NotMeasurable(f"BS.1770 gives no weights for {energy_KC.shape[1]} channels; mix down to stereo first")
    return gated(block_energies(energy_KC @ np.array(gains)))


def block_energies(energy_K: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean energy J of each run of four steps; the steps overlap by three."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(energy_K, 4).mean(axis=1))


def gated(energy_J: npt.NDArray[np.float64]) -> float:
    """Loudness of the blocks that pass both gates. Raises NotMeasurable when none passes the absolute one."""
    heard_J = energy_J[energy_J >= 10 ** ((ABSOLUTE_GATE - OFFSET) / 10)]
    if not heard_J.size:
        raise NotMeasurable("nothing louder than -70 LUFS")
    kept_J = heard_J[heard_J > heard_J.mean() * 10 ** (RELATIVE_GATE / 10)]
    return OFFSET + 10 * float(np.log10(kept_J.mean()))
