"""Weights of the reference model that are shipped: safetensors in this folder, each with a card beside it."""

from __future__ import annotations

from pathlib import Path

from eval import weights

FOLDER = Path(__file__).parent


def shipped(name: str) -> Path:
    """The file of shipped weights called `name`. Raises WeightsError with the names there are."""
    return weights.shipped(name, FOLDER)
