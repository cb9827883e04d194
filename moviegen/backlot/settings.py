"""The table of settings, and what depends on where a scene is."""

from __future__ import annotations

from collections.abc import Callable

from moviegen.backlot.lands import city, desert, forest, park, snow, studio
from moviegen.backlot.palette import Color
from moviegen.backlot.scenery import Scenery, Stops
from moviegen.backlot.waters import beach, open_water, sea, underwater

SETTINGS: dict[str, Callable[[Scenery], Stops]] = {
    "park": park,
    "beach": beach,
    "city": city,
    "desert": desert,
    "snow": snow,
    "forest": forest,
    "sea": sea,
    "studio": studio,
    "open water": open_water,
    "underwater": underwater,
}
"""Setting -> its painter. The sea is three places: a jetty, the open water for boats, and underwater for fish."""


def place_of(setting: str, subject: str) -> str:
    """The painter's name for a subject in a setting."""
    return {"boat": "open water", "fish": "underwater"}.get(subject, setting)


GROUND: dict[str, Color] = {
    "park": (102, 176, 78),
    "beach": (242, 212, 150),
    "city": (92, 94, 106),
    "desert": (234, 166, 94),
    "snow": (240, 245, 250),
    "forest": (112, 140, 76),
    "sea": (186, 140, 96),
    "studio": (226, 206, 190),
    "open water": (36, 112, 174),
    "underwater": (150, 170, 160),
}
"""The ground under the subject's feet, for shadows and splashes."""
