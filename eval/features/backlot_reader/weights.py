"""The shipped reader: its hash when features are registered, its vocabulary for metrics, its network when a clip is
read. Only the last needs torch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.feature import Arrays
from eval.features.backlot_reader.factors import Factor
from eval.hashing import file_sha256
from eval.weights import Header, WeightsError, fill, load_weights, read_header, shipped

if TYPE_CHECKING:
    from eval.features.backlot_reader.network import Reader

ENCODER = "backlot-reader"
PRESET = "64px"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a file of weights has heads for. counted: the factors that it reads well enough to be judged by."""

    factors: tuple[Factor, ...]
    counted: tuple[str, ...]

    def factor(self, name: str) -> Factor:
        return next(factor for factor in self.factors if factor.name == name)


def header_of(vocabulary: Vocabulary) -> Header:
    """The header with which weights of such a reader are saved."""
    return Header(ENCODER, PRESET, asdict(vocabulary))


def vocabulary_of(header: Header, path: Path) -> Vocabulary:
    """The inverse. Raises WeightsError where the header is not of a reader."""
    try:
        factors = tuple(
            Factor(
                one["name"],
                tuple(tuple(values) for values in one["classes"]),
                {name: tuple(values) for name, values in one["where"].items()},
                {name: tuple(values) for name, values in one["needs"].items()},
            )
            for one in header.details["factors"]
        )
        return Vocabulary(factors, tuple(header.details["counted"]))
    except (KeyError, TypeError, AttributeError):
        raise WeightsError(f"{path}: its header lacks the reader's vocabulary: train it again") from None


@cache
def weights_sha256() -> str:
    """The SHA-256 of the shipped file; empty where there is none, and reading a clip then says so."""
    try:
        return file_sha256(shipped(ENCODER))
    except WeightsError:
        return ""


@cache
def vocabulary() -> Vocabulary:
    """The shipped reader's vocabulary, without its tensors. Raises WeightsError."""
    path = shipped(ENCODER)
    return vocabulary_of(read_header(path, kind=ENCODER, preset=PRESET), path)


@dataclass(frozen=True, slots=True)
class ReaderNetwork:
    """A network ready to read, with its vocabulary."""

    reader: Reader
    vocabulary: Vocabulary

    def read(self, frames_THWC: npt.NDArray[np.uint8]) -> Arrays:
        """uint8 frames at 8 fps, 64 pixels a side → factor → probability of each class, float32 K."""
        import torch

        with torch.inference_mode():
            logits = self.reader(torch.from_numpy(frames_THWC).permute(0, 3, 1, 2)[None]).logits
            return {name: logits_BK[0].softmax(dim=0).numpy() for name, logits_BK in logits.items()}


@cache
def shipped_reader() -> ReaderNetwork:
    """The shipped reader, loaded once. Raises WeightsError, also for a file replaced since features were registered."""
    path = shipped(ENCODER)
    if file_sha256(path) != weights_sha256():
        raise WeightsError(f"{path}: changed while it was in use: start again")
    return load_reader(path)


def load_reader(path: Path) -> ReaderNetwork:
    """A reader from a file of weights, for inference. Raises WeightsError."""
    import torch

    from eval.features.backlot_reader.network import Reader

    tensors, header = load_weights(path, kind=ENCODER, preset=PRESET)
    known = vocabulary_of(header, path)
    reader = Reader({factor.name: len(factor.classes) for factor in known.factors})
    single = {name: t.float() if t.dtype == torch.float16 else t for name, t in tensors.items()}
    fill(reader, single, path)
    return ReaderNetwork(reader.eval().requires_grad_(False), known)
