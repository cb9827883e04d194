import pytest
import torch
from torch import Tensor

from moviegen.networks.tae import LATENT_RMS, BlockCode, TAEConfig
from moviegen.training.tae_linear import linear_round_trip, start_from_components


def config(channels: int) -> TAEConfig:
    return TAEConfig("f8t4", widths=(24, 48, 48), latent_channels=channels)


def mixtures(patterns: int) -> Tensor:
    """Clips of one block each, mixed from a few patterns around 0."""
    torch.manual_seed(0)
    shapes = torch.rand(patterns, 3, 4, 8, 8) - 0.5
    return torch.einsum("bp,pcthw->bcthw", torch.randn(40, patterns) * 0.3, shapes)


def test_clips_of_few_components_come_back_whole_and_noise_does_not() -> None:
    clips = mixtures(3)
    torch.testing.assert_close(linear_round_trip(config(3), clips, clips), clips, atol=1e-4, rtol=0)
    noise = torch.rand(20, 3, 4, 8, 8) - 0.5
    errors = [float((linear_round_trip(config(k), noise, noise) - noise).square().mean()) for k in (1, 4, 16)]
    assert errors == sorted(errors, reverse=True)
    assert float((linear_round_trip(config(3), clips, noise) - noise).square().mean()) > 0.05


def test_the_code_starts_with_channels_from_coarse_to_fine_at_the_size_that_the_noise_expects() -> None:
    clips = mixtures(3)
    code = BlockCode(config(3)).requires_grad_(False)
    start_from_components(code, clips)
    latents_NC = code.encode(clips.transpose(1, 2).flatten(0, 1), 4)[:, :, 0, 0]
    torch.testing.assert_close(latents_NC.mean(dim=0), torch.zeros(3), atol=1e-5, rtol=0)
    assert float(latents_NC.square().mean().sqrt()) == pytest.approx(LATENT_RMS, rel=1e-3)
    spread = latents_NC.std(dim=0).tolist()
    assert spread == sorted(spread, reverse=True)
    assert torch.corrcoef(latents_NC.T).fill_diagonal_(0).abs().max() < 1e-3
