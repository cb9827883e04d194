"""The same sample falls into the same group in any order, batch and process: what intervals leave out, one by one.

Shape legend: N samples, D dimensions.
"""

from __future__ import annotations

import torch


def group_of(features_ND: torch.Tensor, groups: int, seed: int, cases_N: torch.Tensor | None = None) -> torch.Tensor:
    """Group 0 … groups-1 of each sample (int64 N): a seeded hash of its features, or of its case.

    Clips of one case share a prompt and are no independent evidence: with `cases_N` (integers) they stay together.
    The hash is Σ weight · word modulo 2^64 with odd random weights, of which the upper bits are used.
    """
    words = features_ND.to(torch.float32).view(torch.int32).to(torch.int64) if cases_N is None else cases_N[:, None]
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randint(-(2**63), 2**63 - 1, (words.shape[1],), generator=generator, dtype=torch.int64) | 1
    hashes_N = (words.to(torch.int64) * weights.to(words.device)).sum(dim=1)
    return ((hashes_N >> 33) & 0x7FFFFFFF) % groups
