"""The transformer's layers: normalisation, attention, feed-forward and the embedding of time.

Shape legend: B batch, N queries, S keys, H heads, D width.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-6) times a learnt weight, over the last dimension (arXiv 1910.07467).

    On a CPU torch has no single kernel for it; the passes over memory written out here take a quarter less time.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type == "cpu":
            return _RMSNormOnCPU.apply(x, self.weight)  # type: ignore[no-any-return, no-untyped-call]
        return functional.rms_norm(x, self.weight.shape, self.weight, EPSILON)


class _RMSNormOnCPU(torch.autograd.Function):
    """y = x r, r = 1 / rms(x); backward dx = r (g w - y mean(g w y))."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_() / x.shape[-1]
        scale = torch.rsqrt(mean_square + EPSILON)
        y = x * scale
        ctx.save_for_backward(y, scale, weight)
        return y * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        y, scale, weight = ctx.saved_tensors
        weighted = grads[0] * weight
        along = torch.linalg.vecdot(weighted, y)[..., None] / y.shape[-1]
        return torch.addcmul(weighted, y, along, value=-1) * scale, (grads[0] * y).flatten(0, -2).sum(0)


class SwiGLU(nn.Module):
    """The feed-forward of LLaMa 3: W_out (silu(W_gate x) * W_in x), without biases (arXiv 2002.05202)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, hidden, bias=False)
        self.into = nn.Linear(width, hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, x_BND: Tensor) -> Tensor:
        return self.out(functional.silu(self.gate(x_BND)) * self.into(x_BND))  # type: ignore[no-any-return]


class SelfAttention(nn.Module):
    """Full bidirectional attention; queries and keys are RMS-normalised per head (QK-norm), no biases."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_q = RMSNorm(width // heads)
        self.norm_k = RMSNorm(width // heads)

    def forward(self, x_BND: Tensor, mask_BN: Tensor | None = None) -> Tensor:
        """mask_BN: True where a token may be attended to; None: everywhere."""
        q, k, v = (_split(part, self.heads) for part in self.qkv(x_BND).chunk(3, dim=-1))
        return self.out(_attend(self.norm_q(q), self.norm_k(k), v, mask_BN))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Attention from video tokens to condition tokens, with QK-norm and no biases."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias=False)
        self.kv = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_q = RMSNorm(width // heads)
        self.norm_k = RMSNorm(width // heads)

    def forward(self, x_BND: Tensor, tokens_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """mask_BS: True where a condition token is one, False where it is padding."""
        q = _split(self.q(x_BND), self.heads)
        k, v = (_split(part, self.heads) for part in self.kv(tokens_BSD).chunk(2, dim=-1))
        return self.out(_attend(self.norm_q(q), self.norm_k(k), v, mask_BS))  # type: ignore[no-any-return]


def _split(x_BND: Tensor, heads: int) -> Tensor:
    """B,N,D to B,heads,N,D/heads."""
    return x_BND.view(*x_BND.shape[:-1], heads, -1).transpose(1, 2)


def _attend(q_BHND: Tensor, k_BHSD: Tensor, v_BHSD: Tensor, mask_BS: Tensor | None) -> Tensor:
    mask = None if mask_BS is None else mask_BS[:, None, None, :]
    return functional.scaled_dot_product_attention(q_BHND, k_BHSD, v_BHSD, attn_mask=mask).transpose(1, 2).flatten(2)


FREQUENCIES = 256
"""Sines and cosines in the embedding of time."""


def time_features(time_B: Tensor) -> Tensor:
    """Cosines and sines of 1000 t at 128 frequencies from 1 down to 1/10,000, (B, 256) float32.

    t runs over [0, 1]; raw, it would turn the fastest sine by one radian only, and neighbouring times look alike.
    """
    half = FREQUENCIES // 2
    rates = torch.exp(torch.arange(half, device=time_B.device) * (-math.log(10_000) / half))
    angles = 1000 * time_B.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class TimeEmbedding(nn.Module):
    """time (B,) in [0, 1] to (B, D): sines and cosines, then a two-layer MLP."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.into = nn.Linear(FREQUENCIES, width)
        self.out = nn.Linear(width, width)

    def forward(self, time_B: Tensor) -> Tensor:
        features = time_features(time_B).to(self.into.weight.dtype)
        return self.out(functional.silu(self.into(features)))  # type: ignore[no-any-return]
