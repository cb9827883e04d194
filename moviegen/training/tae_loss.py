"""What the autoencoder is trained to make small: pure functions, each a mean over its input.

No adversary and no pretrained network: sharpness comes from differences in time and from several scales in space, and
the squared error, which PSNR measures, keeps few large errors from being left for many small ones.
Shape legend: B clips, C channels, T frames, H height, W width; N frames in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SSIM_WINDOW = 7
SSIM_FRAMES = 4
"""Structural similarity looks at every fourth frame: it is the dearest term, and neighbours tell it the same."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term counts. A term of weight 0 is not computed."""

    reconstruction: float = 1.0
    squared: float = 10.0
    temporal: float = 0.5
    haar: float = 1.0
    ssim: float = 0.3
    outlier: float = 0.0
    outlier_radius: float = 3.0


def tae_loss(
    decoded_BCTHW: Tensor, frames_BCTHW: Tensor, latents_BCTHW: Tensor, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum, and every term that was computed, before its weight. Frames are in [-1, 1]."""
    error_BCTHW = decoded_BCTHW - frames_BCTHW
    terms = {"reconstruction": error_BCTHW.abs().mean()}
    if weights.squared:
        terms["squared"] = error_BCTHW.square().mean()
    if weights.temporal and error_BCTHW.shape[2] > 1:
        terms["temporal"] = temporal_difference_l1(error_BCTHW)
    if weights.haar:
        terms["haar"] = haar_l1(_in_a_row(error_BCTHW))
    if weights.ssim:
        decoded_NCHW, frames_NCHW = (_in_a_row(clips)[::SSIM_FRAMES] for clips in (decoded_BCTHW, frames_BCTHW))
        terms["ssim"] = 1.0 - ssim(decoded_NCHW, frames_NCHW, data_range=2.0, stride=2)
    if weights.outlier:
        terms["outlier"] = outlier_penalty(_in_a_row(latents_BCTHW), weights.outlier_radius)
    total = torch.stack([value * getattr(weights, name) for name, value in terms.items()]).sum()
    return total, terms


def _in_a_row(clips_BCTHW: Tensor) -> Tensor:
    return clips_BCTHW.transpose(1, 2).flatten(0, 1)


def temporal_difference_l1(error_BCTHW: Tensor) -> Tensor:
    """Mean |e[t+1] - e[t]|: what flickers or moves wrongly, wherever the picture is right on average."""
    return error_BCTHW.diff(dim=2).abs().mean()


def haar_l1(error_NCHW: Tensor, levels: int = 3) -> Tensor:
    """Mean absolute Haar detail of the error, averaged over levels; each level works on 2x2 means of the one before.

    Details of a 2x2 block a b / c d: (a+b-c-d)/4, (a-b+c-d)/4, (a-b-c+d)/4. Levels stop where a side would be odd.
    """
    means, details = error_NCHW, []
    for _ in range(levels):
        if means.shape[-1] % 2 or means.shape[-2] % 2:
            break
        a, b = means[..., ::2, ::2], means[..., ::2, 1::2]
        c, d = means[..., 1::2, ::2], means[..., 1::2, 1::2]
        top, bottom, left, right = a + b, c + d, a - b, c - d
        details.append(((top - bottom).abs() + (left + right).abs() + (left - right).abs()).mean() / 12)
        means = (top + bottom) / 4
    return torch.stack(details).mean() if details else error_NCHW.new_zeros(())


def ssim(a_NCHW: Tensor, b_NCHW: Tensor, *, data_range: float, stride: int = 1) -> Tensor:
    """Mean structural similarity over uniform 7x7 windows inside the picture, 1 for equal pictures.

    stride: of the windows.
    Wang et al. 2004 with K1 = 0.01, K2 = 0.03, sample covariances; agrees with scikit-image's default.
    """
    count = SSIM_WINDOW**2
    moments = torch.cat([a_NCHW, b_NCHW, a_NCHW * a_NCHW, b_NCHW * b_NCHW, a_NCHW * b_NCHW], dim=1)
    mean_a, mean_b, square_a, square_b, product = functional.avg_pool2d(moments, SSIM_WINDOW, stride=stride).chunk(
        5, dim=1
    )
    unbiased = count / (count - 1)
    variance_a = unbiased * (square_a - mean_a * mean_a)
    variance_b = unbiased * (square_b - mean_b * mean_b)
    covariance = unbiased * (product - mean_a * mean_b)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a * mean_a + mean_b * mean_b + c1)
    similarity: Tensor = luminance * (2 * covariance + c2) / (variance_a + variance_b + c2)
    return similarity.mean()


def outlier_penalty(latents_NCHW: Tensor, radius: float) -> Tensor:
    """Movie Gen's outlier penalty: mean over places of max(|X_ij - Mean(X)| - r |Std(X)|, 0), then over frames.

    Norms are over channels, Mean and Std over the places of one frame: it keeps one place from carrying the frame.
    """
    mean_N1C = latents_NCHW.mean(dim=(2, 3), keepdim=True)
    variance_N = (latents_NCHW - mean_N1C).square().mean(dim=(2, 3)).sum(dim=1)
    spread_N = (variance_N + 1e-12).sqrt()  # of a flat frame, too, the gradient is finite
    distance_NHW = torch.linalg.vector_norm(latents_NCHW - mean_N1C, dim=1)
    excess_NHW: Tensor = distance_NHW - radius * spread_N[:, None, None]
    return excess_NHW.clamp_min(0.0).mean()


def psnr_per_clip(decoded_BCTHW: Tensor, frames_BCTHW: Tensor, *, data_range: float) -> Tensor:
    """Peak signal-to-noise ratio in dB of each clip, from its mean squared error over all pixels."""
    error = (decoded_BCTHW - frames_BCTHW).square().flatten(1).mean(dim=1)
    return 10.0 * torch.log10(data_range**2 / error.clamp_min(1e-10))
