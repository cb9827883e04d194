"""Any per-clip metric as a torchmetrics.Metric, for anyone's Lightning loop.

Shape legend: B clips, T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torchmetrics import Metric as TorchMetric

from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import score_clip


class ClipMetric(TorchMetric):
    """Mean of one registered metric over the clips seen, synchronised across processes.

    `update(clips)` takes Clips, or `update(frames_BTCHW, fps=8.0)` a uint8 tensor of clips of one size (any device).
    `compute()` gives the mean over clips that could be scored: float64, in the metric's own unit; NaN when there was
    none. `scored` and `expected` count the clips, so that a gap is never silent.
    Raises ValueError for a tensor that is not uint8 B,T,3,H,W, and UnknownName for an unknown metric.

        self.flicker = ClipMetric("temporal_flickering")
        self.flicker.update(samples_BTCHW, fps=8.0)
        self.log("val/flicker", self.flicker)
    """

    full_state_update = False
    is_differentiable = False
    total: torch.Tensor
    scored: torch.Tensor
    expected: torch.Tensor

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = METRICS.get(name)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("scored", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("expected", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @property
    def higher_is_better(self) -> bool | None:  # type: ignore[override]  # torchmetrics has a class attribute
        """None for `band` metrics, where more is not better."""
        direction = self.metric.spec.direction
        return None if direction == "band" else direction == "higher"

    def update(self, clips: Iterable[Clip] | torch.Tensor, fps: float = 8.0) -> None:
        """Score more clips; `fps` belongs to the tensor form."""
        for clip in _clips(clips, fps) if isinstance(clips, torch.Tensor) else clips:
            (score,) = score_clip(MemorySource(clip), [self.metric]).scores
            self.expected += 1
            if score.value is not None:
                self.total += score.value
                self.scored += 1

    def compute(self) -> torch.Tensor:
        """Mean over the scored clips; NaN when there were none."""
        return self.total / self.scored


def _clips(frames_BTCHW: torch.Tensor, fps: float) -> Iterable[Clip]:
    if frames_BTCHW.dtype != torch.uint8 or frames_BTCHW.ndim != 5 or frames_BTCHW.shape[2] != 3:
        raise ValueError(f"frames must be uint8 B,T,3,H,W; got {frames_BTCHW.dtype} {tuple(frames_BTCHW.shape)}")
    for frames_TCHW in frames_BTCHW.detach().cpu().numpy():
        yield Clip(np.asarray(frames_TCHW, np.uint8), fps)
