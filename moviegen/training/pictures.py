"""Pictures written while something trains, so that somebody can look at it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from eval.cache import write_atomically


def write_png(picture_CHW: Tensor, path: Path) -> None:
    """Write a uint8 RGB picture. Raises OSError."""
    picture_HWC = picture_CHW.permute(1, 2, 0).cpu().numpy()
    done, data = cv2.imencode(".png", np.ascontiguousarray(picture_HWC[:, :, ::-1]))
    if not done:
        raise OSError(f"cannot encode {path}")
    write_atomically(path, data.tobytes())


def before_and_after(frames_BCTHW: Tensor, decoded_BCTHW: Tensor, columns: int = 8) -> Tensor:
    """Two rows of frames for each clip, evenly spaced in time: as it was, and as it came back. uint8 in, C,H,W out."""
    length = frames_BCTHW.shape[2]
    times = np.linspace(0, length - 1, min(columns, length)).round().astype(int).tolist()
    rows = []
    for before_CTHW, after_CTHW in zip(frames_BCTHW, decoded_BCTHW, strict=True):
        rows += [before_CTHW[:, times], after_CTHW[:, times]]
    return _sheet(rows)


def _sheet(rows_CTHW: list[Tensor]) -> Tensor:
    """Rows of frames as one picture C,H,W."""
    from torch import cat

    return cat([row.permute(0, 2, 1, 3).flatten(2) for row in rows_CTHW], dim=1)
