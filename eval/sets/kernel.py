"""Kernel distance (KID): squared maximum mean discrepancy with a cubic kernel, unbiased at every sample size.

    k(x, y) = (x·y / D + 1)³,  MMD² = mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over pairs of different samples

It can be below zero: that is what unbiased means where the truth is near zero. Not scaled by 100 or 1000.
Bińkowski et al. (2018), arXiv:1801.01401; Gretton et al. (2012), lemma 6.

Shape legend: N, M samples, D dimensions, G groups of samples, P samples of a block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from eval.sets.estimate import Floats, Jackknife, jackknife
from eval.sets.validity import check_sets

PURPOSE = "a kernel distance"
FEWEST = 2
BLOCK = 2048
"""Samples of a block: 2048² float64 are 32 MB, whatever N."""


@dataclass(frozen=True, slots=True)
class KernelSums:
    """Kernel values summed over pairs, by the groups of both partners (…_GG), without any sample's pair with itself."""

    real_GG: Floats
    generated_GG: Floats
    across_GG: Floats
    real_G: Floats
    generated_G: Floats

    def distance(self, kept_G: npt.NDArray[np.bool_] | None = None) -> float:
        """MMD² of the samples in the kept groups; NaN with fewer than two in either set."""
        on = np.ones(len(self.real_G), np.bool_) if kept_G is None else kept_G
        n, m = self.real_G[on].sum(), self.generated_G[on].sum()
        if n < FEWEST or m < FEWEST:
            return float("nan")
        square = np.ix_(on, on)
        within = self.real_GG[square].sum() / (n * (n - 1)) + self.generated_GG[square].sum() / (m * (m - 1))
        return float(within - 2 * self.across_GG[square].sum() / (n * m))

    def jackknife(self) -> Jackknife:
        """Leaving out one group of both sets at a time; groups without samples do not count."""
        share_G = (self.real_G / self.real_G.sum() + self.generated_G / self.generated_G.sum()) / 2
        filled = np.flatnonzero(share_G)
        without_G = np.array([self.distance(np.arange(len(share_G)) != group) for group in filled])
        return jackknife(self.distance(), without_G, share_G[filled])


def kernel_distance(real_ND: torch.Tensor, generated_MD: torch.Tensor) -> float:
    """Unbiased MMD² of two sets of features, on their device; lower is closer, about 0 for one distribution.

    Raises UnmeasurableSet for fewer than two samples, copies of one clip, NaN, or different widths.
    """
    check_sets(real_ND, generated_MD, FEWEST, PURPOSE)
    one_N = torch.zeros(len(real_ND), dtype=torch.int64, device=real_ND.device)
    one_M = torch.zeros(len(generated_MD), dtype=torch.int64, device=generated_MD.device)
    return kernel_sums(real_ND, generated_MD, one_N, one_M, groups=1).distance()


def kernel_sums(
    real_ND: torch.Tensor,
    generated_MD: torch.Tensor,
    real_groups_N: torch.Tensor,
    generated_groups_M: torch.Tensor,
    groups: int,
    block: int = BLOCK,
) -> KernelSums:
    """Sums over all pairs, block x block kernel values at a time in float64."""
    real, generated = (real_ND, real_groups_N), (generated_MD, generated_groups_M)
    return KernelSums(
        real_GG=_within(*real, groups, block),
        generated_GG=_within(*generated, groups, block),
        across_GG=_across(*real, *generated, groups, block),
        real_G=torch.bincount(real_groups_N, minlength=groups).cpu().numpy().astype(np.float64),
        generated_G=torch.bincount(generated_groups_M, minlength=groups).cpu().numpy().astype(np.float64),
    )


def _within(features_ND: torch.Tensor, groups_N: torch.Tensor, groups: int, block: int) -> Floats:
    """Each pair of blocks once: the kernel is symmetric."""
    sums_GG = torch.zeros((groups, groups), dtype=torch.float64, device=features_ND.device)
    for start in range(0, len(features_ND), block):
        rows, row_groups = features_ND[start : start + block], groups_N[start : start + block]
        kernel_PP = _kernel(rows, rows).fill_diagonal_(0)
        sums_GG += _by_group(kernel_PP, row_groups, row_groups, groups)
        for other in range(start + block, len(features_ND), block):
            columns, column_groups = features_ND[other : other + block], groups_N[other : other + block]
            part_GG = _by_group(_kernel(rows, columns), row_groups, column_groups, groups)
            sums_GG += part_GG + part_GG.T
    return sums_GG.cpu().numpy()


def _across(
    real_ND: torch.Tensor,
    real_groups_N: torch.Tensor,
    generated_MD: torch.Tensor,
    generated_groups_M: torch.Tensor,
    groups: int,
    block: int,
) -> Floats:
    sums_GG = torch.zeros((groups, groups), dtype=torch.float64, device=real_ND.device)
    for start in range(0, len(real_ND), block):
        rows, row_groups = real_ND[start : start + block], real_groups_N[start : start + block]
        for other in range(0, len(generated_MD), block):
            columns, column_groups = generated_MD[other : other + block], generated_groups_M[other : other + block]
            sums_GG += _by_group(_kernel(rows, columns), row_groups, column_groups, groups)
    return sums_GG.cpu().numpy()


def _kernel(rows_PD: torch.Tensor, columns_PD: torch.Tensor) -> torch.Tensor:
    rows_PD, columns_PD = rows_PD.to(torch.float64), columns_PD.to(torch.float64)
    base_PP = (rows_PD @ columns_PD.T).div_(rows_PD.shape[1]).add_(1)
    return base_PP.pow_(3)


def _by_group(kernel_PP: torch.Tensor, row_P: torch.Tensor, column_P: torch.Tensor, groups: int) -> torch.Tensor:
    by_row_GP = kernel_PP.new_zeros((groups, kernel_PP.shape[1])).index_add_(0, row_P, kernel_PP)
    return kernel_PP.new_zeros((groups, groups)).index_add_(0, column_P, by_row_GP.T.contiguous()).T
