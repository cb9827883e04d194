"""What the configuration of each network must say: another size of the same family is another network.

Checked before anything is built, so that a stranger's configuration cannot ask for a network of any size either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.feature import NotMeasurable

Facts = Mapping[str, object]
"""Entry of the configuration, dots between its levels → its value."""


def _clip(width: int, depth: int, patch: int, text: int, shared: int) -> Facts:
    return {
        "vision_config.hidden_size": width,
        "vision_config.num_hidden_layers": depth,
        "vision_config.patch_size": patch,
        "vision_config.image_size": 224,
        "text_config.hidden_size": text,
        "text_config.num_hidden_layers": 12,
        "text_config.max_position_embeddings": 77,
        "projection_dim": shared,
    }


def _vit(width: int, depth: int, patch: int, **more: int) -> Facts:
    return {"hidden_size": width, "num_hidden_layers": depth, "patch_size": patch, **more}


ARCHITECTURES: dict[str, Facts] = {
    "clip-vit-b-32": _clip(768, 12, 32, text=512, shared=512),
    "clip-vit-l-14": _clip(1024, 24, 14, text=768, shared=768),
    "dino-vit-b-16": _vit(768, 12, 16, image_size=224),
    "dinov2-vit-b-14": _vit(768, 12, 14, image_size=518),
    "videomae-vit-b": _vit(768, 12, 16, image_size=224, num_frames=16, tubelet_size=2),
    "vjepa2-vit-l": _vit(1024, 24, 16, crop_size=256, tubelet_size=2),
    "xclip-b-32": {**_clip(768, 12, 32, text=512, shared=512), "vision_config.num_frames": 8},
    "clap": {
        "audio_config.enable_fusion": False,
        "audio_config.hidden_size": 768,
        "audio_config.depths": (2, 2, 6, 2),
        "audio_config.num_mel_bins": 64,
        "text_config.hidden_size": 768,
        "text_config.num_hidden_layers": 12,
        "projection_dim": 512,
    },
}


def check_architecture(name: str, config: Any) -> None:
    """Raise NotMeasurable where a configuration of transformers is not that of the network called `name`."""
    for entry, wanted in ARCHITECTURES[name].items():
        found = config
        for level in entry.split("."):
            found = getattr(found, level, None)
        if (tuple(found) if isinstance(found, list) else found) != wanted:
            raise NotMeasurable(f"the weights of {name} are of another network: {entry} is {found}, not {wanted}")
