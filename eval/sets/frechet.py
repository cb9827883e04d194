"""Fréchet distance between two sets, each taken as a Gaussian: the form of FID and FVD.

    |µ₁-µ₂|² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁^½ Σ₂ Σ₁^½)^½

With Σ₁ = AAᵀ and Σ₂ = BBᵀ the last trace is the sum of the singular values of AᵀB. That needs no root of a
product of singular matrices (which gives complex numbers) and no ridge on the diagonal (which shifts the value), and
with fewer samples than dimensions it is the exact N x N form. Dowson and Landau (1982); Heusel et al. (2017),
arXiv:1706.08500.

Shape legend: N, M samples, D dimensions, R columns of a factor, E = D + 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eval.sets import moments
from eval.sets.validity import check_count, check_differ, check_sets

PURPOSE = "a Fréchet distance"
FEWEST = 2


@dataclass(frozen=True, slots=True)
class Gaussian:
    """mean_D, and factor_DR whose product with its transpose is the covariance; float64."""

    mean_D: torch.Tensor
    factor_DR: torch.Tensor


def gaussian_of_features(features_ND: torch.Tensor) -> Gaussian:
    """Without a D x D matrix: the factor is the centred samples themselves. Needs two samples."""
    features_ND = features_ND.to(torch.float64)
    mean_D = features_ND.mean(dim=0)
    return Gaussian(mean_D, (features_ND - mean_D).T / (len(features_ND) - 1) ** 0.5)


def gaussian_of_moments(moments_EE: torch.Tensor) -> Gaussian:
    """The factor has the rank of the covariance, which N - 1 bounds: eigenvalues that are rounding are left out.

    Kept, an eigenvalue of 1e-16 would enter the distance as its root, 1e-8, once for every missing rank.
    """
    value_R, vector_DR = torch.linalg.eigh(moments.covariance(moments_EE))
    rank = min(moments.count(moments_EE) - 1, len(value_R))
    value_R, vector_DR = value_R[-rank:], vector_DR[:, -rank:]
    kept_R = value_R > len(vector_DR) * torch.finfo(torch.float64).eps * value_R[-1]
    return Gaussian(moments.mean(moments_EE), vector_DR[:, kept_R] * value_R[kept_R].sqrt())


def distance(first: Gaussian, second: Gaussian) -> float:
    """Squared distance, in squared feature units; 0 for equal Gaussians, never below."""
    root = torch.linalg.svdvals(first.factor_DR.T @ second.factor_DR).sum()
    traces = first.factor_DR.square().sum() + second.factor_DR.square().sum()
    return max(0.0, float((first.mean_D - second.mean_D).square().sum() + traces - 2 * root))


def frechet_distance(real_ND: torch.Tensor, generated_MD: torch.Tensor) -> float:
    """Fréchet distance of two sets of features at hand; squared feature units, lower is closer.

    It grows as sets shrink, even between samples of one distribution: see frechet_limit.py before ranking.
    Raises UnmeasurableSet for fewer than two samples, copies of one clip, NaN, or different widths.
    """
    check_sets(real_ND, generated_MD, FEWEST, PURPOSE)
    return distance(*(_of_either(features_ND) for features_ND in (real_ND, generated_MD)))


def check_moments(moments_EE: torch.Tensor, which: str) -> None:
    """Refuse moments of fewer than two samples and of copies of one clip."""
    count = moments.count(moments_EE)
    check_count(count, FEWEST, which, PURPOSE)
    deviation = float(moments_EE[1:, 1:].trace()) / count
    check_differ(deviation, deviation + float(moments.mean(moments_EE).square().sum()), count, which)


def _of_either(features_ND: torch.Tensor) -> Gaussian:
    if len(features_ND) <= features_ND.shape[1]:
        return gaussian_of_features(features_ND)
    moments_EE = moments.no_moments(features_ND.shape[1]).to(features_ND.device)
    moments.absorb(moments_EE, features_ND)
    return gaussian_of_moments(moments_EE)
