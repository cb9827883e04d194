"""What a linear code of the same size would give: the yardstick beside which an autoencoder's figures are read.

Shape legend: B clips, C channels, T frames, H height, W width; N blocks, D values of a block.
"""

from __future__ import annotations

import torch
from torch import Tensor

SIDE = 8


def blocks(clips_BCTHW: Tensor, frames: int) -> Tensor:
    """N,D: every block of `frames` frames and 8x8 pixels that the clips hold, in order."""
    count, channels, length, height, width = clips_BCTHW.shape
    shape = (count, channels, length // frames, frames, height // SIDE, SIDE, width // SIDE, SIDE)
    return clips_BCTHW.reshape(shape).permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(-1, channels * frames * SIDE**2)


def linear_psnr(training_BCTHW: Tensor, clips_BCTHW: Tensor, *, frames: int, components: int) -> float:
    """Mean PSNR in dB over uint8 clips rebuilt from that many principal components of blocks of training clips."""
    known_ND = blocks(training_BCTHW, frames).float()
    mean_D = known_ND.mean(dim=0)
    centred_ND = known_ND - mean_D
    basis_DK = torch.linalg.eigh(centred_ND.T @ centred_ND).eigenvectors[:, -components:]
    found_ND = blocks(clips_BCTHW, frames).float() - mean_D
    error_B = (found_ND - found_ND @ basis_DK @ basis_DK.T).square().reshape(clips_BCTHW.shape[0], -1).mean(dim=1)
    return float((10.0 * torch.log10(255.0**2 / error_B.clamp_min(1e-6))).mean())
