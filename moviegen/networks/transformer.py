"""Movie Gen Video's transformer: noisy latents, time and condition tokens in, velocity out (arXiv 2410.13720, 3.1.3).

A LLaMa-3 block (RMSNorm, SwiGLU, no biases) with full bidirectional attention, cross-attention to the condition between
self-attention and feed-forward, and modulation by time. Where the three later tasks join in:

- personalisation concatenates its face tokens to `Condition.tokens_BSD`: cross-attention takes any number of tokens;
- editing concatenates the source's latents to the noisy ones along the channels (`in_channels` counts both, and the
  added columns of `patch_in` start at zero) and its task tokens to the condition;
- a task embedding is one more vector added to the embedding of time, where `modulation_BD` is made.

Shape legend: B batch, C latent channels, T H W latents in time, height and width; t h w patches; N = t h w video
tokens, S condition tokens, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from eval.errors import UserError
from moviegen.networks.layers import CrossAttention, RMSNorm, SelfAttention, SwiGLU, TimeEmbedding

PATCH = (1, 2, 2)
"""Latents per token in time, height and width."""


class Condition(NamedTuple):
    """What the video attends to: tokens (B, S, D) and a bool mask (B, S), False for padding. Each row has a token."""

    tokens_BSD: Tensor
    mask_BS: Tensor


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Sizes. `feed_forward` is the hidden width of SwiGLU; `max_*` are the position tables' lengths, in tokens."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    in_channels: int
    out_channels: int
    max_t: int
    max_h: int
    max_w: int
    recompute: bool = False
    """Keep only each block's input for the backward pass and compute the rest again (activation checkpointing)."""


class LatentSizeError(UserError):
    """Latents that the transformer's patches or position tables cannot take."""


class Block(nn.Module):
    """+ positions, self-attention, cross-attention, feed-forward.

    Time scales, shifts and gates self-attention and feed-forward; its six vectors are those of the one shared MLP plus
    this layer's table (PixArt-alpha, arXiv 2310.00426, 2.3). Tables start at zero, so all gates do when the MLP does.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.modulation_table = nn.Parameter(torch.zeros(6, width))
        self.norm_self = RMSNorm(width)
        self.attention = SelfAttention(width, config.heads)
        self.norm_cross = RMSNorm(width)
        self.cross = CrossAttention(width, config.heads)
        self.norm_forward = RMSNorm(width)
        self.feed_forward = SwiGLU(width, config.feed_forward)

    def forward(self, x_BND: Tensor, positions_ND: Tensor, modulation_B6D: Tensor, condition: Condition) -> Tensor:
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (modulation_B6D + self.modulation_table)[
            :, :, None
        ].unbind(1)
        x_BND = x_BND + positions_ND
        attended_BND = self.attention(self.norm_self.modulated(x_BND, shift_a, scale_a))
        x_BND = torch.addcmul(x_BND, gate_a, attended_BND)
        x_BND = x_BND + self.cross(self.norm_cross(x_BND), *condition)
        forward_BND = self.feed_forward(self.norm_forward.modulated(x_BND, shift_f, scale_f))
        return torch.addcmul(x_BND, gate_f, forward_BND)


class VideoTransformer(nn.Module):
    """Velocity of noisy latents at a time under a condition; any size and length its position tables reach.

    One table per axis, learnt, summed and added at the input of every layer. The time embedding and the MLP that makes
    six modulation vectors of it are shared by all layers. The output layer starts at zero: so does the velocity.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        assert config.width % config.heads == 0, "heads divide the width"
        self.config = config
        width = config.width
        patch_volume = PATCH[0] * PATCH[1] * PATCH[2]
        self.patch_in = nn.Linear(config.in_channels * patch_volume, width)
        self.positions_t = nn.Parameter(torch.randn(config.max_t, width) * 0.02)
        self.positions_h = nn.Parameter(torch.randn(config.max_h, width) * 0.02)
        self.positions_w = nn.Parameter(torch.randn(config.max_w, width) * 0.02)
        self.time = TimeEmbedding(width)
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.out_table = nn.Parameter(torch.zeros(2, width))
        self.norm_out = RMSNorm(width)
        self.patch_out = nn.Linear(width, config.out_channels * patch_volume)
        self._start()

    def _start(self) -> None:
        """Zero gates, cross-attention outputs and head: every block is the identity plus positions at first."""
        for layer in (self.modulation, self.patch_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        for module in self.modules():
            if isinstance(module, CrossAttention):
                nn.init.zeros_(module.out.weight)

    def forward(self, latents_BCTHW: Tensor, time_B: Tensor, condition: Condition) -> Tensor:
        """The velocity, (B, out_channels, T, H, W), at time_B in [0, 1] (0 is noise).

        Raises LatentSizeError where height or width is odd or more than the position tables hold.
        """
        grid = self.token_grid(*latents_BCTHW.shape[2:])
        x_BND = self.patch_in(_to_patches(latents_BCTHW))
        positions_ND = self._positions(*grid)
        modulation_BD = functional.silu(self.time(time_B))
        modulation_B6D = self.modulation(modulation_BD).unflatten(-1, (6, -1))
        for block in self.blocks:
            if self.config.recompute and torch.is_grad_enabled():
                x_BND = checkpoint(block, x_BND, positions_ND, modulation_B6D, condition, use_reentrant=False)
            else:
                x_BND = block(x_BND, positions_ND, modulation_B6D, condition)
        shift, scale = (self.out_table + modulation_BD[:, None]).chunk(2, dim=1)
        x_BND = self.norm_out.modulated(x_BND, shift, scale)
        return _to_latents(self.patch_out(x_BND), grid)

    def token_grid(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """Tokens in time, height and width for latents of this size. Raises LatentSizeError where they do not fit."""
        sizes, most = (frames, height, width), (self.config.max_t, self.config.max_h, self.config.max_w)
        for name, size, patch, limit in zip(("frames", "height", "width"), sizes, PATCH, most, strict=True):
            if size < 1 or size % patch or size // patch > limit:
                raise LatentSizeError(
                    f"latent {name} of {size} cannot be made: a multiple of {patch} up to {limit * patch} can"
                )
        return frames // PATCH[0], height // PATCH[1], width // PATCH[2]

    def _positions(self, t: int, h: int, w: int) -> Tensor:
        table = self.positions_t[:t, None, None] + self.positions_h[:h, None] + self.positions_w[:w]
        return table.flatten(0, 2)


def _to_patches(latents_BCTHW: Tensor) -> Tensor:
    """B,C,T,H,W to B,N,4C: what a convolution of kernel and stride 1x2x2 sees at each place."""
    batch, channels, t, height, width = latents_BCTHW.shape
    split = latents_BCTHW.reshape(batch, channels, t, height // 2, 2, width // 2, 2)
    return split.permute(0, 2, 3, 5, 1, 4, 6).reshape(batch, t * height * width // 4, channels * 4)


def _to_latents(patches: Tensor, grid: tuple[int, int, int]) -> Tensor:
    """The inverse of _to_patches."""
    t, h, w = grid
    batch, _, size = patches.shape
    split = patches.reshape(batch, t, h, w, size // 4, 2, 2)
    return split.permute(0, 4, 1, 2, 5, 3, 6).reshape(batch, size // 4, t, h * 2, w * 2)
