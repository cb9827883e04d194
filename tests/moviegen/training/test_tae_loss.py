import pytest
import torch

from moviegen.training.tae_loss import (
    LossWeights,
    haar_l1,
    outlier_penalty,
    psnr_per_clip,
    ssim,
    tae_loss,
    temporal_difference_l1,
)


def test_outlier_penalty_of_a_known_picture() -> None:
    """One place of 16 at 4 in one of two channels: mean 1/4, deviation sqrt(15)/4 there, 0 in the other channel."""
    latents = torch.zeros(1, 2, 4, 4)
    latents[0, 0, 1, 2] = 4.0
    deviation = 15**0.5 / 4
    assert outlier_penalty(latents, 3.0) == pytest.approx((3.75 - 3 * deviation) / 16, abs=1e-6)
    assert outlier_penalty(latents, 4.0) == 0.0


def test_outlier_penalty_agrees_with_the_formula_in_loops() -> None:
    torch.manual_seed(0)
    latents = torch.randn(3, 4, 5, 6)
    total = 0.0
    for frame in latents:
        mean, std = frame.mean(dim=(1, 2)), frame.std(dim=(1, 2), correction=0)
        for i in range(5):
            for j in range(6):
                total += max(float((frame[:, i, j] - mean).norm() - 0.9 * std.norm()), 0.0) / 30
    assert outlier_penalty(latents, 0.9) == pytest.approx(total / 3, rel=1e-5)


def test_outlier_penalty_pulls_an_outlier_in_and_is_finite_on_a_flat_frame() -> None:
    latents = torch.zeros(1, 2, 8, 8)
    latents[0, 0, 3, 3] = 5.0
    latents.requires_grad_()
    outlier_penalty(latents, 3.0).backward()
    assert latents.grad is not None
    assert latents.grad[0, 0, 3, 3] > 0
    assert outlier_penalty(torch.ones(1, 2, 8, 8), 3.0) == 0.0
    flat = torch.ones(1, 2, 8, 8, requires_grad=True)
    outlier_penalty(flat, 3.0).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


def test_temporal_difference_sees_flicker_and_not_a_constant_error() -> None:
    error = torch.zeros(1, 3, 4, 2, 2)
    assert temporal_difference_l1(error + 0.3) == 0.0
    error[:, :, 1::2] = 0.5
    assert temporal_difference_l1(error) == pytest.approx(0.5)


def test_haar_of_known_errors() -> None:
    assert haar_l1(torch.ones(1, 3, 8, 8)) == 0.0
    stripes = torch.ones(1, 1, 8, 8)
    stripes[..., 1::2] = -1.0
    # At the first level one detail of three is (1+1+1+1)/4 = 1, coarser levels are flat: (1/3 + 0 + 0)/3.
    assert haar_l1(stripes) == pytest.approx(1 / 9)
    blocks = torch.ones(1, 1, 8, 8)
    blocks[..., 4:] = -1.0
    assert haar_l1(blocks, levels=2) == 0.0
    assert haar_l1(blocks, levels=3) == pytest.approx(1 / 9)
    assert haar_l1(torch.ones(1, 1, 7, 7)) == 0.0


def test_ssim_of_known_pictures() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 16, 16)
    assert ssim(picture, picture, data_range=1.0) == pytest.approx(1.0, abs=1e-5)
    assert ssim(picture, 1 - picture, data_range=1.0) < 0
    flat_a, flat_b = torch.full((1, 1, 8, 8), 0.5), torch.full((1, 1, 8, 8), 0.6)
    assert ssim(flat_a, flat_b, data_range=1.0) == pytest.approx((2 * 0.3 + 1e-4) / (0.25 + 0.36 + 1e-4), abs=1e-3)
    worse = [float(ssim(picture, picture + s * torch.randn_like(picture), data_range=1.0)) for s in (0.02, 0.1, 0.4)]
    assert worse == sorted(worse, reverse=True)


def test_ssim_agrees_with_the_formula_over_windows() -> None:
    torch.manual_seed(0)
    a, b = torch.rand(9, 9), torch.rand(9, 9)
    values = []
    for i in range(3):
        for j in range(3):
            x, y = a[i : i + 7, j : j + 7].flatten(), b[i : i + 7, j : j + 7].flatten()
            covariance = torch.cov(torch.stack([x, y]))
            top = (2 * x.mean() * y.mean() + 1e-4) * (2 * covariance[0, 1] + 9e-4)
            bottom = (x.mean() ** 2 + y.mean() ** 2 + 1e-4) * (covariance[0, 0] + covariance[1, 1] + 9e-4)
            values.append(float(top / bottom))
    found = float(ssim(a[None, None], b[None, None], data_range=1.0))
    assert found == pytest.approx(sum(values) / 9, abs=1e-5)


def test_psnr_of_a_known_error() -> None:
    clips = torch.zeros(2, 3, 4, 8, 8)
    off = torch.stack([clips[0] + 25.5, clips[1] + 2.55])
    assert psnr_per_clip(off, clips, data_range=255.0).tolist() == pytest.approx([20.0, 40.0], abs=1e-3)


def test_the_loss_is_the_weighted_sum_of_its_terms_and_zero_when_all_is_right() -> None:
    torch.manual_seed(0)
    clips, decoded, latents = torch.rand(2, 3, 8, 16, 16), torch.rand(2, 3, 8, 16, 16), torch.randn(2, 16, 2, 2, 2)
    weights = LossWeights(outlier=2.0, outlier_radius=0.5)
    total, terms = tae_loss(decoded, clips, latents, weights)
    assert set(terms) == {"reconstruction", "squared", "temporal", "haar", "ssim", "outlier"}
    assert total == pytest.approx(sum(float(value) * getattr(weights, name) for name, value in terms.items()), rel=1e-5)
    assert tae_loss(clips, clips, latents, LossWeights())[0] == pytest.approx(0.0, abs=1e-5)
    assert "temporal" not in tae_loss(decoded[:, :, :1], clips[:, :, :1], latents, weights)[1]
    plain = LossWeights(squared=0, temporal=0, haar=0, ssim=0)
    assert set(tae_loss(decoded, clips, latents, plain)[1]) == {"reconstruction"}
