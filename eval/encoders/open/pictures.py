"""Networks that see one picture at a time: CLIP, DINO, DINOv2.

Each function loads one, on the device, and gives its encode: uint8 N,C,H,W → float N,D, not normalised.

Shape legend: N frames, C channels, H height, W width, D width of the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from eval.encoders.open.positions import stretch_as_published
from eval.encoders.open.preprocess import clip_input, dino_input, dinov2_input
from eval.encoders.open.weights import load_transformers
from eval.encoders.runner import Preparation, Steps

if TYPE_CHECKING:
    from eval.encoders.runner import Encode


CROP = Preparation(clip_input)
"""Every CLIP sees the same."""


def clip(name: str, device: torch.device) -> Steps:
    """CLIP's projected picture features (encode_image), of VBench's CLIPt."""
    network = load_transformers(name, "CLIPVisionModelWithProjection").to(device)

    def encode(pixels_NCHW: torch.Tensor) -> torch.Tensor:
        features_ND: torch.Tensor = network(pixels_NCHW).image_embeds
        return features_ND

    return Steps(CROP, encode)


def dino(name: str, device: torch.device) -> Encode:
    """DINO's class token behind its last norm, of VBench's DINOt."""
    # DINO's norms have 1e-6, ViT's configuration in transformers 1e-12
    network = load_transformers(name, "ViTModel", config={"layer_norm_eps": 1e-6}, build={"add_pooling_layer": False})
    stretch_as_published(network)
    network.to(device)

    def encode(frames_NCHW: torch.Tensor) -> torch.Tensor:
        tokens_NPD: torch.Tensor = network(dino_input(frames_NCHW), interpolate_pos_encoding=True).last_hidden_state
        return tokens_NPD[:, 0]

    return encode


def dinov2(name: str, device: torch.device) -> Encode:
    """DINOv2's class token behind its last norm."""
    network = load_transformers(name, "Dinov2Model").to(device)

    def encode(frames_NCHW: torch.Tensor) -> torch.Tensor:
        features_ND: torch.Tensor = network(dinov2_input(frames_NCHW)).pooler_output
        return features_ND

    return encode
