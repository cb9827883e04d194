"""Block `residual`: what a median filter takes away, and how it hangs together in space, colour and time.

Cameras leave independent noise that demosaicking correlates over two pixels; generators leave other correlations:
Corvi et al. 2023, arXiv:2304.06408; Cozzolino and Verdoliva 2020, arXiv:1808.08396.

Shape legend: H height, W width, L lags.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.features.forensic_traces.look import Floats, Look

LAGS = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 2), (0, 3), (3, 0), (0, 4), (4, 0), (0, 8), (8, 0))
"""Rows and columns."""
CELL = 8
VARIANCE_FLOOR = 1e-4
"""Luma steps squared."""

Picture = npt.NDArray[np.float32]


class Residual:
    names = (
        "log_variance",
        *(f"lag_{y}_{x}" for y, x in LAGS),
        "log_kurtosis",
        "red_green",
        "green_blue",
        "noise_with_light",
        "last_frame",
        "second_last_frame",
    )

    def __init__(self) -> None:
        self._sum = np.zeros(len(self.names) - 2)
        self._frames = 0
        self._before: list[Picture] = []
        self._kept_sum = np.zeros(2)
        self._kept_count = np.zeros(2)

    def add(self, look: Look) -> None:
        self._sum += measure(look)
        self._frames += 1
        for place, earlier_HW in enumerate(reversed(self._before)):
            self._kept_sum[place] += correlation(look.residual_HW, earlier_HW)
            self._kept_count[place] += 1
        self._before = [*self._before[-1:], look.residual_HW]

    def values(self) -> Floats:
        kept = self._kept_sum / np.maximum(self._kept_count, 1)
        return np.concatenate([self._sum / max(1, self._frames), kept])


def measure(look: Look) -> Floats:
    """The numbers of one frame by itself."""
    residual_HW = look.residual_HW
    variance = float(np.square(residual_HW, dtype=np.float64).mean())
    red_HW, green_HW, blue_HW = (look.residual_HWC[..., channel] for channel in range(3))
    fourth = float(np.square(np.square(residual_HW, dtype=np.float64)).mean())
    return np.array(
        [
            np.log10(variance + VARIANCE_FLOOR),
            *(_lagged(residual_HW, y, x, variance) for y, x in LAGS),
            np.log10((fourth + 3 * VARIANCE_FLOOR**2) / (variance + VARIANCE_FLOOR) ** 2),
            correlation(red_HW, green_HW),
            correlation(green_HW, blue_HW),
            correlation(_cells(np.abs(residual_HW)), _cells(look.luma_HW), centred=True),
        ]
    )


def correlation(a_HW: Picture, b_HW: Picture, *, centred: bool = False) -> float:
    """Correlation of two pictures; 0 where one of them is flat. Residuals have mean 0 as they are."""
    a, b = a_HW.astype(np.float64).ravel(), b_HW.astype(np.float64).ravel()
    if centred:
        a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > VARIANCE_FLOOR * len(a) else 0.0


def _lagged(residual_HW: Picture, rows: int, columns: int, variance: float) -> float:
    height, width = residual_HW.shape
    later_HW = residual_HW[rows:, max(columns, 0) : width + min(columns, 0)]
    earlier_HW = residual_HW[: height - rows, max(-columns, 0) : width + min(-columns, 0)]
    return float((later_HW * earlier_HW).mean(dtype=np.float64)) / (variance + VARIANCE_FLOOR)


def _cells(picture_HW: Picture) -> Picture:
    """Means of cells of 8 x 8 pixels; what is left at the edges is dropped."""
    height, width = (side // CELL for side in picture_HW.shape)
    whole = picture_HW[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)
