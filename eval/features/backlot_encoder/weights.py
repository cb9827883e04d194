"""The shipped encoder: its hash when features are registered, its networks when a clip or a text is encoded. Only the
latter need torch.

Shape legend: N clips or texts, T frames, C channels, H height, W width, E coordinates, P principal components.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.encoders.runner import Runner
from eval.features.backlot_encoder.words import numbered, word_lists
from eval.hashing import file_sha256
from eval.weights import Header, WeightsError, fill, load_weights, shipped

if TYPE_CHECKING:
    import torch

    from eval.features.backlot_encoder.network import Encoder

ENCODER = "backlot-encoder"
PRESET = "64px"
SET = "backlot-set"
SET_PRESET = "16"
"""Numbers of a clip in the reference set."""

Floats = npt.NDArray[np.float32]


def header_of(words: Sequence[str]) -> Header:
    """The header with which weights of an encoder that knows these words are saved."""
    return Header(ENCODER, PRESET, {"words": list(words)})


def words_of(header: Header, path: Path) -> tuple[str, ...]:
    """The inverse. Raises WeightsError where the header is not of an encoder."""
    words = header.details.get("words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise WeightsError(f"{path}: its header lacks the encoder's vocabulary: train it again")
    return tuple(words)


@dataclass(frozen=True, slots=True)
class EncoderNetwork:
    """An encoder ready to encode, with the numbers of the words that it knows.

    clips: uint8 N,T,C,H,W at 8 fps, 64 pixels a side → the clips' points and their principal components, N,E+P.
    frames: uint8 N,T,C,H,W of any frames, 64 pixels a side → N,T,E.
    """

    encoder: Encoder
    numbers: Mapping[str, int]
    clips: Runner
    frames: Runner

    def texts(self, texts: Sequence[str]) -> Floats:
        """Points of texts, float32 N,E."""
        import torch

        from eval.features.backlot_encoder.text import Texts, as_tensors

        device = self.clips.device
        with torch.inference_mode():
            read = Texts(*(tensor.to(device) for tensor in as_tensors(word_lists(texts, self.numbers))))
            points_NE: Floats = self.encoder.text(read).cpu().numpy()
        return points_NE


def load_encoder(path: Path) -> EncoderNetwork:
    """An encoder from a file of weights, on the device where networks run. Raises WeightsError."""
    import torch

    from eval.encoders.device import device
    from eval.features.backlot_encoder.network import Encoder

    tensors, header = load_weights(path, kind=ENCODER, preset=PRESET)
    numbers = numbered(words_of(header, path))
    encoder = Encoder(len(numbers) + 1)
    fill(encoder, {name: t.float() if t.dtype == torch.float16 else t for name, t in tensors.items()}, path)
    encoder.eval().requires_grad_(False).to(device())

    def clips(frames_NTCHW: torch.Tensor) -> torch.Tensor:
        return torch.cat(encoder.clips(frames_NTCHW), dim=1)

    def frames(frames_NTCHW: torch.Tensor) -> torch.Tensor:
        return torch.stack([encoder.frames(frames_TCHW) for frames_TCHW in frames_NTCHW])

    return EncoderNetwork(encoder, numbers, Runner(ENCODER, clips), Runner(ENCODER, frames))


@cache
def weights_sha256() -> str:
    """The SHA-256 of the shipped file; empty where there is none, and encoding a clip then says so."""
    try:
        return file_sha256(shipped(ENCODER))
    except WeightsError:
        return ""


@cache
def shipped_encoder() -> EncoderNetwork:
    """The shipped encoder, loaded once. Raises WeightsError, also for a file replaced since features were known."""
    path = shipped(ENCODER)
    if file_sha256(path) != weights_sha256():
        raise WeightsError(f"{path}: changed while it was in use: start again")
    return load_encoder(path)


@lru_cache(maxsize=1024)
def text_points(texts: tuple[str, ...]) -> Floats:
    """Points of texts by the shipped encoder, float32 N,E of length 1, read-only. Raises WeightsError."""
    points_NE = shipped_encoder().texts(texts)
    points_NE.flags.writeable = False
    return points_NE


@cache
def reference_set() -> Floats:
    """`set_D` of the shipped reference clips, float32 N,P, read-only: faultless clips of the Backlot that no suite asks
    for. Raises WeightsError, also where the set was made by other weights than the shipped encoder's.
    """
    path = shipped(SET)
    tensors, header = load_weights(path, kind=SET, preset=SET_PRESET)
    if header.needs != weights_sha256():
        raise WeightsError(f"{path}: was made by another encoder than the shipped one: train the encoder again")
    set_NP: Floats = tensors["set_NP"].float().numpy()
    set_NP.flags.writeable = False
    return set_NP
