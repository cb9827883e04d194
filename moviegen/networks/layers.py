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

    On a CPU torch has no single kernel for it; the passes over memory written out here take a third less time, most of
    all where a modulation follows, which is folded into the weight.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        if _plain_on_cpu(x):
            return _ScaledOnCPU.apply(x, self.weight, None)  # type: ignore[no-any-return, no-untyped-call]
        return functional.rms_norm(x, self.weight.shape, self.weight, EPSILON)

    def modulated(self, x_BND: Tensor, shift_B1D: Tensor, scale_B1D: Tensor) -> Tensor:
        """The norm times 1 + scale, plus shift."""
        if _plain_on_cpu(x_BND):
            weight_B1D = self.weight * (1 + scale_B1D)
            return _ScaledOnCPU.apply(x_BND, weight_B1D, shift_B1D)  # type: ignore[no-any-return, no-untyped-call]
        return torch.addcmul(shift_B1D, self(x_BND), 1 + scale_B1D)


def _plain_on_cpu(x: Tensor) -> bool:
    """Parts of a sharded tensor (DTensor) know torch's own operators only."""
    return x.device.type == "cpu" and type(x) in {Tensor, nn.Parameter}


class _ScaledOnCPU(torch.autograd.Function):
    """y = x r, r = 1 / rms(x); out = y w + shift. Backward: dx = r (g w - y mean(g w y)), dw = g y, dshift = g."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shift: Tensor | None) -> Tensor:
        mean_square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
        scale = mean_square.add_(EPSILON).rsqrt_()
        y = x * scale
        ctx.save_for_backward(y, scale, weight)
        ctx.shift = None if shift is None else shift.shape
        return y * weight if shift is None else torch.addcmul(shift, y, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        y, scale, weight = ctx.saved_tensors
        weighted = grads[0] * weight
        along = torch.linalg.vecdot(weighted, y)[..., None].div_(-y.shape[-1])
        to_x = weighted.addcmul_(y, along).mul_(scale)
        to_shift = None if ctx.shift is None else grads[0].sum_to_size(ctx.shift)
        return to_x, (grads[0] * y).sum_to_size(weight.shape), to_shift


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
    """Full bidirectional attention; queries and keys are RMS-normalised per head (QK-norm), no biases.

    Rows of `qkv` lie head by head, each head's query, key and value rows together: a part of the rows is whole heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.head_width = width // heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_q = RMSNorm(self.head_width)
        self.norm_k = RMSNorm(self.head_width)
        self.attend = Attend()

    def forward(self, x_BND: Tensor, mask_BN: Tensor | None = None) -> Tensor:
        """mask_BN: True where a token may be attended to; None: everywhere."""
        q, k, v = self.qkv(x_BND).unflatten(-1, (-1, 3, self.head_width)).unbind(-2)
        return self.out(self.attend(self.norm_q(q), self.norm_k(k), v, mask_BN).flatten(2))  # type: ignore[no-any-return]


class CrossAttention(nn.Module):
    """Attention from video tokens to condition tokens, with QK-norm and no biases; rows of `kv` lie head by head."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.head_width = width // heads
        self.q = nn.Linear(width, width, bias=False)
        self.kv = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_q = RMSNorm(self.head_width)
        self.norm_k = RMSNorm(self.head_width)
        self.attend = Attend()

    def forward(self, x_BND: Tensor, tokens_BSD: Tensor, mask_BS: Tensor) -> Tensor:
        """mask_BS: True where a condition token is one, False where it is padding."""
        q = self.q(x_BND).unflatten(-1, (-1, self.head_width))
        k, v = self.kv(tokens_BSD).unflatten(-1, (-1, 2, self.head_width)).unbind(-2)
        return self.out(self.attend(self.norm_q(q), self.norm_k(k), v, mask_BS).flatten(2))  # type: ignore[no-any-return]


class Attend(nn.Module):
    """Softmax attention of each head; a module of its own, without weights, so that sharding can split the heads."""

    def forward(self, q_BNHD: Tensor, k_BSHD: Tensor, v_BSHD: Tensor, mask_BS: Tensor | None) -> Tensor:
        """B,N,heads,D/heads; mask_BS: True where a key may be attended to."""
        mask = None if mask_BS is None else mask_BS[:, None, None, :]
        q_BHND, k_BHSD, v_BHSD = (x.transpose(1, 2) for x in (q_BNHD, k_BSHD, v_BSHD))
        return functional.scaled_dot_product_attention(q_BHND, k_BHSD, v_BHSD, attn_mask=mask).transpose(1, 2)


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
