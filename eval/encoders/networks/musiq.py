"""MUSIQ: the quality of pictures of any size, from patches at three scales (Ke et al. 2021, arXiv 2108.05997).

    patches ──small ResNet──▶ token + place + scale ──14 transformer blocks──▶ class token ──▶ 0-100

Tensor names are those of the package pyiqa, whose SPAQ checkpoint VBench scores imaging quality with.

Shape legend: N frames, L patches (tokens), C channels, H height, W width, D features.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.encoders.networks.checkpoint import load_network
from eval.encoders.networks.musiq_patches import GRID, LONG_SIDES, PATCH, Patches, multiscale

if TYPE_CHECKING:
    from eval.encoders.runner import Encode

_STEM, _STEM_OUT = 64, 256
_WIDTH, _HIDDEN, _HEADS, _BLOCKS = 384, 1152, 6, 14


def musiq(name: str, device: torch.device) -> Encode:
    """The network with the user's weights. Raises NotMeasurable."""
    return load_network(name, Musiq).to(device)


class Musiq(nn.Module):
    """uint8 RGB frames of one size, N,3,H,W → scores, float32 N; SPAQ's scale of 0 (bad) to 100, not clipped."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_root = StandardisedConv(3, _STEM, 7, stride=2)
        self.gn_root = nn.GroupNorm(32, _STEM, eps=1e-6)
        self.block1 = Bottleneck(_STEM, _STEM_OUT)
        self.embedding = nn.Linear(_STEM_OUT * (PATCH // 4) ** 2, _WIDTH)
        self.transformer_encoder = Encoder()
        self.head = nn.Linear(_WIDTH, 1)

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        return self.score(multiscale(frames_NCHW))

    def score(self, patches: Patches) -> Tensor:
        """Scores from patches, float32 N."""
        frames = patches.patches_NLCHW.shape[0]
        seen_NCHW = functional.relu(self.gn_root(self.conv_root(patches.patches_NLCHW.flatten(0, 1))))
        seen_NCHW = self.block1(functional.max_pool2d(_same(seen_NCHW, 3, stride=2), 3, stride=2))
        # Channels last: the weights come from TensorFlow.
        tokens_NLD = self.embedding(seen_NCHW.permute(0, 2, 3, 1).reshape(frames, len(patches.places_L), -1))
        scores_N1: Tensor = self.head(self.transformer_encoder(tokens_NLD, patches.places_L, patches.scales_L))
        return scores_N1[:, 0]


class StandardisedConv(nn.Conv2d):
    """Convolution, without bias, by weights of mean 0 and deviation 1 per filter (Qiao et al. 2019); padding "SAME"."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, size, stride=stride, bias=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        centred = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        weight = centred / (centred.std((1, 2, 3), keepdim=True) + 1e-5)
        return functional.conv2d(_same(x_NCHW, self.kernel_size[0], self.stride[0]), weight, stride=self.stride)


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 convolutions with group normalisation, beside a projection of the input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.gn1 = StandardisedConv(inputs, inputs, 1), _group_norm(inputs)
        self.conv2, self.gn2 = StandardisedConv(inputs, inputs, 3), _group_norm(inputs)
        self.conv3, self.gn3 = StandardisedConv(inputs, outputs, 1), _group_norm(outputs)
        self.conv_proj, self.gn_proj = StandardisedConv(inputs, outputs, 1), _group_norm(outputs)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        y_NCHW = functional.relu(self.gn1(self.conv1(x_NCHW)))
        y_NCHW = functional.relu(self.gn2(self.conv2(y_NCHW)))
        return functional.relu(self.gn3(self.conv3(y_NCHW)) + self.gn_proj(self.conv_proj(x_NCHW)))


class Encoder(nn.Module):
    """Tokens with their places and scales → the class token, N,D."""

    def __init__(self) -> None:
        super().__init__()
        self.posembed_input = nn.ParameterDict({"position_emb": nn.Parameter(torch.empty(1, GRID * GRID, _WIDTH))})
        self.scaleembed_input = nn.ParameterDict({"scale_emb": nn.Parameter(torch.empty(len(LONG_SIDES) + 1, _WIDTH))})
        self.cls = nn.Parameter(torch.empty(1, 1, _WIDTH))
        self.transformer = nn.ModuleDict({f"encoderblock_{index}": Block() for index in range(_BLOCKS)})
        self.encoder_norm = nn.LayerNorm(_WIDTH, eps=1e-6)

    def forward(self, tokens_NLD: Tensor, places_L: Tensor, scales_L: Tensor) -> Tensor:
        placed_NLD = tokens_NLD + self.posembed_input["position_emb"][0, places_L]
        scaled_NLD = placed_NLD + self.scaleembed_input["scale_emb"][scales_L]
        # Published code fills up to a fixed length and masks the filling; without filling no mask is needed.
        all_NLD = torch.cat([self.cls.expand(len(tokens_NLD), 1, -1), scaled_NLD], dim=1)
        for block in self.transformer.values():
            all_NLD = block(all_NLD)
        normed_ND: Tensor = self.encoder_norm(all_NLD[:, 0])
        return normed_ND


class Block(nn.Module):
    """A transformer block that normalises first."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(_WIDTH, eps=1e-6)
        self.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(_WIDTH, _HIDDEN), gelu=nn.GELU(), fc2=nn.Linear(_HIDDEN, _WIDTH))
        )

    def forward(self, x_NLD: Tensor) -> Tensor:
        attended_NLD: Tensor = x_NLD + self.attention(self.norm1(x_NLD))
        out_NLD: Tensor = attended_NLD + self.mlp(self.norm2(attended_NLD))
        return out_NLD


class Attention(nn.Module):
    """Every token looks at every other, in _HEADS heads."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(_WIDTH, _WIDTH) for _ in range(4))

    def forward(self, x_NLD: Tensor) -> Tensor:
        q, k, v = (
            linear(x_NLD).unflatten(2, (_HEADS, -1)).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        mixed_NLD: Tensor = self.out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return mixed_NLD


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-4)


def _same(x_NCHW: Tensor, size: int, stride: int) -> Tensor:
    """The input with TensorFlow's "SAME" border of 0, whose odd pixel lies right and below."""
    border: list[int] = []
    for pixels in (x_NCHW.shape[3], x_NCHW.shape[2]):
        needed = max((-(-pixels // stride) - 1) * stride + size - pixels, 0)
        border += [needed // 2, needed - needed // 2]
    return functional.pad(x_NCHW, border)
