"""Feature `musiq_frames`: how good each frame looks to MUSIQ, as VBench's imaging quality has it.

Shape legend: T frames.
"""

from __future__ import annotations

from functools import lru_cache, partial

from eval.clip import ClipInfo
from eval.encoders.accumulators import FrameEncoding
from eval.encoders.local import pinned
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.runner import Runner
from eval.feature import FEATURES, Feature

NAME = "musiq-spaq"


def start(_info: ClipInfo) -> FrameEncoding:
    """score_T: float32, 0 (bad) to 100, not clipped. Raises NotMeasurable where the user's weights are missing."""
    return FrameEncoding(runner(pinned(NAME).sha256), "score_T")


@lru_cache(maxsize=1)
def runner(_weights_sha256: str) -> Runner:
    """The network of this process; loaded again when other weights were pulled."""
    from eval.encoders.device import device
    from eval.encoders.networks.musiq import musiq

    # Without autocast: bfloat16 holds three digits, and scores are compared at the fourth.
    return Runner(NAME, musiq().to(device()), autocast=False)


FEATURES.add(
    "musiq_frames",
    Feature("musiq_frames", 1, "picture", start, encoder=NAME, weights=partial(weights_sha256, NAME)),
)
