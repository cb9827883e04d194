"""The camera: shots, pans, zooms and tilts, as poses from the world to the screen.

World: subject plane in units where an adult is 1 high; across from the middle, down from the ground line.
Backdrop: across and down in picture heights, from the middle of the horizon; depth 0 is the sky, 1 the subject plane.
Screen: pixels of the (supersampled) canvas. Everything depends on time in seconds alone, never on a clip's length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moviegen.backlot.exact import Floats
from moviegen.backlot.pose import Pose

MOVE_S = 5.0
"""A camera moves steadily for this long, then holds."""
PAN = 0.46
TILT = 0.22
ZOOM_IN = (0.86, 1.46)
ZOOM_OUT = (1.40, 0.90)


@dataclass(frozen=True, slots=True)
class Framing:
    """What a shot shows of the subject plane: view height in world units, the ground line's and horizon's place on
    the screen (0 top, 1 bottom), and how much nearer the backdrop seems than in a wide shot.
    """

    view_h: float
    ground: float
    horizon: float
    backdrop: float


class Camera:
    """Poses for the subject plane and for backdrop layers at the times of the frames."""

    def __init__(self, move: str, framing: Framing, width: int, height: int, time_s_T: Floats) -> None:
        self.width, self.height, self.framing = width, height, framing
        self.aspect = width / height
        part = np.minimum(time_s_T, MOVE_S) / MOVE_S
        self.pan: Any = 0.0
        self.tilt: Any = 0.0
        self.zoom: Any = 1.0
        if move in ("pan left", "pan right"):
            side = 1.0 if move == "pan right" else -1.0
            self.pan = (part - 0.4) * (side * PAN * min(self.aspect, 1.6))
        elif move in ("tilt up", "tilt down"):
            side = -1.0 if move == "tilt up" else 1.0
            self.tilt = (part - 0.4) * (side * TILT)
        elif move in ("zoom in", "zoom out"):
            first, last = ZOOM_IN if move == "zoom in" else ZOOM_OUT
            self.zoom = first + (last - first) * part

    def _pose(self, scale: float, top: float, share: float) -> Pose:
        """Local units of `scale` picture heights; origin at screen height `top`; moved by this share of the camera."""
        zoom = self.zoom * float(self.height)
        x = self.width * 0.5 - self.pan * share * zoom
        y = self.height * 0.5 + (top - 0.5 - self.tilt) * zoom
        return Pose(zoom * scale, 0.0, 0.0, zoom * scale, x, y)

    def world(self) -> Pose:
        """From world units to the screen."""
        return self._pose(1.0 / self.framing.view_h, self.framing.ground, 1.0)

    def layer(self, depth: float) -> Pose:
        """From backdrop units to the screen for scenery at a depth."""
        return self._pose(self.framing.backdrop, self.framing.horizon, 0.08 + 0.92 * depth)
