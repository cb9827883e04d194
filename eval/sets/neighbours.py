"""Precision, recall, density and coverage: does each sample lie within reach of the other set's nearest neighbours.

A sample's reach is the distance to its k-th nearest neighbour in its own set.

    precision  generated samples within reach of some real one
    recall     real samples within reach of some generated one
    density    for each generated sample, how many real ones have it within reach, over k
    coverage   real samples that have some generated one within their own reach

Precision and recall: Kynkäänniemi et al. (2019), arXiv:1904.06991. Density and coverage, which one outlier cannot lift:
Naeem et al. (2020), arXiv:2002.09797; k = 5 as there. All depend on the sizes of both sets: compare equal ones.

Shape legend: N real samples, M generated samples, D dimensions, P samples of a block, K nearest neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from eval.sets.validity import check_sets, furthest

NEAREST = 5
BLOCK = 2048
"""Samples of a block: 2048² float64 are 32 MB, whatever N."""

ROUNDING = 1e-12
"""Of the largest squared length: distances that differ by less are equal, so a copy is as far as its original."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What each sample adds; a measure is the mean of its vector. float64, on the features' device.

    precision_M, recall_N, coverage_N: 0 or 1. density_M: 0 and upwards; about 1 on average for one distribution.
    """

    precision_M: torch.Tensor
    recall_N: torch.Tensor
    density_M: torch.Tensor
    coverage_N: torch.Tensor


def neighbourhood(
    real_ND: torch.Tensor, generated_MD: torch.Tensor, nearest: int = NEAREST, block: int = BLOCK
) -> Neighbourhood:
    """The four measures by sample, block x block distances at a time in float64.

    Raises UnmeasurableSet for sets of `nearest` samples or fewer, copies of one clip, NaN, or different widths.
    """
    check_sets(real_ND, generated_MD, nearest + 1, f"a measure by the {nearest} nearest neighbours")
    centre_D = real_ND.mean(dim=0, dtype=torch.float64)  # short vectors: their distances lose fewer digits
    slack = ROUNDING * max(furthest(real_ND, centre_D), furthest(generated_MD, centre_D))
    reach_N = _reach(real_ND, centre_D, nearest, block) + slack
    reach_M = _reach(generated_MD, centre_D, nearest, block) + slack
    recalled_N = torch.zeros(len(real_ND), dtype=torch.bool, device=real_ND.device)
    covered_N, around_M = recalled_N.clone(), torch.zeros_like(reach_M)
    for start in range(0, len(real_ND), block):
        rows = slice(start, start + block)
        for other in range(0, len(generated_MD), block):
            columns = slice(other, other + block)
            squared_PP = _squared(real_ND[rows], generated_MD[columns], centre_D)
            within_PP = squared_PP <= reach_N[rows, None]
            around_M[columns] += within_PP.sum(dim=0)
            covered_N[rows] |= within_PP.any(dim=1)
            recalled_N[rows] |= (squared_PP <= reach_M[None, columns]).any(dim=1)
    return Neighbourhood(
        precision_M=(around_M > 0).to(torch.float64),
        recall_N=recalled_N.to(torch.float64),
        density_M=around_M / nearest,
        coverage_N=covered_N.to(torch.float64),
    )


def _reach(features_ND: torch.Tensor, centre_D: torch.Tensor, nearest: int, block: int) -> torch.Tensor:
    """Squared distance_N to the k-th nearest other sample."""
    reach_N = torch.empty(len(features_ND), dtype=torch.float64, device=features_ND.device)
    for start in range(0, len(features_ND), block):
        rows_PD = features_ND[start : start + block]
        nearest_PK = torch.full((len(rows_PD), nearest), torch.inf, dtype=torch.float64, device=features_ND.device)
        for other in range(0, len(features_ND), block):
            squared_PP = _squared(rows_PD, features_ND[other : other + block], centre_D)
            if other == start:
                squared_PP.fill_diagonal_(torch.inf)
            nearest_PK = torch.cat([nearest_PK, squared_PP], dim=1).topk(nearest, dim=1, largest=False).values
        reach_N[start : start + block] = nearest_PK.amax(dim=1)
    return reach_N


def _squared(rows_PD: torch.Tensor, columns_PD: torch.Tensor, centre_D: torch.Tensor) -> torch.Tensor:
    rows_PD, columns_PD = rows_PD.to(torch.float64) - centre_D, columns_PD.to(torch.float64) - centre_D
    product_PP = (rows_PD @ columns_PD.T).mul_(-2)
    return product_PP.add_(rows_PD.square().sum(1)[:, None]).add_(columns_PD.square().sum(1)).clamp_(min=0)
