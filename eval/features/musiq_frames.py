"""Feature `musiq_frames`: how good each frame looks to MUSIQ, as VBench's imaging quality has it.

Shape legend: T frames.
"""

from __future__ import annotations

from functools import partial

from eval.clip import ClipInfo
from eval.encoders.accumulators import FrameEncoding
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.feature import FEATURES, Feature

ENCODER = "musiq-spaq"


def start(_info: ClipInfo) -> FrameEncoding:
    """score_T: float32, 0 (bad) to 100, not clipped. Raises NotMeasurable where the user's weights are missing."""
    return FrameEncoding(runner(ENCODER), "score_T")


FEATURES.add(
    "musiq_frames",
    Feature("musiq_frames", 1, "picture", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
