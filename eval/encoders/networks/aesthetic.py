"""LAION's aesthetic predictor (the first, linear one): one number from CLIP ViT-L/14's picture features.

Shape legend: T frames, D = 768 features.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.encoders.local import pinned
from eval.encoders.networks.checkpoint import load_network

if TYPE_CHECKING:
    from torch import nn

NAME = "laion-aesthetic"
FEATURES = 768


def aesthetic_scores(features_TD: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Aesthetic scores of frames, float32 T: about 0 (ugly) to 10 (beautiful), not clipped.

    features_TD: CLIP ViT-L/14's projected picture features, each of unit length. Raises NotMeasurable where the user's
    weights are missing or not these; ValueError for features that are not of unit length or not 768 numbers.
    """
    if features_TD.ndim != 2 or features_TD.shape[1] != FEATURES:
        raise ValueError(f"the aesthetic head takes T,{FEATURES} features; got {features_TD.shape}")
    if not np.allclose(np.linalg.norm(features_TD, axis=1), 1.0, atol=1e-3):
        raise ValueError("the aesthetic head takes features of unit length")
    weight_D, bias = _head(pinned(NAME).sha256)
    return (features_TD @ weight_D + bias).astype(np.float32)


@lru_cache(maxsize=1)
def _head(_weights_sha256: str) -> tuple[npt.NDArray[np.float32], float]:
    """Weight and bias of the user's file; read again when another was pulled."""
    head = load_network(NAME, _linear)
    return head.weight[0].numpy(), head.bias.item()


def _linear() -> nn.Linear:
    from torch import nn

    return nn.Linear(FEATURES, 1)
