"""DINO's position encodings for pictures of other sizes than it was trained on, as its own code stretches them.

It gives `interpolate` the factor of a grid a tenth of a patch larger, and so moves every sample a little; the version
in transformers gives it the size. The features differ by more than rounding.

Shape legend: P positions (class token first), D width, H height, W width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional


def stretched(positions_1PD: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Encodings of a square grid → 1,1+height·width,D of such a grid of patches.

    As facebookresearch/dino, vision_transformer.py, interpolate_pos_encoding.
    """
    side = round((positions_1PD.shape[1] - 1) ** 0.5)
    if (height, width) == (side, side):
        return positions_1PD
    grid_1DHW = positions_1PD[:, 1:].transpose(1, 2).reshape(1, -1, side, side)
    factor = [(height + 0.1) / side, (width + 0.1) / side]
    larger_1DHW = functional.interpolate(grid_1DHW, scale_factor=factor, mode="bicubic")
    return torch.cat([positions_1PD[:, :1], larger_1DHW.flatten(2).transpose(1, 2)], dim=1)


def stretch_as_published(network: Any) -> None:
    """Make a ViTModel of transformers use `stretched`."""
    embeddings = network.embeddings

    def interpolate(_tokens: torch.Tensor, height: int, width: int) -> torch.Tensor:
        patch = embeddings.patch_size
        return stretched(embeddings.position_embeddings, height // patch, width // patch)

    embeddings.interpolate_pos_encoding = interpolate
