"""Features `videomae_b_clip`, `vjepa2_l_clip` and `i3d_k400_clip`: one row for every 16 consecutive frames.

Sixteen is what VideoMAE was trained on, what StyleGAN-V's FVD takes, and what V-JEPA 2's ViT-L sees of
Something-Something (its probe `ssv2-vitl-16x2x3`). All frames at native rate and size; each network has its own
preprocessing.

Shape legend: S windows, D width of the features.
"""

from __future__ import annotations

from functools import partial

from eval.clip import ClipInfo
from eval.encoders.accumulators import WindowEncoding
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.feature import FEATURES, Feature

FRAMES = 16
NETWORKS = {"videomae_b_clip": "videomae-vit-b", "vjepa2_l_clip": "vjepa2-vit-l", "i3d_k400_clip": "i3d-k400"}


def start(encoder: str, _info: ClipInfo) -> WindowEncoding:
    """features_SD: float32. Raises NotMeasurable where the user's weights are missing; finish, where frames are."""
    return WindowEncoding(runner(encoder), FRAMES)


for _name, _encoder in NETWORKS.items():
    FEATURES.add(
        _name,
        Feature(
            _name, 1, "picture", partial(start, _encoder), encoder=_encoder, weights=partial(weights_sha256, _encoder)
        ),
    )
