"""Clips of the Backlot for the autoencoder: what step k trains on is a function of k alone.

Shape legend: B clips, C channels, T frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from eval.errors import UserError
from moviegen.backlot import render, sample_scene

TRAINING_SEEDS = 1_000_000
"""Scenes below this seed may be trained on; the held-out ones begin here."""
CLIP_FRAMES = 32
IMAGE_EVERY = 4
"""Every fourth batch is of images: 1:3, as published."""


@dataclass(frozen=True, slots=True)
class TAEDataConfig:
    """What is trained and measured on.

    clips: training scenes, seeds 0 to clips - 1, each rendered once when it is first needed (0.4 MB in memory each at
    64 pixels). frames_per_batch: a batch is that many frames, as clips of one of `lengths` or as images.
    held_out: validation clips of 32 frames, seeds from 1,000,000.
    """

    clips: int = 1200
    size: int = 64
    frames_per_batch: int = 32
    image_batch: int = 16
    lengths: tuple[int, ...] = (16, 16, 16, 32)
    held_out: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.clips <= TRAINING_SEEDS:
            raise UserError(f"clips must be from 1 to {TRAINING_SEEDS}; got {self.clips}")
        if self.size % 8 or self.size < 8:
            raise UserError(f"size must be a multiple of 8; got {self.size}")
        if any(not 1 <= length <= CLIP_FRAMES for length in self.lengths) or not self.lengths:
            raise UserError(f"lengths must be from 1 to {CLIP_FRAMES} frames; got {self.lengths}")


def backlot_clip(seed: int, size: int, frames: int = CLIP_FRAMES) -> Tensor:
    """The frames of scene `seed`, uint8 C,T,H,W."""
    clip = render(sample_scene(seed), width=size, height=size, frames=frames, sound=False)
    return torch.from_numpy(np.ascontiguousarray(clip.frames_TCHW.swapaxes(0, 1)))


def to_unit(frames: Tensor) -> Tensor:
    """uint8 0..255 -> float in [-1, 1]."""
    return frames.float() / 127.5 - 1.0


def to_bytes(frames: Tensor) -> Tensor:
    """Float in [-1, 1] -> uint8 0..255, rounded."""
    return ((frames + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


@dataclass(slots=True)
class BacklotBatches:
    """batch(step) for any step, in any order: uint8 B,C,T,H,W. Rendered scenes stay in memory."""

    config: TAEDataConfig
    _clips: dict[int, Tensor] = field(default_factory=dict)

    def batch(self, step: int) -> Tensor:
        """Step -> clips of one length, or images (T = 1) every fourth step; half the batches are mirrored."""
        config = self.config
        draw = np.random.default_rng((config.seed, step))
        if step % IMAGE_EVERY == IMAGE_EVERY - 1:
            length, count = 1, config.image_batch
        else:
            length = int(draw.choice(config.lengths))
            count = max(1, config.frames_per_batch // length)
        seeds = draw.integers(config.clips, size=count)
        starts = draw.integers(CLIP_FRAMES - length + 1, size=count)
        parts = [self.clip(int(seed))[:, start : start + length] for seed, start in zip(seeds, starts, strict=True)]
        clips_BCTHW = torch.stack(parts)
        return clips_BCTHW.flip(-1) if draw.random() < 0.5 else clips_BCTHW

    def clip(self, seed: int) -> Tensor:
        """The whole of training scene `seed`: uint8 C,32,H,W."""
        if seed not in self._clips:
            self._clips[seed] = backlot_clip(seed, self.config.size)
        return self._clips[seed]


class _Steps(IterableDataset[Tensor]):
    """The batches from the trainer's present step on: a resumed run goes on with the batch the killed one was at."""

    def __init__(self, batches: BacklotBatches, first_step: Callable[[], int]) -> None:
        self._batches = batches
        self._first_step = first_step

    def __iter__(self) -> Iterator[Tensor]:
        step = self._first_step()
        while True:
            yield self._batches.batch(step)
            step += 1


class TAEData(pl.LightningDataModule):
    """Training batches without end, and the fixed held-out clips."""

    def __init__(self, config: TAEDataConfig) -> None:
        super().__init__()
        self.config = config
        self.batches = BacklotBatches(config)

    def train_dataloader(self) -> DataLoader[Tensor]:
        trainer = self.trainer
        assert trainer is not None
        return DataLoader(_Steps(self.batches, lambda: trainer.global_step), batch_size=None)

    def val_dataloader(self) -> DataLoader[Tensor]:
        clips = [clip[None] for clip in held_out_clips(self.config.held_out, self.config.size)]
        return DataLoader(clips, batch_size=None)  # type: ignore[arg-type]


@lru_cache(maxsize=4)
def held_out_clips(count: int, size: int) -> tuple[Tensor, ...]:
    """Clips no autoencoder here was trained on: uint8 C,32,H,W, seeds from 1,000,000."""
    return tuple(backlot_clip(TRAINING_SEEDS + k, size) for k in range(count))
