"""Per-clip metrics as torchmetrics.Metric."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import score_clip
from eval.registry import UnknownName
from eval.torch_metric import ClipMetric

NAME = "temporal_flickering"


def frames(seed: int, count: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 3, 24, 32), dtype=np.uint8))


def alone(frames_TCHW: torch.Tensor) -> float:
    (score,) = score_clip(MemorySource(Clip(frames_TCHW.numpy(), 8.0)), [METRICS.get(NAME)]).scores
    assert score.value is not None
    return score.value


def test_mean_over_clips_equals_scoring_each_alone() -> None:
    clips = [frames(1), frames(2), frames(3)]
    metric = ClipMetric(NAME)
    metric.update(torch.stack(clips[:2]), fps=8.0)
    metric.update([Clip(clips[2].numpy(), 8.0)])
    assert metric.compute().item() == pytest.approx(np.mean([alone(c) for c in clips]), abs=1e-12)
    assert (metric.scored.item(), metric.expected.item()) == (3, 3)


def test_two_processes_merge_to_the_same_mean() -> None:
    """What torchmetrics does when processes synchronise: states are summed."""
    left, right, both = ClipMetric(NAME), ClipMetric(NAME), ClipMetric(NAME)
    left.update(frames(1)[None])
    right.update(torch.stack([frames(2), frames(3)]))
    both.update(torch.stack([frames(1), frames(2), frames(3)]))
    left.total, left.scored = left.total + right.total, left.scored + right.scored
    assert left.compute().item() == pytest.approx(both.compute().item(), abs=1e-12)


def test_an_unmeasurable_clip_is_counted_but_not_averaged() -> None:
    metric = ClipMetric(NAME)
    metric.update(frames(1, count=1)[None])
    assert math.isnan(metric.compute().item())
    metric.update(frames(2)[None])
    assert metric.compute().item() == pytest.approx(alone(frames(2)))
    assert (metric.scored.item(), metric.expected.item()) == (1, 2)


def test_reset_pickle_and_direction() -> None:
    metric = ClipMetric(NAME)
    metric.update(frames(1)[None])
    copy = pickle.loads(pickle.dumps(metric))
    assert copy.compute() == metric.compute()
    metric.reset()
    assert metric.expected.item() == 0
    assert metric.higher_is_better is None, "band: more is not better"


def test_wrong_input_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'temporal_flickering'"):
        ClipMetric("temporal_flicker")
    with pytest.raises(ValueError, match="uint8 B,T,3,H,W"):
        ClipMetric(NAME).update(torch.zeros(1, 4, 3, 8, 8))


def test_it_logs_from_a_lightning_loop() -> None:
    import pytorch_lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.flicker = ClipMetric(NAME)

        def validation_step(self, frames_BTCHW: torch.Tensor, _index: int) -> None:
            self.flicker.update(frames_BTCHW, fps=8.0)
            self.log("flicker", self.flicker)

    batches = [torch.stack([frames(1), frames(2)]), frames(3)[None]]
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False)
    (logged,) = trainer.validate(Module(), torch.utils.data.DataLoader(batches, batch_size=None), verbose=False)
    assert logged["flicker"] == pytest.approx(np.mean([alone(frames(n)) for n in (1, 2, 3)]))
