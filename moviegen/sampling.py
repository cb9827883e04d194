"""Latents of new clips: noise carried to data by a video model, guided by the prompts.

Shape legend: B clips, C channels, T H W latents in time, height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from eval.errors import UserError
from moviegen.flow import Method, ScheduleName, guided, schedule, trajectory
from moviegen.networks.video_model import VideoModel

MOST_STEPS = 1000
"""Movie Gen's own finest schedule (arXiv 2410.13720, section 3.4.2)."""
MOST_GUIDANCE = 100.0


class SamplerError(UserError):
    """A way of sampling that does not exist."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """How noise becomes a clip. guidance: scale of classifier-free guidance, 1 for none.

    Raises SamplerError, with what there is, for an unknown schedule or method, or numbers out of range.
    """

    steps: int = 25
    schedule: ScheduleName = "linear-quadratic"
    method: Method = "euler"
    guidance: float = 5.0

    def __post_init__(self) -> None:
        for what, value, known in (
            ("schedule", self.schedule, get_args(ScheduleName)),
            ("method", self.method, get_args(Method)),
        ):
            if value not in known:
                raise SamplerError(f"unknown {what} '{value}': choose {' or '.join(known)}")
        if not 1 <= self.steps <= MOST_STEPS:
            raise SamplerError(f"sampling takes 1 to {MOST_STEPS} steps; {self.steps} were asked for")
        if not 0 <= self.guidance <= MOST_GUIDANCE:
            raise SamplerError(
                f"guidance lies between 0 and {MOST_GUIDANCE:g} (1 is none); {self.guidance:g} was asked for"
            )


@torch.inference_mode()
def sample_latents(
    model: VideoModel,
    prompts: Sequence[str],
    fps: float,
    noise_BCTHW: Tensor,
    sampler: Sampler | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Latents (B, C, T, H, W) for the prompts, from the noise given. on_step: called with the number of steps done.

    Conditional and unconditional velocities come from one batch of twice the size, padded to the same text length.
    """
    sampler = sampler or Sampler()
    times = schedule(sampler.schedule, sampler.steps)
    if sampler.guidance == 1:
        condition = model.condition(prompts, fps)

        def velocity(x: Tensor, time_B: Tensor) -> Tensor:
            return model(x, time_B, condition)  # type: ignore[no-any-return]
    else:
        both = model.condition([*prompts, *[""] * len(prompts)], fps)

        def velocity(x: Tensor, time_B: Tensor) -> Tensor:
            with_text, without = model(torch.cat([x, x]), torch.cat([time_B, time_B]), both).chunk(2)
            return guided(with_text, without, sampler.guidance)

    latents_BCTHW = noise_BCTHW
    for done, state in enumerate(trajectory(velocity, noise_BCTHW, times, sampler.method), start=1):
        latents_BCTHW = state
        on_step(done)
    return latents_BCTHW
