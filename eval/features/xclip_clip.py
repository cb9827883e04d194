"""Feature `xclip_b32_clip`: a clip's place in X-CLIP's space of clips and texts, from 8 of its frames.

Shape legend: T frames, P patches, D width of the features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from eval.clip import ClipInfo, FramesTCHW
from eval.encoders.middle_frames import MiddleFrames
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.encoders.runner import Ticket
from eval.feature import FEATURES, Arrays, Feature

ENCODER = "xclip-b-32"
FRAMES = 8


@dataclass(frozen=True, slots=True)
class OwedClip:
    """The one row of a ticket: a Pending."""

    ticket: Ticket

    def result(self) -> Arrays:
        """features_D: of any length. patches_PD: what prompts a text (eval.encoders.open.text). Both float32."""
        row_PD = self.ticket.result()[0]
        return {"features_D": row_PD[0], "patches_PD": row_PD[1:]}


def start(_info: ClipInfo) -> MiddleFrames:
    """Raises NotMeasurable where the user's weights are missing."""
    return MiddleFrames(runner(ENCODER), FRAMES, small, OwedClip)


def small(frames_TCHW: FramesTCHW) -> FramesTCHW:
    """Frames as X-CLIP sees them, before they are normalised."""
    from eval.encoders.open import xclip

    return xclip.small(frames_TCHW)


FEATURES.add(
    "xclip_b32_clip",
    Feature("xclip_b32_clip", 1, "picture", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
