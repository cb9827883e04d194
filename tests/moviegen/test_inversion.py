"""Flow inverted: exact on fields with known solutions, of the order it claims, and the sampler's own undone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from moviegen.flow import Velocity, linear_quadratic_schedule, linear_schedule, sample
from moviegen.inversion import Inversion, invert, invert_latents
from moviegen.networks.video_model import VideoModel
from moviegen.presets import tiny
from moviegen.sampling import Sampler, sample_latents


def swirl(x: Tensor, time_B: Tensor) -> Tensor:
    """A smooth field that is neither linear nor constant in time."""
    return torch.sin(2 * x) + time_B[:, None] * x.roll(1, dims=1)


def noise(count: int = 4, size: int = 6) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def error(steps: int, corrections: int, velocity: Velocity = swirl) -> float:
    times = linear_schedule(steps)
    start = noise()
    return float((invert(velocity, sample(velocity, start, times), times, corrections) - start).abs().max())


def test_a_constant_field_is_undone_exactly() -> None:
    def constant(x: Tensor, _time_B: Tensor) -> Tensor:
        return torch.full_like(x, 3.0)

    assert error(3, 0, constant) < 1e-12


def test_without_corrections_the_error_falls_with_the_step() -> None:
    assert 1.6 < error(40, 0) / error(80, 0) < 2.4


def test_corrections_undo_the_sampler_itself() -> None:
    errors = [error(25, corrections) for corrections in (0, 2, 4, 30)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-10


def test_the_schedule_of_the_sampler_is_followed_backwards() -> None:
    times = linear_quadratic_schedule(10)
    seen: list[float] = []

    def clock(x: Tensor, time_B: Tensor) -> Tensor:
        seen.append(float(time_B[0]))
        return torch.zeros_like(x)

    invert(clock, noise(), times)
    assert seen == times.flip(0)[:-1].tolist()


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_a_model_s_samples_go_back_to_their_noise(guidance: float) -> None:
    preset = tiny()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VideoModel(preset.transformer, preset.text).eval()
    start = torch.randn(2, preset.latent_channels, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    prompts = ["a dog", "a red ball"]
    made = sample_latents(model, prompts, 8.0, start, Sampler(steps=4, schedule="linear", guidance=guidance))
    found = invert_latents(model, prompts, 8.0, made, Inversion(4, "linear", guidance, corrections=20))
    assert float((found - start).abs().max()) < 1e-3
    rough = invert_latents(model, prompts, 8.0, made, Inversion(4, "linear", guidance))
    assert float((rough - start).abs().max()) > 1e-2
