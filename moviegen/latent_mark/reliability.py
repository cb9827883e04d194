"""How far each latent channel's noise can be read back after a codec: the weight of its votes.

Learned on clips of other prompts than any figure is measured on, by `python -m benchmarks.latent_mark_figures
--learn`, and shipped as weights/latent-mark.json for the shipped autoencoder. For another one all channels count alike.

Shape legend: C channels.
"""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from moviegen.generate import Reference
from moviegen.latent_mark.votes import Floats
from moviegen.video_weights import autoencoder_id
from moviegen.weights import FOLDER

CARD = FOLDER / "latent-mark.json"

MOST_CORRELATION = 0.95


def vote_weight(correlation_C: Floats) -> Floats:
    """The weight of a channel whose noise as read has this correlation r with the noise as made: r / sqrt(1 - r^2).

    The log-likelihood ratio of a bit is in proportion to it for Gaussian values at unit variance and small r.
    """
    r_C = np.clip(correlation_C, 0, MOST_CORRELATION)
    weight_C: Floats = r_C / np.sqrt(1 - np.square(r_C))
    return weight_C


def reliability(reference: Reference) -> Floats:
    """The weight (C,) of each channel's votes."""
    channels = reference.preset.latent_channels
    autoencoder, correlation_C = _learned()
    if autoencoder != autoencoder_id(reference.tae) or len(correlation_C) != channels:
        return np.ones(channels)
    return vote_weight(correlation_C)


@lru_cache(maxsize=1)
def _learned() -> tuple[str, Floats]:
    """The autoencoder that the shipped correlations belong to, and they. Without a card: none."""
    if not CARD.exists():
        return "", np.zeros(0)
    card = json.loads(CARD.read_text(encoding="utf-8"))
    return card["autoencoder"], np.array(card["correlation_C"], np.float64)
