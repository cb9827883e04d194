"""Rendering: a scene as a clip.

Shape legend: T frames, C channels, H height, W width, N samples.
"""

from __future__ import annotations

import numpy as np

from eval.clip import Clip
from moviegen.backlot.compose import compose, events
from moviegen.backlot.exact import Floats
from moviegen.backlot.paint import paint, place
from moviegen.backlot.scene import Scene
from moviegen.backlot.sound import soundtrack

SUPERSAMPLING = 2


def frame_times(fps: float, frames: int) -> Floats:
    """When each frame is shown, in seconds."""
    return np.arange(frames) / fps


def check_form(width: int, height: int, fps: float, frames: int, rate_hz: int) -> None:
    """Raise ValueError unless a clip of this form can be rendered."""
    for name, value, low, high in (
        ("width", width, 8, 4096),
        ("height", height, 8, 4096),
        ("frames", frames, 1, 100_000),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}; got {value}")
    if not 0 < fps <= 1000:
        raise ValueError(f"fps must be above 0 and at most 1000; got {fps}")
    if not 4000 <= rate_hz <= 192_000:
        raise ValueError(f"rate_hz must be from 4000 to 192000; got {rate_hz}")


def render(
    scene: Scene,
    *,
    width: int = 64,
    height: int = 64,
    fps: float = 8.0,
    frames: int = 32,
    rate_hz: int = 16000,
    sound: bool = True,
) -> Clip:
    """The clip of a scene: uint8 RGB T,3,H,W and, with sound, mono float32 1,N with N = round(frames/fps*rate_hz).

    The same scene and arguments give the same bytes on every machine; frame t depends on t/fps alone.
    Raises ValueError for a form outside the limits (8-4096 pixels a side).
    """
    check_form(width, height, fps, frames, rate_hz)
    factor = SUPERSAMPLING
    duration_s = frames / fps
    composition = compose(scene, width * factor, height * factor, frame_times(fps, frames), duration_s)
    placed = place(composition.stage.shapes, frames, width * factor, height * factor, factor)
    frames_THWC = paint(placed, composition.gradient, composition.particles, frames, width, height, factor)
    audio_CN = soundtrack(scene, events(composition), duration_s, rate_hz)[None] if sound else None
    return Clip(frames_THWC.transpose(0, 3, 1, 2), float(fps), audio_CN, rate_hz if sound else None)
