"""The autoencoder from a file of weights."""

from __future__ import annotations

from pathlib import Path

from eval.weights import WeightsError, fill, load_weights
from moviegen.networks.tae import TAE, preset
from moviegen.weights import shipped


def load_tae(path: Path | None = None, *, name: str | None = None) -> TAE:
    """The autoencoder in `path` (the shipped f8t4 when None), for inference.

    name: the preset that is needed; None takes the file's. Raises WeightsError for a file that cannot be used.
    """
    where = shipped(f"tae-{name or 'f8t4'}") if path is None else path
    tensors, header = load_weights(where, kind="tae", preset=name)
    try:
        network = TAE(preset(header.preset))
    except ValueError as error:
        raise WeightsError(f"{where}: {error}") from None
    fill(network, tensors, where)
    return network.eval().requires_grad_(False)
