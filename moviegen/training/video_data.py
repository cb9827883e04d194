"""Batches for the video model: latents, noise, times and prompts of a step, all a pure function of the step.

Shape legend: B batch, C latent channels, T H W latents in time, height and width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

from moviegen.flow import logit_normal_times
from moviegen.presets import Preset
from moviegen.training.latent_cache import CachedClips, read_cache
from moviegen.training.mixture import STYLES, Split, weighted
from moviegen.training.step_order import StepOrder, generator

VALIDATION_SPLITS: tuple[Split, ...] = ("seen", "novel")
STATISTICS_CLIPS = 1000
"""Training clips over which the latents' deviations are measured."""
_VALIDATION_SEED = 20_241_013


class VideoBatch(NamedTuple):
    """What a step needs. prompts: '' where the text is dropped. time_B: 0 is noise."""

    latents_BCTHW: Tensor
    noise_BCTHW: Tensor
    time_B: Tensor
    prompts: list[str]
    fps: float


@dataclass(frozen=True, slots=True)
class Part:
    """Which of the rows of each batch this process works on: every `count`-th, from `first`."""

    first: int = 0
    count: int = 1

    def of(self, batch: VideoBatch) -> VideoBatch:
        """Those rows of a batch."""
        rows = slice(self.first, None, self.count)
        latents_BCTHW, noise_BCTHW, time_B, prompts, fps = batch
        return VideoBatch(latents_BCTHW[rows], noise_BCTHW[rows], time_B[rows], prompts[rows], fps)


def training_batch(preset: Preset, clips: Sequence[CachedClips], order: StepOrder, seed: int, step: int) -> VideoBatch:
    """The batch of a step: clips of one bucket, fresh noise, stratified times, prompts in mixed phrasings."""
    bucket, rows = order(step)
    chance = generator(seed, step)
    latents_BCTHW = clips[bucket].latents_NCTHW[rows].float()
    noise_BCTHW = torch.randn(latents_BCTHW.shape, generator=chance)
    time_B = logit_normal_times(len(rows), chance)
    style_B = torch.rand(len(rows), generator=chance).tolist()
    drop_B = torch.rand(len(rows), generator=chance) < preset.recipe.text_drop
    prompts = []
    for row, style, drop in zip(rows, style_B, drop_B.tolist(), strict=True):
        text = clips[bucket].captions[row][list(STYLES).index(weighted(style, STYLES))]
        prompts.append("" if drop else misspelt(text, preset.recipe.misspelt, chance))
    return VideoBatch(latents_BCTHW, noise_BCTHW, time_B, prompts, clips[bucket].bucket.fps)


def misspelt(text: str, share: float, chance: torch.Generator) -> str:
    """The text with a letter gone from a `share` of its words: 'A dog rns through a park.'"""
    words = text.split(" ")
    for k in (torch.rand(len(words), generator=chance) < share).nonzero()[:, 0].tolist():
        gone = int(torch.randint(len(words[k]), (), generator=chance))
        words[k] = words[k][:gone] + words[k][gone + 1 :]
    return " ".join(words)


class _Steps(IterableDataset[VideoBatch]):
    """The batches from a step on, without end. Several workers take turns, and each makes those of its turns."""

    def __init__(self, preset: Preset, clips: Sequence[CachedClips], seed: int, first: int, part: Part) -> None:
        shares = [preset.step_shares()[entry.bucket] for entry in clips]
        batches = [preset.batch(entry.bucket) for entry in clips]
        self._order = StepOrder(shares, [len(entry.captions) for entry in clips], batches, seed)
        self._preset, self._clips, self._seed, self._first, self._part = preset, clips, seed, first, part

    def __iter__(self) -> Iterator[VideoBatch]:
        worker = get_worker_info()
        turn, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for step in count(self._first + turn, workers):
            yield self._part.of(training_batch(self._preset, self._clips, self._order, self._seed, step))


class _Fixed(Dataset[VideoBatch]):
    """Validation batches: fixed clips with their plain captions and fixed noise; times are the module's."""

    def __init__(self, clips: CachedClips, batch: int) -> None:
        self._clips, self._batch = clips, batch

    def __len__(self) -> int:
        return math.ceil(len(self._clips.captions) / self._batch)

    def __getitem__(self, index: int) -> VideoBatch:
        rows = slice(index * self._batch, (index + 1) * self._batch)
        latents_BCTHW = self._clips.latents_NCTHW[rows].float()
        noise_BCTHW = torch.randn(latents_BCTHW.shape, generator=generator(_VALIDATION_SEED, index))
        prompts = [texts[0] for texts in self._clips.captions[rows]]
        return VideoBatch(latents_BCTHW, noise_BCTHW, torch.zeros(len(prompts)), prompts, self._clips.bucket.fps)


class VideoData(pl.LightningDataModule):
    """Cached clips as training batches that begin at the trainer's step, and two validation sets: seen and novel.

    workers: processes that make batches ahead, so that a GPU need not wait for the noise; they change no batch.
    """

    def __init__(self, preset: Preset, cache: Path, autoencoder_id: str, seed: int = 0, workers: int = 0) -> None:
        super().__init__()
        self._preset, self._seed, self._workers = preset, seed, workers
        self._clips = read_cache(preset, autoencoder_id, cache, "train")
        self._validation = [read_cache(preset, autoencoder_id, cache, split)[0] for split in VALIDATION_SPLITS]

    def prompts(self, split: int, count: int) -> list[str]:
        """The first plain captions of validation split 0 (seen) or 1 (novel)."""
        return [texts[0] for texts in self._validation[split].captions[:count]]

    def latents_of_form(self) -> Tensor:
        """Latents (N, C, T, H, W) of up to a thousand training clips of the form that is generated."""
        return next(c.latents_NCTHW for c in self._clips if c.bucket == self._preset.form)[:STATISTICS_CLIPS]

    def train_dataloader(self) -> DataLoader[VideoBatch]:
        first, part = 0, Part()
        if self.trainer is not None:
            first, groups = self.trainer.global_step, self.trainer.distributed_sampler_kwargs
            part = Part(groups["rank"], groups["num_replicas"]) if groups else part
        return DataLoader(
            _Steps(self._preset, self._clips, self._seed, first, part),
            batch_size=None,
            num_workers=self._workers,
            multiprocessing_context="fork" if self._workers else None,  # the clips are not copied
            pin_memory=self._workers > 0 and torch.cuda.is_available(),
        )

    def val_dataloader(self) -> list[DataLoader[VideoBatch]]:
        batch = min(32, self._preset.recipe.batch)
        return [DataLoader(_Fixed(clips, batch), batch_size=None) for clips in self._validation]
