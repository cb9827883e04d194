"""The learned mark's file of weights: reading it, and what writing and reading need of it as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from eval.hashing import file_sha256
from eval.marks.learned.embed import Pen
from eval.marks.learned.mask import Floats
from eval.weights import Header, fill, load_weights, shipped

if TYPE_CHECKING:
    from eval.marks.learned.network import MarkNetwork

KIND, PRESET = "mark", "learned-32"
BITS = 32
SHIPPED = "mark-learned"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A mark that can be written and read, with the SHA-256 of the file it is from.

    pen, weight_F, power: of the network, as plain numbers: how it writes, each wave's weight when it is read, and the
    power of a wave's size in that weight.
    """

    network: MarkNetwork
    pen: Pen
    weight_F: Floats
    power: float
    sha256: str


def pen_of(network: MarkNetwork, psnr_db: float) -> Pen:
    """How this network writes."""
    return Pen(network.amplitudes().detach().numpy(), psnr_db)


def header_of(psnr_db: float) -> Header:
    """The header of a file of such weights."""
    return Header(KIND, PRESET, {"bits": BITS, "psnr_db": psnr_db})


def load_trained(path: Path) -> Trained:
    """The mark in a file of weights. Raises WeightsError in one line for a file that cannot be used."""
    return _load(path, file_sha256(path) if path.is_file() else "")


def shipped_path() -> Path:
    """The file of the shipped mark. Raises WeightsError where it is missing."""
    return shipped(SHIPPED)


@lru_cache(maxsize=4)
def _load(path: Path, sha256: str) -> Trained:
    from eval.marks.learned.network import MarkNetwork

    tensors, header = load_weights(path, kind=KIND, preset=PRESET)
    network = MarkNetwork().eval().requires_grad_(False)
    fill(network, {name: tensor.float() for name, tensor in tensors.items()}, path)
    return trained_from(network, float(header.details["psnr_db"]), sha256)


def trained_from(network: MarkNetwork, psnr_db: float, sha256: str) -> Trained:
    """The mark of a network in memory."""
    power = math.log1p(math.exp(float(network.power)))
    return Trained(network, pen_of(network, psnr_db), network.weights().detach().numpy(), power, sha256)
