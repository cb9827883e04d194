"""Recasting: a scene with somebody else in it, all that was asked for kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moviegen.backlot.factors import FACTORS
from moviegen.backlot.scene import Scene, sample_scene


def recast(scene: Scene, seed: int, left_open: tuple[str, ...], looks: Mapping[str, Any]) -> Scene:
    """The scene with the factors in `left_open` and the face drawn anew by `seed`; `looks` fixes some of the open ones.

    Every factor has a stream of its own: scenes that differ in a kept factor alone differ, recast with one seed, in
    little else. Raises ValueError for unknown factors and values that clash.
    """
    known = scene.factors()
    kept = {name: known[name] for name in FACTORS if name not in left_open and known[name] is not None}
    return sample_scene(seed, **{**kept, **{name: value for name, value in looks.items() if name in left_open}})
