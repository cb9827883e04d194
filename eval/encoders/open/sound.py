"""CLAP, which hears ten seconds at a time.

Shape legend: N items, S samples, D width of the features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from eval.encoders.open.mel import log_mel
from eval.encoders.open.weights import load_transformers

if TYPE_CHECKING:
    from eval.encoders.runner import Encode


def clap(name: str, device: torch.device) -> Encode:
    """Mono sound at 48 kHz, float32 N,480000 → CLAP's projected features, float N,D, not normalised."""
    network = load_transformers(name, "ClapAudioModelWithProjection").to(device)

    def encode(sound_NS: torch.Tensor) -> torch.Tensor:
        features_ND: torch.Tensor = network(log_mel(sound_NS)).audio_embeds
        return features_ND

    return encode
