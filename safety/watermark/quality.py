"""How much like its reference a changed clip looks: PSNR, SSIM, XPSNR; VMAF and LPIPS where the user has them.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import Clip, FramesTCHW
from eval.errors import UserError
from eval.video.xpsnr import xpsnr_db

SAME_DB = 100.0
"""What stands for clips that do not differ, and for differences too small to matter: no figure is infinite."""

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""BT.709."""

_WINDOW_PX, _SIGMA_PX = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Plane = npt.NDArray[np.float32]


class NotComparable(UserError):
    """Two clips that cannot be compared pixel by pixel. The message is one line: why."""


def quality(reference: Clip, changed: Clip) -> dict[str, float]:
    """Closeness of a changed clip to its reference, higher is closer, each at most SAME_DB or 1.

    psnr_db: over all pixels, channels and frames, peak 255. ssim: mean over frames, of luma, 0-1 (Wang et al. 2004,
    Gaussian window of 11 pixels). xpsnr_db: see `eval.video.xpsnr`. Raises NotComparable where sizes or lengths differ.
    """
    check_comparable(reference, changed)
    before_TCHW, after_TCHW = reference.frames_TCHW, changed.frames_TCHW
    return {
        "psnr_db": psnr_db(before_TCHW, after_TCHW),
        "ssim": ssim(before_TCHW, after_TCHW),
        "xpsnr_db": min(SAME_DB, xpsnr_db(before_TCHW, after_TCHW, reference.fps)),
    }


def check_comparable(reference: Clip, changed: Clip) -> None:
    """Raise NotComparable, with the reason, where two clips cannot be compared pixel by pixel."""
    before, after = reference.frames_TCHW.shape, changed.frames_TCHW.shape
    if before[2:] != after[2:]:
        raise NotComparable(f"another size: {before[3]}×{before[2]} before, {after[3]}×{after[2]} after")
    if before[0] != after[0]:
        raise NotComparable(f"another length: {before[0]} frames before, {after[0]} after")
    if not before[0]:
        raise NotComparable("no frames to compare")


def psnr_db(before_TCHW: FramesTCHW, after_TCHW: FramesTCHW) -> float:
    """10 log10(255² / mean squared error), at most SAME_DB."""
    errors = [
        float(np.square(before_CHW.astype(np.float32) - after_CHW).mean(dtype=np.float64))
        for before_CHW, after_CHW in zip(before_TCHW, after_TCHW, strict=True)
    ]
    error = float(np.mean(errors))
    return SAME_DB if error == 0 else min(SAME_DB, float(10 * np.log10(255**2 / error)))


def ssim(before_TCHW: FramesTCHW, after_TCHW: FramesTCHW) -> float:
    """Mean structural similarity of luma, frame by frame, borders mirrored."""
    pairs = zip(before_TCHW, after_TCHW, strict=True)
    return float(np.mean([_ssim_of(_luma(before_CHW), _luma(after_CHW)) for before_CHW, after_CHW in pairs]))


def _ssim_of(x_HW: Plane, y_HW: Plane) -> float:
    mean_x, mean_y = _local(x_HW), _local(y_HW)
    variance_x = _local(x_HW * x_HW) - mean_x * mean_x
    variance_y = _local(y_HW * y_HW) - mean_y * mean_y
    covariance = _local(x_HW * y_HW) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    return float((likeness / ((mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2))).mean())


def _luma(frame_CHW: npt.NDArray[np.uint8]) -> Plane:
    return np.tensordot(LUMA, frame_CHW.astype(np.float32), axes=1)


def _local(plane_HW: Plane) -> Plane:
    """The mean around each pixel."""
    return np.asarray(cv2.GaussianBlur(plane_HW, (_WINDOW_PX, _WINDOW_PX), _SIGMA_PX), np.float32)
