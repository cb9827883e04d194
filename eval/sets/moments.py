"""Count, mean and scatter of feature vectors: streamed in float64, merged exactly, of a size that N does not change.

One tensor holds all three, so that processes synchronise them together: means cannot be merged without their counts.
Row 0 is the count and the mean, the rest of column 0 is unused, and the D x D block is the scatter, Σ (x-µ)(x-µ)ᵀ.

Shape legend: N samples, D dimensions, E = D + 1, K sets of moments to merge.
"""

from __future__ import annotations

import torch


def no_moments(dimensions: int) -> torch.Tensor:
    """moments_EE of no samples."""
    return torch.zeros((dimensions + 1, dimensions + 1), dtype=torch.float64)


def absorb(moments_EE: torch.Tensor, features_ND: torch.Tensor) -> None:
    """Add samples to the moments, in place: Chan, Golub and LeVeque (1979), "Updating formulae", eq. 2.1."""
    features_ND = features_ND.to(torch.float64)
    mean_D = features_ND.mean(dim=0)
    before, added = moments_EE[0, 0].clone(), len(features_ND)
    shift_D = mean_D - moments_EE[0, 1:]
    lever = torch.sqrt(before * added / (before + added))
    rows_ND = torch.cat([features_ND - mean_D, (lever * shift_D)[None]])  # one pass over the D x D block, not two
    moments_EE[1:, 1:].addmm_(rows_ND.T, rows_ND)
    moments_EE[0, 1:] += shift_D * (added / (before + added))
    moments_EE[0, 0] += added


def merged(moments_KEE: torch.Tensor) -> torch.Tensor:
    """moments_EE of all samples together; moments of no samples change nothing."""
    count_K, mean_KD = moments_KEE[:, 0, 0], moments_KEE[:, 0, 1:]
    total = count_K.sum()
    base_D = mean_KD[count_K.argmax()]  # differences from a mean near all the others lose no digits
    mean_D = base_D + (count_K / total.clamp(min=1)) @ (mean_KD - base_D)
    levers_KD = count_K.sqrt()[:, None] * (mean_KD - mean_D)
    result_EE = moments_KEE.sum(dim=0)
    result_EE[0, 1:] = mean_D
    result_EE[1:, 1:].addmm_(levers_KD.T, levers_KD)
    return result_EE


def count(moments_EE: torch.Tensor) -> int:
    return int(moments_EE[0, 0])


def mean(moments_EE: torch.Tensor) -> torch.Tensor:
    """mean_D."""
    return moments_EE[0, 1:]


def covariance(moments_EE: torch.Tensor) -> torch.Tensor:
    """Unbiased covariance_DD, divided by N - 1; needs two samples."""
    return moments_EE[1:, 1:] / (moments_EE[0, 0] - 1)
