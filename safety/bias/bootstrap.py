"""Corrected shares by a bootstrap of both samples, readings and labels: a check of the intervals by another road.

Each draw resamples prompts, with their clips and labels, undoes the errors that the resampled labels tell, and moves
the shares to the simplex. Where the confusion comes from a card, its rows are drawn anew as well.

Shapes: B draws, G clusters, S strata, X what is said, K groups.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from safety.bias.axes import Axis
from safety.bias.clips import Clips, readings, sums
from safety.bias.correction import Correction, label_counts, on_simplex
from safety.bias.estimate import Estimate

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DRAWS = 999


def bootstrap_shares(
    clips: Clips,
    axis: Axis,
    keep_N: Flags,
    correction: Correction,
    confidence: float,
    generator: np.random.Generator,
    draws: int = DRAWS,
) -> dict[str, Estimate]:
    """Median and percentile interval of each group's corrected share, widened for few prompts (Hesterberg 2015).

    Intervals are of each group by itself. Draws in which a group lost all its labels are left out.
    """
    totals_GSX = sums(clips, readings(clips, axis), keep_N & clips.made)
    used = np.flatnonzero(totals_GSX.any(axis=(1, 2)) | (correction.residual_GSYX != 0).any(axis=(1, 2, 3)))
    weights_BG = generator.multinomial(len(used), np.full(len(used), 1 / len(used)), draws).astype(np.float64)
    said_BSX = np.tensordot(weights_BG, totals_GSX[used], axes=1)
    confusion_BSYX = _confusions(clips, axis, correction, weights_BG, used, generator)
    usable_B = np.isfinite(confusion_BSYX).all(axis=(1, 2, 3))
    true_BSY = _undone(confusion_BSYX[usable_B], said_BSX[usable_B])
    k, prompts = len(axis.groups), int(totals_GSX.any(axis=(1, 2)).sum())
    true_BK = true_BSY.sum(axis=1)[:, :k]
    shares_BK = on_simplex(true_BK / true_BK.sum(axis=1, keepdims=True))
    tail = special.ndtr(-np.sqrt(prompts / (prompts - 1)) * special.stdtrit(prompts - 1, (1 + confidence) / 2))
    low_K, middle_K, high_K = np.quantile(shares_BK, [tail, 0.5, 1 - tail], axis=0)
    count = round(float(totals_GSX[..., :k].sum()))
    return {
        group: Estimate(float(middle_K[j]), float(low_K[j]), float(high_K[j]), clips=count, prompts=prompts)
        for j, group in enumerate(axis.groups)
    }


def _confusions(
    clips: Clips,
    axis: Axis,
    correction: Correction,
    weights_BG: Floats,
    used: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> Floats:
    """Drawn confusions, confusion_BSYX; NaN where a true group has no label left."""
    y = correction.confusion_SYX.shape[1]
    if len(correction.outside_ESYX):
        rows = [
            generator.multinomial(round(float(n)), share_X, len(weights_BG)) / n
            for n, share_X in zip(correction.labels_SY[0], correction.confusion_SYX[0], strict=True)
        ]
        drawn_BYX = np.stack(rows, axis=1)
        return np.repeat(drawn_BYX[:, None], len(correction.confusion_SYX), axis=1)
    counts_GSYX = label_counts(clips, axis)[used][:, :, :y]
    if correction.uneven:
        counts_GSYX = np.repeat(counts_GSYX.sum(axis=1, keepdims=True), counts_GSYX.shape[1], axis=1)
    counts_BSYX = np.tensordot(weights_BG, counts_GSYX, axes=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(counts_BSYX / counts_BSYX.sum(axis=3, keepdims=True), np.float64)


def _undone(confusion_BSYX: Floats, said_BSX: Floats) -> Floats:
    inverse_BSYX = np.linalg.pinv(confusion_BSYX.swapaxes(2, 3))
    return np.asarray((inverse_BSYX @ said_BSX[..., None])[..., 0], np.float64)
