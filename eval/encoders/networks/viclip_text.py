"""Texts for ViCLIP: CLIP's tokens, by the user's tokenizer.json, through the text tower.

Shape legend: L tokens, D features.
"""

from __future__ import annotations

import html
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from eval.encoders.local import pinned
from eval.encoders.open.weights import load_tokenizer
from eval.feature import NotMeasurable

if TYPE_CHECKING:
    from collections.abc import Callable

ENCODER = "viclip-l"
START, END = 49406, 49407
"""CLIP's last two tokens."""


def viclip_text(prompt: str) -> npt.NDArray[np.float32]:
    """The text's features, float32 D, of unit length, read-only; cached in this process.

    Raises NotMeasurable: no weights, weights that cannot be used, another network's tokenizer.
    """
    return _text(prompt, pinned(ENCODER).sha256)


@lru_cache(maxsize=4096)
def _text(prompt: str, weights_sha256: str) -> npt.NDArray[np.float32]:
    import torch
    from torch.nn import functional

    from eval.encoders.device import device
    from eval.encoders.networks.viclip import shared

    network = shared(weights_sha256, device())
    ids = _token_ids(prompt, weights_sha256)
    with torch.inference_mode():
        features_D = network.text_encoder(torch.tensor(ids, device=device()))
        unit_D: npt.NDArray[np.float32] = functional.normalize(features_D, dim=0).cpu().numpy()
    unit_D.flags.writeable = False
    return unit_D


def _token_ids(prompt: str, weights_sha256: str) -> list[int]:
    """Start, words, end; what is too long is cut before the end.

    HTML entities are resolved as in the published code; its repair of wrongly decoded Unicode (ftfy) is left out.
    """
    ids = _tokenizer(weights_sha256)(html.unescape(html.unescape(prompt)))
    if (ids[:1], ids[-1:]) != ([START], [END]):
        raise NotMeasurable(f"the tokenizer.json of {ENCODER} is another network's: that of clip-vit-l-14 is needed")
    return ids


@lru_cache(maxsize=1)
def _tokenizer(_weights_sha256: str) -> Callable[[str], list[int]]:
    from eval.encoders.networks.viclip import WORDS

    return load_tokenizer(ENCODER, WORDS)
