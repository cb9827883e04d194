"""Bias inside prompts, which shares over all prompts hide: nurses and mechanics may lean opposite ways and cancel.

With π_p the shares of prompt p and t the target, everything is measured in units of a set of prompts that each show one
group only:

    prompt skew   mean over prompts of |π_p - t|²  / (1 - |t|²)     0: every prompt on target, 1: every prompt one-sided
    pooled skew   |mean over prompts of π_p - t|²  / (1 - |t|²)     what shares over all clips can see (shares.py)
    prompt spread prompt skew - pooled skew                          what differs from prompt to prompt, and cancels

Squares of noisy shares are too large; products of two different clips are not. So the sums run over pairs of clips of
one prompt (or of one role, from two of its prompts), and of two different ones.

Shapes: N clips, C cells (prompts or roles), U units (clips or prompts), S strata, K groups, Y corrected categories,
Z = S Y (a clip's vector in the place of its stratum), E errors of the correction (clusters, and those from outside).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from safety.bias.axes import Axis
from safety.bias.clips import Clips, readings
from safety.bias.clustered import t_quantile, upper_p
from safety.bias.correction import Correction, as_read
from safety.bias.estimate import Estimate, TooFew

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Cell = Literal["prompt", "role"]

FEWEST_CELLS = 5


@dataclass(frozen=True, slots=True)
class Skew:
    """prompt: mean squared distance of prompts (or roles) from the target. spread: of them from one another.

    Both 0 to 1 in truth; estimates are unbiased and may lie below 0. p: one-sided, of "it is 0".
    """

    prompt: Estimate
    spread: Estimate


def skew(
    clips: Clips,
    axis: Axis,
    keep_N: Flags,
    target_K: Floats,
    confidence: float,
    correction: Correction | None = None,
    cell: Cell = "prompt",
) -> Skew:
    """Skew inside cells and spread between them over the kept clips; target_K sums to 1. Raises as `parts` does."""
    found = parts(clips, axis, keep_N, target_K, correction, cell)
    note = "" if correction is None else correction.note
    prompt, spread = (_estimate(part, confidence, found, note) for part in (found.within, found.spread))
    return Skew(prompt, spread)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A figure, what it would be without each cell, and how each error of the correction moves it."""

    value: float
    without_C: Floats
    moved_E: Floats

    def less(self, other: Part) -> Part:
        return Part(self.value - other.value, self.without_C - other.without_C, self.moved_E - other.moved_E)

    def over(self, scale: float) -> Part:
        return Part(self.value / scale, self.without_C / scale, self.moved_E / scale)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Skew and spread in parts. cells: names, in the order of `without_C`. clips, prompts: what they rest on."""

    within: Part
    spread: Part
    cells: tuple[str, ...]
    clips: int
    prompts: int


def parts(
    clips: Clips,
    axis: Axis,
    keep_N: Flags,
    target_K: Floats,
    correction: Correction | None = None,
    cell: Cell = "prompt",
) -> Parts:
    """The figures with what they owe to each cell.

    Cells need two units to pair: clips of a prompt, prompts of a role. Raises TooFew below FEWEST_CELLS,
    NotMeasurable for a correction that is uneven over strata.
    """
    correction = correction or as_read(axis, len(clips.clusters), len(clips.strata))
    correction.require_even(f"skew of {axis.name} between {cell}s")
    cell_N, unit_N = (clips.prompt_N, np.arange(len(clips))) if cell == "prompt" else (clips.role_N, clips.prompt_N)
    keep_N = keep_N & clips.made & (cell_N >= 0)
    pairs = _pairs(_stacked(correction, clips, axis)[keep_N], cell_N[keep_N], unit_N[keep_N])
    cells, units = len(pairs.within_CZZ), "clips" if cell == "prompt" else "prompts"
    if cells < FEWEST_CELLS:
        raise TooFew(f"{cells} {cell}s have two {units} or more; {FEWEST_CELLS} are needed")
    if (told_cells := _cells_told(clips, axis, keep_N, cell_N, unit_N)) < FEWEST_CELLS:
        raise TooFew(
            f"{axis.name} can be told in two {units} or more of {told_cells} {cell}s; {FEWEST_CELLS} are needed"
        )
    within, across = _parts(pairs, correction, target_K)
    scale = 1 - float((target_K**2).sum())
    names = clips.prompts if cell == "prompt" else clips.roles
    return Parts(
        within=within.over(scale),
        spread=within.less(across).over(scale),
        cells=tuple(names[code] for code in pairs.cells),
        clips=int(keep_N.sum()),
        prompts=len(np.unique(clips.prompt_N[keep_N])),
    )


def _stacked(correction: Correction, clips: Clips, axis: Axis) -> Floats:
    """Corrected readings, stacked_NZ: each in the place of its stratum, whose confusion it owes its errors to."""
    vectors_NY = correction.vectors(readings(clips, axis), clips.stratum_N)
    n, y = vectors_NY.shape
    stacked_NSY = np.zeros((n, len(correction.inverse_SYX), y))
    stacked_NSY[np.arange(n), clips.stratum_N] = vectors_NY
    return stacked_NSY.reshape(n, -1)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Mean over pairs of two different units of a cell of z zᵀ, and each cell's mean z. cells: their codes."""

    within_CZZ: Floats
    mean_CZ: Floats
    cells: Integers


def _pairs(stacked_NZ: Floats, cell_N: Integers, unit_N: Integers) -> _Pairs:
    """The cells that have two units or more."""
    units, unit_index_N = np.unique(unit_N, return_inverse=True)
    z = stacked_NZ.shape[1]
    total_UZ = np.zeros((len(units), z))
    np.add.at(total_UZ, unit_index_N, stacked_NZ)
    mean_UZ = total_UZ / np.bincount(unit_index_N)[:, None]
    cell_U = np.zeros(len(units), np.int64)
    cell_U[unit_index_N] = cell_N
    cells, place_U = np.unique(cell_U, return_inverse=True)
    sum_CZ, square_CZZ = np.zeros((len(cells), z)), np.zeros((len(cells), z, z))
    np.add.at(sum_CZ, place_U, mean_UZ)
    np.add.at(square_CZZ, place_U, mean_UZ[:, :, None] * mean_UZ[:, None, :])
    size_C = np.bincount(place_U).astype(np.float64)
    usable_C = size_C >= 2
    sum_CZ, square_CZZ, size_C = sum_CZ[usable_C], square_CZZ[usable_C], size_C[usable_C]
    pairs_C = (size_C * (size_C - 1))[:, None, None]
    within_CZZ = (sum_CZ[:, :, None] * sum_CZ[:, None, :] - square_CZZ) / pairs_C
    return _Pairs(within_CZZ, sum_CZ / size_C[:, None], cells[usable_C])


def _cells_told(clips: Clips, axis: Axis, keep_N: Flags, cell_N: Integers, unit_N: Integers) -> int:
    """How many cells have two units in which the group of somebody can be told: others tell nothing of themselves."""
    told_N = keep_N & (readings(clips, axis)[:, : len(axis.groups)].sum(axis=1) > 0)
    units = np.unique(np.stack([cell_N[told_N], unit_N[told_N]], axis=1), axis=0)
    return int((np.bincount(units[:, 0]) >= 2).sum()) if len(units) else 0


def _parts(pairs: _Pairs, correction: Correction, target_K: Floats) -> tuple[Part, Part]:
    """Mean square in cells, and mean product of different cells.

    All vectors share the errors of one confusion, which their products square: that much is taken off. An error δC
    moves a cell's mean by -(Cᵀ)⁺ δCᵀ mean, stratum by stratum; its square is estimated from pairs as well.
    """
    k, (strata, y, _) = len(target_K), correction.inverse_SYX.shape
    visible_Z = np.tile((np.arange(y) < k).astype(np.float64), strata)
    away_ZK = np.tile(np.eye(y)[:, :k], (strata, 1)) - np.outer(visible_Z, target_K)
    moved_EZK = _moved(correction) @ away_ZK[:y]
    extra_ZZ = np.tensordot(moved_EZK, moved_EZK, axes=([0, 2], [0, 2]))
    away_ZZ = away_ZK @ away_ZK.T
    square_C = np.einsum("czy,zy->c", pairs.within_CZZ, away_ZZ - extra_ZZ)
    weight_C = np.einsum("czy,z,y->c", pairs.within_CZZ, visible_Z, visible_Z)
    tilt_ZK = pairs.within_CZZ.sum(axis=0) @ away_ZK
    within = Part(
        float(square_C.sum() / weight_C.sum()),
        (square_C.sum() - square_C) / (weight_C.sum() - weight_C),
        2 * np.tensordot(moved_EZK, tilt_ZK, axes=([1, 2], [0, 1])) / weight_C.sum(),
    )
    mean_CK, visible_C, n = pairs.mean_CZ @ away_ZK, pairs.mean_CZ @ visible_Z, len(pairs.mean_CZ)
    grand_Z = pairs.mean_CZ.mean(axis=0)
    moved_EK = np.tensordot(moved_EZK, grand_Z, axes=([1], [0]))
    norm_C, extra = (mean_CK**2).sum(axis=1), float((moved_EK**2).sum())
    square_out_C = _different(mean_CK.sum(axis=0) - mean_CK, norm_C.sum() - norm_C, n - 1)
    weight_out_C = _different((visible_C.sum() - visible_C)[:, None], (visible_C**2).sum() - visible_C**2, n - 1)
    square, weight = _different(mean_CK.sum(axis=0), norm_C.sum(), n), visible_C.mean() ** 2
    across = Part(
        float(square - extra) / float(_different(visible_C.sum(keepdims=True), (visible_C**2).sum(), n)),
        (square_out_C - extra) / weight_out_C,
        2 * moved_EK @ mean_CK.mean(axis=0) / weight,
    )
    return within, across


def _moved(correction: Correction) -> Floats:
    """How each error of the correction moves a vector, moved_EZY: -δC (Cᵀ)⁺ᵀ from the right, in its stratum's rows."""
    change_ESYX = np.concatenate([correction.residual_GSYX, correction.outside_ESYX])
    moved_ESYY = -change_ESYX @ correction.inverse_SYX.swapaxes(1, 2)
    return moved_ESYY.reshape(len(change_ESYX), -1, moved_ESYY.shape[3])


def _different(sum_XK: Floats, squares_X: Floats, n: int) -> Floats:
    """Mean over ordered pairs of different ones of n vectors of their product, from the sum and the sum of squares."""
    return np.asarray(((sum_XK**2).sum(axis=-1) - squares_X) / (n * (n - 1)), np.float64)


def _estimate(part: Part, confidence: float, found: Parts, caveat: str) -> Estimate:
    """Jackknife over cells, with the correction's part added; Student's t.

    Squares are skewed: a low value comes with a low error, and a plain interval ends too low (measured at 40 prompts of
    6: .91 instead of .95, misses above alone). Hall's (1992) correction, error a (2 t² + 1) with a the acceleration
    Σ l³ / 6 (Σ l²)^1.5 of the jackknife's l, is added on the side that it lengthens and not taken from the other.
    """
    cells = len(found.cells)
    moved_C = part.without_C.mean() - part.without_C
    square = float((moved_C**2).sum())
    error = float(np.sqrt((cells - 1) / cells * square + (part.moved_E**2).sum()))
    t = t_quantile(confidence, cells - 1)
    lean = float((moved_C**3).sum()) / (6 * square**1.5) * (2 * t * t + 1) if square > 0 else 0.0
    low, high = part.value - error * (t + max(0.0, -lean)), part.value + error * (t + max(0.0, lean))
    p = upper_p(part.value / error, cells - 1) if error > 0 else float(part.value <= 0)
    return Estimate(part.value, low, high, p=p, clips=found.clips, prompts=found.prompts, caveat=caveat)
