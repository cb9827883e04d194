"""mark_quality: what the shipped mark costs a clip that carries it, without the unmarked clip at hand."""

from __future__ import annotations

import math

from eval.marks.chance import p_of
from eval.metric import Measured, NotMeasurable, metric
from eval.provenance.mark_detected import FALSE_ALARMS


@metric(
    name="mark_quality",
    version=1,
    family="provenance",
    unit="dB",
    low=0.0,
    high=math.inf,
    direction="higher",
    needs=("learned_mark_cost",),
    source="ours: 10 log10(255^2 / (m r^2)), m a probe's mean square, r the mark's strength against the probe's",
    summary="estimated PSNR of the clip against itself without the shipped mark; skipped where the mark is not found",
    blind_spots="an estimate: within 0.5 dB of the PSNR against the unmarked twin on Backlot clips fresh from marking; "
    "coding and resizing weaken the mark and raise the number; PSNR sees no masking",
)
def mark_quality(measured: Measured) -> float:
    """PSNR in dB, 0 or more. Raises NotMeasurable where chance explains the mark in one clip of 1,000 or more."""
    found = {name: float(values[0]) for name, values in measured["learned_mark_cost"].items()}
    if p_of(found["surprise"]) > FALSE_ALARMS or found["relative"] <= 0:
        raise NotMeasurable("the shipped mark was not found under the public key: there is no cost to tell")
    return max(0.0, 10 * math.log10(255.0**2 / (found["probe_mse"] * found["relative"] ** 2)))
