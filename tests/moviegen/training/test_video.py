"""The video model's module: the loss, the rate, what decays, what a picture grid shows."""

from __future__ import annotations

import dataclasses

import torch

from moviegen.flow import interpolate, precondition
from moviegen.networks.open_text import OpenTextConfig
from moviegen.networks.video_model import VideoModel
from moviegen.presets import Preset, Recipe, tiny
from moviegen.training.samples import grid
from moviegen.training.video import LARGE_BATCH, VideoTraining, by_length, flow_loss, learning_rate, parameter_groups
from moviegen.training.video_data import VideoBatch
from moviegen.training.video_run import with_steps


def test_the_rate_warms_up_and_decays_to_zero() -> None:
    recipe = Recipe(steps=100, batch=1, learning_rate=1.0, warm_up=10)
    assert [learning_rate(recipe, step) for step in (0, 9, 10, 55, 100, 200)] == [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]
    shorter = with_steps(dataclasses.replace(tiny(), recipe=recipe), 30).recipe
    assert (shorter.steps, shorter.warm_up) == (30, 3)


def test_only_matrices_decay(preset: Preset) -> None:
    model = VideoModel(preset.transformer, preset.text)
    decayed, others = parameter_groups(model, 0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert len(decayed["params"]) + len(others["params"]) == len(names)
    kept = {names[id(parameter)] for parameter in others["params"]}
    assert {"transformer.positions_t", "text.semantic.tokens.weight", "transformer.patch_in.bias"} <= kept
    assert not any("qkv" in name for name in kept)
    assert others["weight_decay"] == 0


def test_the_loss_of_a_fresh_model_is_that_of_the_best_linear_guess(preset: Preset) -> None:
    """The fresh transformer adds nothing: the velocity is keep x_t, channel by channel."""
    model = VideoModel(preset.transformer, preset.text)
    data, noise = torch.randn(3, 16, 1, 4, 4), torch.randn(3, 16, 1, 4, 4)
    batch = VideoBatch(data, noise, torch.rand(3), ["a dog", "", "a cat"], 8.0)
    keep = precondition(batch.time_B, model.latent_std_C, 5).keep
    guess = keep * interpolate(data, noise, batch.time_B)
    expected = (guess - (data - (1 - 1e-5) * noise)).square().flatten(1).mean(1)
    torch.testing.assert_close(flow_loss(model, batch, batch.time_B), expected)


def test_a_large_batch_in_halves_is_the_same_loss(preset: Preset) -> None:
    model = VideoModel(preset.transformer, preset.text)
    torch.nn.init.normal_(model.transformer.patch_out.weight, std=0.1)
    shape = (LARGE_BATCH, 16, 1, 4, 4)
    prompts = ["a dog runs" * (row % 7) for row in range(LARGE_BATCH)]
    batch = VideoBatch(torch.randn(shape), torch.randn(shape), torch.rand(LARGE_BATCH), prompts, 8.0)
    halves = by_length(batch)
    assert [len(half.prompts) for half in halves] == [LARGE_BATCH // 2] * 2
    assert max(map(len, halves[0].prompts)) < max(map(len, halves[1].prompts))
    whole, parts = flow_loss(model, batch, batch.time_B), [flow_loss(model, half, half.time_B) for half in halves]
    torch.testing.assert_close(torch.cat(parts).sort().values, whole.sort().values)


def test_a_small_batch_stays_whole(preset: Preset) -> None:
    shape = (2, 16, 1, 4, 4)
    batch = VideoBatch(torch.randn(shape), torch.randn(shape), torch.rand(2), ["a dog", "a"], 8.0)
    assert by_length(batch) == [batch]


def test_the_average_begins_as_the_model_and_shares_its_encoders(preset: Preset) -> None:
    text = OpenTextConfig()
    encoders = torch.nn.Identity()
    module = VideoTraining(dataclasses.replace(preset, text=text), encoders)
    for name, tensor in module.model.state_dict().items():
        assert torch.equal(module.average.state_dict()[name], tensor)
    assert not any(parameter.requires_grad for parameter in module.average.parameters())
    assert encoders not in set(module.modules()), "frozen encoders are not saved with the model"


def test_both_models_take_the_deviations_of_the_latents(preset: Preset) -> None:
    module = VideoTraining(preset)
    spread_C = torch.linspace(0.5, 2, 16)
    module.set_latent_std(spread_C[:, None, None, None] * torch.randn(500, 16, 2, 2, 2))
    for model in (module.model, module.average):
        torch.testing.assert_close(model.latent_std_C, spread_C, rtol=0.05, atol=0)


def test_the_grid_shows_first_and_last_frames() -> None:
    frames_BCTHW = torch.linspace(-1, 1, 7)[None, None, :, None, None].expand(3, 3, 7, 2, 5)
    picture = grid(frames_BCTHW)
    assert picture.shape == (3, 4, 40)
    assert picture[0, 0, 0] == 0
    assert picture[0, 0, 19] == 255
    assert not picture[:, 2:, 20:].any()
