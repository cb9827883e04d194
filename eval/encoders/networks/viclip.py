"""ViCLIP: a clip of 8 frames and a text in one space (Wang et al. 2023, InternVid, arXiv 2307.06942, section 4).

CLIP ViT-L/14 whose attention spans all patches of all frames, with a learned embedding of time. Tensor names are those
of the checkpoint that VBench scores overall consistency with (ViClip-InternVid-10M-FLT).

Shape legend: N clips, T frames, C channels, H height, W width, P patches of a frame, L tokens, D features.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.encoders.local import pinned
from eval.encoders.networks.checkpoint import load_network
from eval.encoders.networks.viclip_frames import SIDE, viclip_input

if TYPE_CHECKING:
    from eval.encoders.runner import Encode

FRAMES = 8
WORDS = 32
"""Tokens of a text, its start and end among them; the rest is cut off."""


@dataclass(frozen=True, slots=True)
class Form:
    """The sizes of both towers. The defaults are the published ones; tests use smaller."""

    patch: int = 14
    vision_width: int = 1024
    vision_heads: int = 16
    vision_blocks: int = 24
    text_width: int = 768
    text_heads: int = 12
    text_blocks: int = 12
    vocabulary: int = 49408
    features: int = 768


PUBLISHED = Form()


def viclip(name: str, device: torch.device) -> Encode:
    """uint8 N,T,3,SIDE,SIDE of `cropped` frames → features, N,D, of any length. Raises NotMeasurable."""
    network = shared(pinned(name).sha256, device)

    def encode(clips_NTCHW: Tensor) -> Tensor:
        features_ND: Tensor = network.vision_encoder(viclip_input(clips_NTCHW))
        return features_ND

    return encode


@lru_cache(maxsize=1)
def shared(_weights_sha256: str, device: torch.device) -> Viclip:
    """The network with the user's weights, once for clips and texts. Raises NotMeasurable."""
    return load_network("viclip-l", lambda: Viclip(PUBLISHED)).to(device)


class Viclip(nn.Module):
    """Both towers. temp is the temperature of its training, published with the rest and not used."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.temp = nn.Parameter(torch.empty(()))
        self.vision_encoder = Vision(form)
        self.text_encoder = Text(form)


class Vision(nn.Module):
    """Normalised float clips N,T,3,SIDE,SIDE, T being FRAMES → features, N,D, of any length."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        width, patch = form.vision_width, (1, form.patch, form.patch)
        self.conv1 = nn.Conv3d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((SIDE // form.patch) ** 2 + 1, width))
        self.temporal_positional_embedding = nn.Parameter(torch.empty(1, FRAMES, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, form.vision_heads, form.vision_blocks)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(torch.empty(width, form.features))

    def forward(self, clips_NTCHW: Tensor) -> Tensor:
        patches_NDTP = self.conv1(clips_NTCHW.transpose(1, 2)).flatten(3)
        placed_NTPD = patches_NDTP.permute(0, 2, 3, 1) + self.positional_embedding[1:]
        timed_NTPD = placed_NTPD + self.temporal_positional_embedding[0, :, None]
        class_D = self.class_embedding + self.positional_embedding[0]
        class_N1D = class_D.expand(len(clips_NTCHW), 1, -1)
        # The published order of tokens is by patch, then time; attention does not mind, but sums round alike.
        tokens_NLD = torch.cat([class_N1D, timed_NTPD.transpose(1, 2).flatten(1, 2)], dim=1)
        seen_NLD = self.transformer(self.ln_pre(tokens_NLD), causal=False)
        features_ND: Tensor = self.ln_post(seen_NLD[:, 0]) @ self.proj
        return features_ND


class Text(nn.Module):
    """Token ids of one text, L of them, the last being its end → features, D, of any length."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        width = form.text_width
        self.token_embedding = nn.Embedding(form.vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.empty(WORDS, width))
        self.transformer = Transformer(width, form.text_heads, form.text_blocks)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, form.features))

    def forward(self, ids_L: Tensor) -> Tensor:
        # Published code fills up to WORDS; tokens see only those before them, so the filling changes nothing.
        placed_LD = self.token_embedding(ids_L) + self.positional_embedding[: len(ids_L)]
        read_LD = self.transformer(placed_LD[None], causal=True)[0]
        features_D: Tensor = self.ln_final(read_LD[-1]) @ self.text_projection
        return features_D


class Transformer(nn.Module):
    """CLIP's transformer."""

    def __init__(self, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))

    def forward(self, x_NLD: Tensor, *, causal: bool) -> Tensor:
        for block in self.resblocks:
            x_NLD = block(x_NLD, causal=causal)
        return x_NLD


class Block(nn.Module):
    """A transformer block that normalises first."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=QuickGELU(), c_proj=nn.Linear(4 * width, width))
        )

    def forward(self, x_NLD: Tensor, *, causal: bool) -> Tensor:
        attended_NLD: Tensor = x_NLD + self.attn(self.ln_1(x_NLD), causal=causal)
        out_NLD: Tensor = attended_NLD + self.mlp(self.ln_2(attended_NLD))
        return out_NLD


class Attention(nn.Module):
    """Multi-head attention with the tensor names of torch's own, whose query, key and value are one matrix."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x_NLD: Tensor, *, causal: bool) -> Tensor:
        joined = functional.linear(x_NLD, self.in_proj_weight, self.in_proj_bias)
        q, k, v = joined.view(*x_NLD.shape[:2], 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        out_NLD: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out_NLD


class QuickGELU(nn.Module):
    """CLIP's approximation, x·σ(1.702 x)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)
