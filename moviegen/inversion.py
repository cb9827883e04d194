"""Data carried back to the noise it came from: the sampler's ordinary differential equation, run the other way.

Shape legend: B clips, C channels, T H W latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from moviegen.flow import ScheduleName, Velocity, guided, schedule
from moviegen.networks.video_model import VideoModel


@dataclass(frozen=True, slots=True)
class Inversion:
    """How a clip is carried back. guidance: 1 for none; corrections: see `invert`.

    Few even steps do for reading marks after a codec, whose losses are larger than Euler's
    (`python -m benchmarks.latent_mark_figures figures --steps N` compares).
    """

    steps: int = 4
    schedule: ScheduleName = "linear"
    guidance: float = 1.0
    corrections: int = 0


def invert(velocity: Velocity, data: Tensor, times: Tensor, corrections: int = 0) -> Tensor:
    """The noise that Euler's method along `times` (ascending, 0 to 1) carries to `data`, approximately.

    A step of the sampler is y = x + h v(x, t). Its inverse is the fixed point of x = y - h v(x, t), found from
    x = y - h v(y, t + h) by `corrections` iterations: with none it is Euler's method backwards, of error O(h); with
    enough, exact for that sampler where h v is a contraction.
    """
    x = data
    ascending = times.tolist()
    for start, end in zip(ascending[-2::-1], ascending[:0:-1], strict=True):
        h = end - start
        y = x
        x = y - h * velocity(y, _everywhere(end, y))
        for _ in range(corrections):
            x = y - h * velocity(x, _everywhere(start, x))
    return x


@torch.inference_mode()
def invert_latents(
    model: VideoModel, prompts: Sequence[str], fps: float, latents_BCTHW: Tensor, inversion: Inversion | None = None
) -> Tensor:
    """The noise of latents, (B, C, T, H, W). prompts: one for each clip, "" where it is not known."""
    inversion = inversion or Inversion()
    scale = inversion.guidance
    if scale == 1:
        condition = model.condition(prompts, fps)

        def velocity(x: Tensor, time_B: Tensor) -> Tensor:
            return model(x, time_B, condition)  # type: ignore[no-any-return]
    else:
        both = model.condition([*prompts, *[""] * len(prompts)], fps)

        def velocity(x: Tensor, time_B: Tensor) -> Tensor:
            with_text, without = model(torch.cat([x, x]), torch.cat([time_B, time_B]), both).chunk(2)
            return guided(with_text, without, scale)

    times = schedule(inversion.schedule, inversion.steps)
    return invert(velocity, latents_BCTHW, times, inversion.corrections)


def _everywhere(time: float, x: Tensor) -> Tensor:
    return torch.full((x.shape[0],), time, dtype=x.dtype, device=x.device)
