"""A video preset, an autoencoder and a latent cache small enough to train in tests.

Shape legend: B batch, C channels, T H W frames or latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from moviegen.networks.text import SmallTextConfig
from moviegen.networks.transformer import TransformerConfig
from moviegen.presets import F8T4, Bucket, Preset, Recipe
from moviegen.training.latent_cache import Autoencoder, make_cache


class MeansOfBlocks:
    """Means of 8x8 pixels and 4 frames, in 3 of 16 channels; back by repetition."""

    def encode(self, frames_BCTHW: Tensor) -> Tensor:
        missing = -frames_BCTHW.shape[2] % 4
        whole_BCTHW = torch.cat([frames_BCTHW, frames_BCTHW[:, :, -1:].repeat(1, 1, missing, 1, 1)], dim=2)
        return functional.pad(functional.avg_pool3d(whole_BCTHW, (4, 8, 8)), (0, 0, 0, 0, 0, 0, 0, 13))

    def decode(self, latents_BCTHW: Tensor, frames: int | None = None) -> Tensor:
        big = latents_BCTHW[:, :3].repeat_interleave(4, 2).repeat_interleave(8, 3).repeat_interleave(8, 4)
        return big[:, :, :frames].clamp(-1, 1)


@pytest.fixture(scope="session")
def autoencoder() -> Autoencoder:
    return MeansOfBlocks()


@pytest.fixture(scope="session")
def preset() -> Preset:
    model = TransformerConfig(
        layers=2, width=32, feed_forward=64, heads=2, in_channels=32, out_channels=32, max_t=4, max_h=4, max_w=4
    )
    return Preset(
        "test",
        replace(F8T4, channels=16),
        model,
        SmallTextConfig(width=16, layers=1, heads=2, letter_width=8, bag_tokens=2, words=64),
        (Bucket(8, 32, 32, 8.0, 0.7), Bucket(4, 48, 16, 8.0, 0.1), Bucket(1, 32, 32, 8.0, 0.2)),
        Recipe(steps=60, batch=8, learning_rate=2e-3, warm_up=5),
    )


@pytest.fixture(scope="session")
def cache(preset: Preset, autoencoder: Autoencoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished cache of 40 training clips."""
    folder = tmp_path_factory.mktemp("cache")
    make_cache(preset, autoencoder, "fake", folder, 40)
    return folder


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small networks on busy cores: threads that wait for each other are 20 times slower than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
