"""One Runner for each open network and process, loaded when the first clip asks for it.

A load that failed is not tried again for the next clip: hashing gigabytes to say the same would cost more than scoring.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from eval.encoders.local import pinned
from eval.encoders.runner import Runner
from eval.feature import NotMeasurable

if TYPE_CHECKING:
    import torch

    from eval.encoders.runner import Encode, Steps

    Load = Callable[[str, torch.device], Encode | Steps]

LOADERS = {
    "clip-vit-b-32": "open.pictures.clip",
    "clip-vit-l-14": "open.pictures.clip",
    "dino-vit-b-16": "open.pictures.dino",
    "dinov2-vit-b-14": "open.pictures.dinov2",
    "videomae-vit-b": "open.videos.videomae",
    "vjepa2-vit-l": "open.videos.vjepa2",
    "i3d-k400": "open.videos.i3d",
    "xclip-b-32": "open.xclip.xclip",
    "clap": "open.sound.clap",
    "raft-things": "open.flow.raft",
    "amt-s": "open.interpolation.amt",
    "musiq-spaq": "networks.musiq.musiq",
    "viclip-l": "networks.viclip.viclip",
}
"""Where each network's function is: named, not imported, so that a registration imports no torch."""
BFLOAT16 = {"dinov2-vit-b-14", "videomae-vit-b", "vjepa2-vit-l", "xclip-b-32"}
"""On GPUs in bfloat16 where torch deems it safe. The others give numbers that are compared with VBench's at 1e-4, of
which it takes up to 0.6 (DINO's consistency, random weights, three real frames), or are decibels, or programs.
"""


def runner(name: str) -> Runner:
    """The network called `name`. Raises NotMeasurable with the reason."""
    loaded = _loaded(name, pinned(name).sha256)
    if isinstance(loaded, str):
        raise NotMeasurable(loaded)
    return loaded


@lru_cache(maxsize=32)
def _loaded(name: str, _sha256: str) -> Runner | str:
    """The network, or why there is none. The hash of the weights is in the key."""
    from eval.encoders.device import device

    module, function = LOADERS[name].rsplit(".", 1)
    load = cast("Load", getattr(importlib.import_module(f"eval.encoders.{module}"), function))
    place = device()
    try:
        return Runner(name, load(name, place), device=place, autocast=name in BFLOAT16)
    except NotMeasurable as reason:
        return str(reason)
