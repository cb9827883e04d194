"""A picture grid of samples while training: watch the samples, not only the loss.

Shape legend: B clips, C channels, T H W frames or latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch import Tensor

from moviegen.networks.video_model import VideoModel
from moviegen.presets import Preset
from moviegen.sampling import Sampler, sample_latents
from moviegen.training.latent_cache import Autoencoder
from moviegen.training.pictures import write_png

_SHOWN = 4
_SEED = 7


class SampleGrid(pl.Callback):
    """After each validation: a row of four frames for each prompt, always from the same noise, as PNG.

    Rows follow `prompts`, which are written beside the pictures once.
    """

    def __init__(self, preset: Preset, autoencoder: Autoencoder, prompts: Sequence[str], folder: Path) -> None:
        self._preset, self._autoencoder, self._prompts, self._folder = preset, autoencoder, list(prompts), folder

    @torch.inference_mode()
    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        average = pl_module.average
        assert isinstance(average, VideoModel)
        latents_BCTHW = sample_fixed(average, self._preset, self._prompts)  # by all processes together
        if not trainer.is_global_zero:
            return
        frames_BCTHW = self._autoencoder.decode(latents_BCTHW, self._preset.form.frames).cpu()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "prompts.txt").write_text("\n".join(self._prompts) + "\n")
        write_png(grid(frames_BCTHW), self._folder / f"step-{trainer.global_step:06d}.png")


def sample_fixed(model: VideoModel, preset: Preset, prompts: Sequence[str]) -> Tensor:
    """Latents (B, C, T, H, W) for the prompts in the preset's form, from fixed noise."""
    form = preset.form
    size = (preset.latent_channels, *preset.latent_size(form.frames, form.height, form.width))
    noise_BCTHW = torch.randn(len(prompts), *size, generator=torch.Generator().manual_seed(_SEED))
    device = next(model.parameters()).device
    return sample_latents(model, prompts, form.fps, noise_BCTHW.to(device), Sampler())


def grid(frames_BCTHW: Tensor) -> Tensor:
    """A row of four evenly spaced frames for each clip, two clips side by side: uint8 (3, H', W')."""
    length = frames_BCTHW.shape[2]
    times = [round(k * (length - 1) / (_SHOWN - 1)) for k in range(_SHOWN)]
    bytes_BCTHW = ((frames_BCTHW[:, :, times] + 1) * 127.5).round().clamp(0, 255).byte()
    strips_BCHW = bytes_BCTHW.permute(0, 1, 3, 2, 4).flatten(3)
    if len(strips_BCHW) % 2:
        strips_BCHW = torch.cat([strips_BCHW, torch.zeros_like(strips_BCHW[:1])])
    left, right = strips_BCHW[::2], strips_BCHW[1::2]
    return torch.cat([left, right], dim=3).permute(1, 0, 2, 3).flatten(1, 2)
