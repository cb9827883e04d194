"""The questions put to raters: the axes of Movie Gen's human evaluation.

Movie Gen (arXiv:2410.13720) asks about picture in section 3.5.1, about people shown by a portrait in 5.3 and about
sound in 6.3. The wording here is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eval.errors import UserError

Kind = Literal["picture", "sound", "identity"]


@dataclass(frozen=True, slots=True)
class Axis:
    """One question about two clips.

    kind: picture: of every clip; sound: where both clips have sound; identity: where the case gives a portrait.
    part_of: the axis that this one takes apart; empty for an axis of its own.
    raters: how many Movie Gen lets answer it about the same two clips (three; six where tastes differ most).
    """

    name: str
    label: str
    question: str
    hint: str
    kind: Kind = "picture"
    part_of: str = ""
    raters: int = 3


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis(
            "text_alignment",
            "Text alignment",
            "Which clip follows the prompt better?",
            "Is everything there that was asked for, does it look as asked, and does it do what was asked?",
        ),
        Axis(
            "overall_quality",
            "Overall quality",
            "Which clip is better overall, whatever was asked for?",
            "Look at frames that hold together, at motion that is there and natural, and at the picture itself.",
        ),
        Axis(
            "frame_consistency",
            "Frame consistency",
            "Which clip holds together better from frame to frame?",
            "Things keep their shape, colour and number: no morphing, no flicker, nothing that comes from nowhere.",
            part_of="overall_quality",
        ),
        Axis(
            "motion_completeness",
            "Motion completeness",
            "Which clip has motion enough for what it shows?",
            "Only whether enough moves, not how naturally: a clip that should move and stands still is worse.",
            part_of="overall_quality",
        ),
        Axis(
            "motion_naturalness",
            "Motion naturalness",
            "In which clip is the motion more natural?",
            "Bodies, weight, contact and speed as in the real world, without artefacts.",
            part_of="overall_quality",
        ),
        Axis(
            "realness",
            "Realness",
            "Which clip looks more like real footage?",
            "For an imagined scene: like footage of that scene, had it been real.",
            raters=6,
        ),
        Axis(
            "aesthetics",
            "Aesthetics",
            "Which clip is more pleasing to look at?",
            "Light, colour, framing and mood; taste decides.",
            raters=6,
        ),
        Axis(
            "sound_quality",
            "Sound: overall quality",
            "Which clip's sound is better overall?",
            "Listen to both, one after the other: the player's Sound box changes sides.",
            "sound",
        ),
        Axis(
            "sound_naturalness",
            "Sound: naturalness",
            "Which clip's sound is more natural?",
            "Like a recording, without artefacts: no hiss, clicks, or sounds that no thing makes.",
            "sound",
            "sound_quality",
        ),
        Axis(
            "sound_professionalness",
            "Sound: professionalness",
            "Which clip's sound is made more like a professional would?",
            "Balance, mix and clarity.",
            "sound",
            "sound_quality",
        ),
        Axis(
            "sound_synchronisation",
            "Sound: synchronisation",
            "In which clip does the sound go better with the motion in time?",
            "Steps, blows and splashes are heard when they are seen.",
            "sound",
        ),
        Axis(
            "sound_correctness",
            "Sound: correctness",
            "Which clip's sound fits better to what is seen?",
            "What can be heard is what would be heard there; nothing is missing, nothing is added.",
            "sound",
        ),
        Axis(
            "face_similarity",
            "Face similarity",
            "Which clip's person looks more like the portrait?",
            "Judge each clip by its best moment.",
            "identity",
        ),
        Axis(
            "face_consistency",
            "Face consistency",
            "In which clip does the person stay more alike the portrait all the way?",
            "Judge each clip by its worst moment in which the face is seen.",
            "identity",
        ),
    )
}
"""Name → axis, in the order in which they are offered."""


class AxisError(UserError):
    """An axis that there is not. One line that names the known ones."""


def find_axis(name: str) -> Axis:
    """Raises AxisError for an unknown name."""
    if name not in AXES:
        raise AxisError(f"unknown axis {name!r}: known are {', '.join(AXES)}")
    return AXES[name]
