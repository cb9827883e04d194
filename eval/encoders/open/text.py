"""Text towers: a prompt's features in the space of CLIP, X-CLIP or CLAP.

Prompts are cut to 77 tokens, the end token kept, as CLIP's tokenize(truncate=True) and CLAP's own do.

Shape legend: D width of the features, P patches, L tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eval.encoders.local import pinned
from eval.feature import NotMeasurable

if TYPE_CHECKING:
    import torch

Features = npt.NDArray[np.float32]

TOKENS = 77


@dataclass(frozen=True, slots=True)
class TextTower:
    """A tower with its tokenizer. network: the module; embed: token numbers 1,L → features D, not normalised."""

    network: Any
    embed: Callable[[torch.Tensor], torch.Tensor]
    tokenize: Callable[[str], list[int]]
    device: torch.device

    def features(self, prompt: str) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            return self.embed(torch.tensor([self.tokenize(prompt)], device=self.device)).float()


def text_features(encoder: str, prompt: str) -> Features:
    """float32 D, of unit length, read-only. For clip-vit-b-32, clip-vit-l-14, xclip-b-32 and clap.

    Cached in this process. Raises NotMeasurable: no weights, weights that cannot be used, numbers that are not finite.
    """
    return _text_features(encoder, pinned(encoder).sha256, prompt)


def prompted_text_features(encoder: str, prompt: str, patches_PD: Features) -> Features:
    """A text as X-CLIP compares it with the clip that these patches are of: float32 D, of unit length.

    patches_PD: of the feature `xclip_b32_clip`. Raises as text_features does.
    """
    import torch

    from eval.encoders.open.xclip import prompted

    sha256 = pinned(encoder).sha256
    tower, text_D = _tower_or_reason(encoder, sha256), _plain_features(encoder, sha256, prompt)
    with torch.inference_mode():
        return _unit(encoder, prompted(tower.network, text_D, torch.tensor(patches_PD, device=tower.device)))


@lru_cache(maxsize=4096)
def _text_features(encoder: str, sha256: str, prompt: str) -> Features:
    features_D = _unit(encoder, _plain_features(encoder, sha256, prompt))
    features_D.flags.writeable = False
    return features_D


@lru_cache(maxsize=4096)
def _plain_features(encoder: str, sha256: str, prompt: str) -> torch.Tensor:
    """D, not normalised, on the device."""
    return _tower_or_reason(encoder, sha256).features(prompt)


def _unit(encoder: str, features_D: torch.Tensor) -> Features:
    row_D: Features = features_D.cpu().numpy()
    length = float(np.linalg.norm(row_D))
    if not (np.isfinite(length) and length > 0):
        raise NotMeasurable(f"{encoder} gave no direction for the text: its features are NaN, infinite or zero")
    return row_D / np.float32(length)


def _tower_or_reason(encoder: str, sha256: str) -> TextTower:
    tower = _tower(encoder, sha256)
    if isinstance(tower, str):
        raise NotMeasurable(tower)
    return tower


@lru_cache(maxsize=8)
def _tower(encoder: str, _sha256: str) -> TextTower | str:
    """The tower, or why there is none. The hash of the weights is in the key."""
    from eval.encoders.device import device

    try:
        return _load(encoder, device())
    except NotMeasurable as reason:
        return str(reason)


def _load(encoder: str, place: torch.device) -> TextTower:
    from eval.encoders.open.weights import load_tokenizer, load_transformers

    if encoder == "xclip-b-32":
        from eval.encoders.open.xclip import shared_network

        network = shared_network(encoder, place)

        def embed(tokens_1L: torch.Tensor) -> torch.Tensor:
            features_1D: torch.Tensor = network.text_projection(network.text_model(tokens_1L).pooler_output)
            return features_1D[0]

    else:
        of = "ClapTextModelWithProjection" if encoder == "clap" else "CLIPTextModelWithProjection"
        network = load_transformers(encoder, of).to(place)

        def embed(tokens_1L: torch.Tensor) -> torch.Tensor:
            features_1D: torch.Tensor = network(tokens_1L).text_embeds
            return features_1D[0]

    return TextTower(network, embed, load_tokenizer(encoder, TOKENS), place)
