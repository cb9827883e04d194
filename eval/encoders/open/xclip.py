"""X-CLIP: what a clip looks like, and what a text says once that clip's own patches have prompted it.

X-CLIP compares a clip not with the plain features of a text, but with the text prompted by the clip (Ni et al. 2022,
section 3.3). So a clip leaves both: its features, and the patches that prompt.

Shape legend: N clips, T frames, C channels, H height, W width, P patches, D width of the features.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from eval.clip import FramesTCHW
from eval.encoders.local import pinned
from eval.encoders.open.preprocess import IMAGENET, normalised, videomae_levels
from eval.encoders.open.weights import load_transformers

if TYPE_CHECKING:
    from eval.encoders.runner import Encode


def xclip(name: str, device: torch.device) -> Encode:
    """uint8 N,8,C,224,224 of `small` → float N,1+P,D: the clip's features, then its patches, averaged over frames."""
    network = shared_network(name, device)

    def encode(clips_NTCHW: torch.Tensor) -> torch.Tensor:
        count, frames = clips_NTCHW.shape[:2]
        seen = network.vision_model(normalised(clips_NTCHW.flatten(0, 1).float(), IMAGENET))
        frames_NTD = network.visual_projection(seen.pooler_output).unflatten(0, (count, frames))
        whole_ND = network.mit(frames_NTD).pooler_output
        patches = network.prompts_visual_layernorm(seen.last_hidden_state[:, 1:]) @ network.prompts_visual_projection
        patches_NPD = patches.unflatten(0, (count, frames)).mean(dim=1)
        return torch.cat([whole_ND[:, None].float(), patches_NPD.float()], dim=1)

    return encode


def small(frames_TCHW: FramesTCHW) -> FramesTCHW:
    """What X-CLIP sees of frames, uint8 T,3,224,224: its processor rounds to whole grey levels at this very point."""
    levels_TCHW = videomae_levels(torch.from_numpy(np.array(frames_TCHW)))
    return np.asarray(levels_TCHW.byte().numpy())


def prompted(network: Any, text_D: torch.Tensor, patches_PD: torch.Tensor) -> torch.Tensor:
    """The text's features, prompted by a clip's patches: D."""
    text_11D = text_D[None, None]
    prompted_D: torch.Tensor = (text_11D + network.prompts_generator(text_11D, patches_PD[None]))[0, 0]
    return prompted_D


def shared_network(name: str, device: torch.device) -> Any:
    """Both towers, loaded once: clips and texts need parts of the same file."""
    return _network(name, pinned(name).sha256, device)


@lru_cache(maxsize=2)
def _network(name: str, _sha256: str, device: torch.device) -> Any:
    return load_transformers(name, "XCLIPModel").to(device)
