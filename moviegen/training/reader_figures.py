"""How well a reader reads: per factor, hits among the clips that show it, and which values it takes for which.

Shape legend: N clips, F factors, K classes, T frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from eval.features.backlot_reader.factors import Factor
from eval.features.backlot_reader.network import Reader
from moviegen.training.reader_data import FACTORS_READ, Clips

BATCH = 64


@dataclass(frozen=True, slots=True)
class Figure:
    """One factor's reading: how many clips show it, how many were read rightly, and (truth, reading) counts K,K.

    A value that another reading makes meaningless (a role read in a clip that is taken for a dog) is wrong in hits and
    stands in the matrix as it was read.
    """

    counted: int
    hits: int
    confusion_KK: npt.NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Hits among the counted; NaN where nothing was."""
        return self.hits / self.counted if self.counted else float("nan")


Frames = Callable[[npt.NDArray[np.uint8], int], npt.NDArray[np.uint8]]


@torch.inference_mode()
def read_clips(reader: Reader, clips: Clips, count: int | None = None, change: Frames | None = None) -> Any:
    """The class read for each factor of each clip, N,F. change: damage to do to the frames of clip n first."""
    rows = range(len(clips) if count is None else min(count, len(clips)))
    found = []
    for first in range(0, len(rows), BATCH):
        frames = [clips.frames(row) for row in rows[first : first + BATCH]]
        if change is not None:
            frames = [change(one, row) for one, row in zip(frames, rows[first:], strict=False)]
        logits = reader(to_network(np.stack(frames))).logits
        found.append(torch.stack([logits[factor.name].argmax(dim=1) for factor in FACTORS_READ], dim=1))
    return torch.cat(found).numpy()


def to_network(frames_BTHWC: npt.NDArray[np.uint8]) -> torch.Tensor:
    """uint8 B,T,H,W,C → uint8 B,T,C,H,W, contiguous."""
    return torch.from_numpy(np.ascontiguousarray(frames_BTHWC.transpose(0, 1, 4, 2, 3)))


def figures(read_NF: npt.NDArray[np.int64], labels_NF: npt.NDArray[np.int64]) -> dict[str, Figure]:
    """Factor → its Figure, over the clips that show it."""
    readings = [_values(row) for row in read_NF]
    found = {}
    for f, factor in enumerate(FACTORS_READ):
        shown = np.flatnonzero(labels_NF[: len(read_NF), f] >= 0)
        truth, read = labels_NF[shown, f], read_NF[shown, f]
        meant = np.array([_means(factor, readings[n]) for n in shown], bool)
        confusion_KK = np.zeros((len(factor.classes),) * 2, np.int64)
        np.add.at(confusion_KK, (truth, read), 1)
        found[factor.name] = Figure(len(shown), int(((truth == read) & meant).sum()), confusion_KK)
    return found


def _values(row_F: npt.NDArray[np.int64]) -> dict[str, Any]:
    return {factor.name: factor.classes[k][0] for factor, k in zip(FACTORS_READ, row_F, strict=True)}


def _means(factor: Factor, reading: Mapping[str, Any]) -> bool:
    return all(reading[name] in values for name, values in factor.needs.items())
