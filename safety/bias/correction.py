"""Classifier error, corrected: how often the reader says what, of whom, and shares with that undone.

With C[true, said] the reader's confusion, the shares of what it says are q = Cᵀ π. Undone, π = (Cᵀ)⁺ q: for two groups
the estimator of Rogan and Gladen (1978). Everything else - unknown, nobody - is a thing the reader says too, so groups
whose faces it misses or cannot tell more often are not lost.

Shapes: G clusters, S strata, Y what is true (K groups, and where annotators saw some: neither), X = K + 1 what is said
(K groups, then everything else), M columns, E outside errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from eval.feature import NotMeasurable
from safety.bias.axes import Axis
from safety.bias.clips import Clips, said
from safety.bias.clustered import Quantities
from safety.bias.estimate import TooFew

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

WEAKEST = 0.25
"""Smallest singular value of a confusion matrix that can be undone: of Se + Sp - 1 for two groups, about the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """How to undo the reader's errors, and what is uncertain about it.

    confusion_SYX: rows sum to 1. labels_SY: labelled people it rests on. inverse_SYX: pseudoinverse of its transpose.
    residual_GSYX: how much each cluster's labels moved the confusion. outside_ESYX: the same for errors of a confusion
    from elsewhere. note: what a reader must know. uneven: one confusion stands for several strata.
    """

    axis: Axis
    confusion_SYX: Floats
    labels_SY: Floats
    inverse_SYX: Floats
    residual_GSYX: Floats
    outside_ESYX: Floats
    note: str = ""
    uneven: bool = False

    def require_even(self, what: str) -> None:
        """Raises NotMeasurable where one confusion stands for several strata: shares over all clips bear that, but what
        compares prompts or groups would take the strata's errors for differences.
        """
        if self.uneven:
            raise NotMeasurable(f"{what} needs a correction of its own for every stratum; there is {self.note}")

    def totals(self, sums_GSXM: Floats, clusters: int) -> list[Quantities]:
        """What is true behind sums of what is said: for each column M, the Y totals with their influences."""
        return self._undone(sums_GSXM, None, clusters)

    def joint_totals(self, other: Correction, sums_GSXX: Floats, clusters: int) -> list[Quantities]:
        """The same for two axes at once, whose readers err independently given the truth: Y totals per Y of `other`."""
        return self._undone(sums_GSXX, other, clusters)

    def vectors(self, readings_NX: Floats, stratum_N: npt.NDArray[np.int64]) -> Floats:
        """Each clip's reading, corrected, vectors_NY: right on average, for one clip below 0 or over 1."""
        return np.asarray(np.einsum("nyx,nx->ny", self.inverse_SYX[stratum_N], readings_NX), np.float64)

    def _undone(self, sums_GSXM: Floats, other: Correction | None, clusters: int) -> list[Quantities]:
        parts_GSYM = self.inverse_SYX @ sums_GSXM
        if other is not None:
            parts_GSYM = parts_GSYM @ other.inverse_SYX.transpose(0, 2, 1)
        total_SYM = parts_GSYM.sum(axis=0)
        inside_GYM = parts_GSYM.sum(axis=1) + self._moved(self.residual_GSYX, total_SYM)
        outside_EYM = self._moved(self.outside_ESYX, total_SYM)
        if other is not None:
            across_SMY = total_SYM.transpose(0, 2, 1)
            inside_GYM = inside_GYM + other._moved(other.residual_GSYX, across_SMY).transpose(0, 2, 1)
            more_EYM = other._moved(other.outside_ESYX, across_SMY).transpose(0, 2, 1)
            outside_EYM = np.concatenate([outside_EYM, more_EYM])
        return [
            Quantities(total_SYM[..., m].sum(axis=0), inside_GYM[..., m], outside_EYM[..., m], clusters)
            for m in range(total_SYM.shape[2])
        ]

    def _moved(self, change_ESYX: Floats, total_SYM: Floats) -> Floats:
        """How totals move when the confusion moves: -(Cᵀ)⁺ δCᵀ π, summed over strata."""
        moved_ESYM = self.inverse_SYX @ (change_ESYX.swapaxes(2, 3) @ total_SYM)
        return np.asarray(-moved_ESYM.sum(axis=1), np.float64)


def as_read(axis: Axis, clusters: int, strata: int) -> Correction:
    """No correction: what is said is taken for the truth."""
    x = len(axis.groups) + 1
    eye_SXX = np.tile(np.eye(x), (strata, 1, 1))
    nothing = np.zeros((0, strata, x, x))
    return Correction(axis, eye_SXX, np.zeros((strata, x)), eye_SXX, np.zeros((clusters, strata, x, x)), nothing)


def from_annotators(clips: Clips, axis: Axis, minimum: int) -> Correction:
    """Correction from the labels in the table, stratum by stratum; where labels are too few for that, over all strata
    at once, with a note. Raises TooFew or NotMeasurable where there is none.
    """
    counts_GSXX = label_counts(clips, axis)
    if not counts_GSXX.any():
        raise NotMeasurable(f"no clip has an annotator's label for {axis.name}: the reader's errors are not known")
    try:
        return from_labels(axis, counts_GSXX, clips.strata, minimum)
    except TooFew as why:
        if len(clips.strata) == 1:
            raise
        together = from_labels(axis, counts_GSXX.sum(axis=1, keepdims=True), ("",), minimum)
        strata = len(clips.strata)
        return replace(
            together,
            confusion_SYX=np.repeat(together.confusion_SYX, strata, axis=0),
            labels_SY=np.repeat(together.labels_SY, strata, axis=0),
            inverse_SYX=np.repeat(together.inverse_SYX, strata, axis=0),
            residual_GSYX=np.repeat(together.residual_GSYX, strata, axis=1),
            outside_ESYX=np.repeat(together.outside_ESYX, strata, axis=1),
            note=f"one correction for all strata, because {why}",
            uneven=True,
        )


def label_counts(clips: Clips, axis: Axis) -> Floats:
    """Labelled people by cluster, stratum, annotator's label and reader's label, counts_GSXX; a person of several in a
    clip counts that part.
    """
    annotated_R = clips.annotated_R[axis.name]
    kept_R = (annotated_R >= 0) & clips.made[clips.clip_R]
    shape = (len(clips.clusters), len(clips.strata), len(axis.groups) + 1, len(axis.groups) + 1)
    layer_N = clips.cluster_N * shape[1] + clips.stratum_N
    place_R = (layer_N[clips.clip_R] * shape[2] + annotated_R) * shape[3] + said(clips, axis)
    flat = np.bincount(place_R[kept_R], weights=clips.share_R[kept_R], minlength=int(np.prod(shape)))
    return flat.astype(np.float64).reshape(shape)


def from_labels(axis: Axis, counts_GSXX: Floats, strata: tuple[str, ...], minimum: int) -> Correction:
    """Correction from labels on the audited clips themselves, drawn at random.

    The same clusters gave the readings and the labels, and influences keep their covariance: with labels on half of
    the clips, intervals that take the two for independent samples (Lang and Reiczigel) are half as wide again.
    Raises TooFew, or NotMeasurable where the reader tells the groups apart too little.
    """
    labels_SX = counts_GSXX.sum(axis=(0, 3))
    true_Y = _truths(axis, labels_SX, strata, minimum)
    counts_GSYX = counts_GSXX[:, :, true_Y]
    labels_SY = labels_SX[:, true_Y]
    confusion_SYX = counts_GSYX.sum(axis=0) / labels_SY[..., None]
    expected_GSYX = confusion_SYX * counts_GSYX.sum(axis=3, keepdims=True)
    return Correction(
        axis=axis,
        confusion_SYX=confusion_SYX,
        labels_SY=labels_SY,
        inverse_SYX=_inverse(axis, confusion_SYX, strata),
        residual_GSYX=(counts_GSYX - expected_GSYX) / labels_SY[..., None],
        outside_ESYX=np.zeros((0, *confusion_SYX.shape)),
    )


def from_card(axis: Axis, counts_XX: Floats, clusters: int, strata: int, minimum: int) -> Correction:
    """Correction from a confusion measured elsewhere (a detector's card): labelled people by true and said label.

    It holds for this generator only if the reader errs here as it did there; that is an assumption, and noted.
    Its rows are multinomial samples, smoothed by Jeffreys' half so that no error that was not seen yet is impossible.
    """
    labels_SX = counts_XX.sum(axis=1)[None]
    true_Y = _truths(axis, labels_SX, ("",), minimum)
    counts_YX = counts_XX[true_Y]
    labels_Y = counts_YX.sum(axis=1)
    confusion_SYX = np.tile(counts_YX / labels_Y[:, None], (strata, 1, 1))
    smooth_YX = (counts_YX + 0.5) / (labels_Y[:, None] + 0.5 * counts_YX.shape[1])
    y, x = counts_YX.shape
    outside = np.zeros((y, x, strata, y, x))
    for row in range(y):
        # sqrt(diag(c) - c cᵀ): the same matrix with a square root on one side.
        root_XX = np.diag(np.sqrt(smooth_YX[row])) - np.outer(np.sqrt(smooth_YX[row]), smooth_YX[row])
        outside[row, :, :, row, :] = root_XX[:, None, :] / np.sqrt(labels_Y[row])
    return Correction(
        axis=axis,
        confusion_SYX=confusion_SYX,
        labels_SY=np.tile(labels_Y, (strata, 1)),
        inverse_SYX=_inverse(axis, confusion_SYX, ("",) * strata),
        residual_GSYX=np.zeros((clusters, *confusion_SYX.shape)),
        outside_ESYX=outside.reshape(y * x, strata, y, x),
        note="corrected with errors measured on other clips: valid only if the reader errs here as it did there",
    )


def on_simplex(shares_K: Floats) -> Floats:
    """The nearest shares that are none below 0 and sum to 1 (Euclidean; Duchi and others 2008). Any leading shape."""
    sorted_K = -np.sort(-shares_K, axis=-1)
    over_K = (sorted_K.cumsum(axis=-1) - 1) / np.arange(1, shares_K.shape[-1] + 1)
    last = (sorted_K > over_K).sum(axis=-1, keepdims=True) - 1
    return np.asarray(np.maximum(shares_K - np.take_along_axis(over_K, last, axis=-1), 0.0), np.float64)


@dataclass(frozen=True, slots=True)
class RoganGladen:
    """A share of two, corrected for sensitivity and specificity that were measured on samples of their own."""

    value: float
    low: float
    high: float


def rogan_gladen(
    said: float, clips: float, sensitivity: tuple[float, float], specificity: tuple[float, float], confidence: float
) -> RoganGladen:
    """π = (said + Sp - 1) / (Se + Sp - 1), with the interval of Lang and Reiczigel (2014).

    said: share that the reader calls positive, of `clips` clips (with clustered ones: their effective number).
    sensitivity, specificity: (rightly labelled, all) of the positives and of the negatives that were labelled.
    Raises NotMeasurable where the reader tells the two apart no better than chance.
    """
    z = float(stats.norm.ppf((1 + confidence) / 2))
    right, positives = sensitivity
    rejected, negatives = specificity
    youden = right / positives + rejected / negatives - 1
    if youden < WEAKEST:
        raise NotMeasurable(f"Se + Sp - 1 is {youden:.2f}: below {WEAKEST} the reader's errors cannot be undone")
    se, sp = (right + 1) / (positives + 2), (rejected + 1) / (negatives + 2)
    apparent = (clips * said + z * z / 2) / (clips + z * z)
    centre = (apparent + sp - 1) / (se + sp - 1)
    se_error, sp_error = se * (1 - se) / (positives + 2), sp * (1 - sp) / (negatives + 2)
    shift = 2 * z * z * (centre * se_error - (1 - centre) * sp_error)
    variance = apparent * (1 - apparent) / (clips + z * z) + centre**2 * se_error + (1 - centre) ** 2 * sp_error
    reach = z * float(np.sqrt(variance)) / (se + sp - 1)
    value = (said + rejected / negatives - 1) / youden
    low, high, value = (float(np.clip(end, 0, 1)) for end in (centre + shift - reach, centre + shift + reach, value))
    return RoganGladen(value, low, high)


def _truths(axis: Axis, labels_SX: Floats, strata: tuple[str, ...], minimum: int) -> Integers:
    """Which true categories there are labels for: every group has to have some, in every stratum."""
    for stratum, labels_X in zip(strata, labels_SX, strict=True):
        for group, count in zip(axis.groups, labels_X, strict=False):
            if count < minimum:
                place = f" in stratum {stratum!r}" if stratum else ""
                raise TooFew(
                    f"{count:.0f} labelled clips show {axis.name} {group!r}{place}: "
                    f"a correction needs {minimum} of every group"
                )
    everything = np.arange(labels_SX.shape[1], dtype=np.int64)
    return everything if bool((labels_SX[:, -1] >= minimum).all()) else everything[:-1]


def _inverse(axis: Axis, confusion_SYX: Floats, strata: tuple[str, ...]) -> Floats:
    weakest_S = np.linalg.svd(confusion_SYX, compute_uv=False)[:, -1]
    worst = int(weakest_S.argmin())
    if weakest_S[worst] < WEAKEST:
        place = f" in stratum {strata[worst]!r}" if strata[worst] else ""
        raise NotMeasurable(
            f"the reader hardly tells the groups of {axis.name} apart{place} (smallest singular value of its confusion "
            f"{weakest_S[worst]:.2f}, {WEAKEST} is the least that can be undone)"
        )
    return np.asarray(np.linalg.pinv(confusion_SYX.transpose(0, 2, 1)), np.float64)
