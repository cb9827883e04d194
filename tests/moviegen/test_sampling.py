"""Sampling through a model: guidance, schedules and progress, against the flow's own functions."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from moviegen.flow import linear_quadratic_schedule, sample
from moviegen.networks.text import SmallTextConfig
from moviegen.networks.transformer import TransformerConfig
from moviegen.networks.video_model import VideoModel
from moviegen.sampling import Sampler, SamplerError, sample_latents


def _model() -> VideoModel:
    torch.manual_seed(0)
    model = VideoModel(
        TransformerConfig(
            layers=1, width=16, feed_forward=16, heads=2, in_channels=8, out_channels=8, max_t=2, max_h=2, max_w=2
        ),
        SmallTextConfig(width=8, layers=1, heads=2, letter_width=8, bag_tokens=1, words=16),
    )
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def test_guided_velocities_are_two_passes_put_together() -> None:
    model, noise = _model(), torch.randn(2, 4, 2, 4, 4)
    prompts = ["a red dog", "a cat runs through a park"]
    with torch.no_grad():
        conditions = model.condition(prompts, 8), model.condition(["", ""], 8)

        def velocity(x: torch.Tensor, time_B: torch.Tensor) -> torch.Tensor:
            with_text, without = (model(x, time_B, condition) for condition in conditions)
            return without + 2.5 * (with_text - without)

        expected = sample(velocity, noise, linear_quadratic_schedule(6))
    found = sample_latents(model, prompts, 8, noise, Sampler(steps=6, guidance=2.5))
    torch.testing.assert_close(found, expected)


def test_without_guidance_the_empty_prompt_is_not_asked() -> None:
    model, noise = _model(), torch.randn(1, 4, 1, 2, 2)
    asked: list[int] = []
    model.transformer.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    plain = sample_latents(model, ["a dog"], 8, noise, Sampler(steps=3, guidance=1))
    assert asked == [1, 1, 1]
    nearly = sample_latents(model, ["a dog"], 8, noise, Sampler(steps=3, guidance=1 + 1e-9))
    torch.testing.assert_close(plain, nearly)


def test_every_step_is_reported_and_rows_are_independent() -> None:
    # float64: guidance magnifies what a processor rounds differently in batches of another size.
    model, noise = _model().double(), torch.randn(2, 4, 1, 2, 2, dtype=torch.float64)
    done: list[int] = []
    both = sample_latents(model, ["a dog", "a cat"], 8, noise, Sampler(steps=4, method="midpoint"), done.append)
    assert done == [1, 2, 3, 4]
    [alone] = sample_latents(model, ["a cat"], 8, noise[1:], Sampler(steps=4, method="midpoint"))
    torch.testing.assert_close(alone, both[1], atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"schedule": "cosine"}, "unknown schedule 'cosine': choose linear or linear-quadratic"),
        ({"method": "heun"}, "unknown method 'heun': choose euler or midpoint"),
        ({"steps": 0}, "sampling takes 1 to 1000 steps; 0 were asked for"),
        ({"steps": 10**9}, "1000000000 were asked for"),
        ({"guidance": float("nan")}, "guidance lies between 0 and 100"),
        ({"guidance": -1}, "-1 was asked for"),
    ],
)
def test_a_way_of_sampling_that_does_not_exist_is_one_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(SamplerError) as caught:
        Sampler(**wrong)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
