"""Principal components of blocks of the training clips: where the autoencoder starts, and the yardstick beside it.

Shape legend: B clips, C channels, T frames, H height, W width; N blocks, D values of a block, K components.
"""

from __future__ import annotations

import torch
from torch import Tensor

from moviegen.networks.tae import LATENT_RMS, BlockCode, TAEConfig


@torch.no_grad()
def start_from_components(code: BlockCode, frames_BCTHW: Tensor) -> None:
    """Make the code the principal components of its blocks of these clips, scaled to LATENT_RMS over all channels."""
    blocks_NDHW = code.blocks(frames_BCTHW.transpose(1, 2).flatten(0, 1), frames_BCTHW.shape[2])
    values_ND = blocks_NDHW.permute(0, 2, 3, 1).flatten(0, 2)
    mean_D = values_ND.mean(dim=0)
    centred_ND = values_ND - mean_D
    variance_D, basis_DD = torch.linalg.eigh(centred_ND.T @ centred_ND / len(centred_ND))
    count = code.out.in_channels
    basis_KD = basis_DD[:, -count:].flip(1).T
    code.start_from(mean_D, basis_KD, float(LATENT_RMS / variance_D[-count:].mean().sqrt()))


@torch.no_grad()
def linear_round_trip(config: TAEConfig, training_BCTHW: Tensor, clips_BCTHW: Tensor) -> Tensor:
    """Clips in [-1, 1] rebuilt from as many principal components of training clips as the latents have channels."""
    code = BlockCode(config)
    start_from_components(code, training_BCTHW)
    frames = clips_BCTHW.shape[2]
    rebuilt_NCHW = code.decode(code.encode(clips_BCTHW.transpose(1, 2).flatten(0, 1), frames), frames)
    rebuilt_BTCHW = rebuilt_NCHW.reshape(-1, frames, *rebuilt_NCHW.shape[1:])
    return rebuilt_BTCHW.transpose(1, 2).clamp(-1.0, 1.0)
