"""Feature `viclip_l_clip`: a clip's place in ViCLIP's space of clips and texts, from 8 of its frames, as in VBench.

Shape legend: N clips, T frames, C channels, H height, W width, D features.
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

ENCODER = "viclip-l"
FRAMES = 8


@dataclass(frozen=True, slots=True)
class OwedClip:
    """The one row of a ticket: a Pending."""

    ticket: Ticket

    def result(self) -> Arrays:
        """features_D: float32, of any length."""
        return {"features_D": self.ticket.result()[0]}


def start(_info: ClipInfo) -> MiddleFrames:
    """Raises NotMeasurable where the user's weights are missing."""
    return MiddleFrames(runner(ENCODER), FRAMES, small, OwedClip)


def small(frames_TCHW: FramesTCHW) -> FramesTCHW:
    """Frames as ViCLIP sees them, before they are normalised."""
    from eval.encoders.networks.viclip_frames import cropped

    return cropped(frames_TCHW)


FEATURES.add(
    "viclip_l_clip",
    Feature("viclip_l_clip", 1, "picture", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
