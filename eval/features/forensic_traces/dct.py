"""Block `dct`: histograms of the 8 x 8 cosine transform of luma.

Frank et al. 2020, arXiv:2003.08685; first digits: Bonettini et al. 2020, arXiv:2004.07682.

Shape legend: N blocks, D diagonals (1 to 14; 0 is the mean).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from eval.features.forensic_traces.look import Floats, Look, numbered

SIDE = 8
DIAGONALS = 2 * SIDE - 2
GROUPS = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 14))
EDGES = (0.0, 0.5, 1.5, 3.0, 6.0, 12.0)
"""Sizes between which coefficients are counted; larger ones are the rest."""
SIZE_FLOOR = 1e-2

_DIAGONAL = np.add.outer(np.arange(SIDE), np.arange(SIDE)).ravel()


class Dct:
    names = (
        *numbered("diagonal", DIAGONALS),
        *(f"peakedness_{first}_{last}" for first, last in GROUPS),
        *(f"size_below_{edge:g}" for edge in EDGES[1:]),
        *(f"first_digit_{digit}" for digit in range(1, 9)),
    )

    def __init__(self) -> None:
        self._blocks = 0
        self._abs_sum = np.zeros(SIDE * SIDE)
        self._square_sum = np.zeros(SIDE * SIDE)
        self._sizes = np.zeros(len(EDGES))
        self._digits = np.zeros(9)

    def add(self, look: Look) -> None:
        size_NK = np.abs(transformed(look.luma_HW))
        self._blocks += len(size_NK)
        self._abs_sum += size_NK.sum(axis=0)
        self._square_sum += (size_NK**2).sum(axis=0)
        waves = size_NK[:, 1:].ravel()
        self._sizes += np.histogram(waves, [*EDGES, np.inf])[0]
        large = waves[waves >= 1]
        digits = (large / 10 ** np.floor(np.log10(large))).astype(np.int64)
        self._digits += np.bincount(np.clip(digits, 1, 9), minlength=10)[1:]

    def values(self) -> Floats:
        mean_K = self._abs_sum / max(1, self._blocks)
        square_K = self._square_sum / max(1, self._blocks)
        level_D = np.array([np.log10(mean_K[d == _DIAGONAL].mean() + SIZE_FLOOR) for d in range(1, DIAGONALS + 1)])
        peaked = [
            (mean_K[chosen].mean() ** 2 + SIZE_FLOOR**2) / (square_K[chosen].mean() + SIZE_FLOOR**2)
            for chosen in ((first <= _DIAGONAL) & (last >= _DIAGONAL) for first, last in GROUPS)
        ]
        sizes = self._sizes / max(1.0, self._sizes.sum())
        digits = self._digits / max(1.0, self._digits.sum())
        return np.concatenate([level_D - level_D.mean(), peaked, sizes[:-1], digits[:-1]])


def transformed(luma_HW: npt.NDArray[np.float32]) -> Floats:
    """Orthonormal coefficients N,64 of the whole blocks of a picture."""
    height, width = (side // SIDE for side in luma_HW.shape)
    whole = luma_HW[: height * SIDE, : width * SIDE].reshape(height, SIDE, width, SIDE)
    blocks = whole.transpose(0, 2, 1, 3).reshape(-1, SIDE, SIDE).astype(np.float64)
    return np.asarray(dctn(blocks, axes=(1, 2), norm="ortho"), np.float64).reshape(-1, SIDE * SIDE)
