"""Features of every frame by itself, at native size: `clip_b32_frames`, `clip_l14_frames`, `dino_b16_frames`,
`dinov2_b14_frames`.

CLIP's are in its space of pictures and texts. DINO's are class tokens; as in VBench's subject consistency, it sees the
whole frame, DINOv2 the middle square.

Shape legend: T frames, D width of the features.
"""

from __future__ import annotations

from functools import partial

from eval.clip import ClipInfo
from eval.encoders.accumulators import FrameEncoding
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.feature import FEATURES, Feature

NETWORKS = {
    "clip_b32_frames": "clip-vit-b-32",
    "clip_l14_frames": "clip-vit-l-14",
    "dino_b16_frames": "dino-vit-b-16",
    "dinov2_b14_frames": "dinov2-vit-b-14",
}


def start(encoder: str, _info: ClipInfo) -> FrameEncoding:
    """features_TD: float32, of any length. Raises NotMeasurable where the user's weights are missing."""
    return FrameEncoding(runner(encoder))


for _name, _encoder in NETWORKS.items():
    FEATURES.add(
        _name,
        Feature(
            _name, 1, "picture", partial(start, _encoder), encoder=_encoder, weights=partial(weights_sha256, _encoder)
        ),
    )
