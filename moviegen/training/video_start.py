"""Weights that a run starts from instead of random ones, and what is told of them afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eval.hashing import file_sha256
from eval.weights import read_header
from moviegen.presets import Preset
from moviegen.video_weights import KIND, check_autoencoder

_TOLD = ("steps", "lengths", "minutes", "hardware", "start")
"""What a card repeats of the card of the weights that its run started from, which may have started from others."""


def origin(path: Path, preset: Preset, autoencoder_id: str) -> dict[str, Any]:
    """The file's name and hash, and what its card says of its own training, where it has a card.

    Raises WeightsError if these are no weights that a run of the preset on this autoencoder's latents can start from.
    """
    check_autoencoder(path, read_header(path, kind=KIND, preset=preset.name), autoencoder_id)
    facts = {"file": path.name, "sha256": file_sha256(path)}
    try:
        card = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError):
        return facts
    told = {key: card[key] for key in _TOLD if key in card} if isinstance(card, dict) else {}
    return facts | told
