"""How well an encoder tells held-out scenes apart: each among many others, and from itself with one thing changed.

Shape legend: N clips or texts, E coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle, islice

import numpy as np
import torch
from torch import Tensor

from eval.features.backlot_encoder.network import Encoder
from eval.features.backlot_encoder.text import as_tensors
from eval.features.backlot_encoder.words import word_lists
from moviegen.backlot import FACTORS, STYLES, Scene, caption
from moviegen.backlot.contrasts import changed
from moviegen.backlot.exact import draw
from moviegen.training.encoder_texts import UNSEEN, visible_factors
from moviegen.training.encoder_views import Views
from moviegen.training.reader_data import Split, reader_scene

GALLERY = 256
"""Scenes among which a clip's caption, or a caption's clip, is looked for."""
DETAILED = "detailed"
"""The style that states every factor: the one in which changes are told."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Share of clips whose own caption is the nearest, and of captions whose own clip is."""

    clip_to_text: float
    text_to_clip: float


@dataclass(frozen=True, slots=True)
class Change:
    """A held-out scene, and the same with one factor changed."""

    row: int
    factor: str
    scene: Scene
    other: Scene


@dataclass(frozen=True, slots=True)
class Told:
    """Of so many changes, the share in which the clip is nearer to its caption than to the changed one's, and in which
    the caption is nearer to its clip than to the changed scene's.
    """

    text: float
    clip: float
    counted: int


def galleries(split: Split, size: int = GALLERY) -> Iterator[list[int]]:
    """Numbers of scenes, one gallery after another: within each, no two plain captions agree, so that any two scenes
    differ in a factor that every caption states.
    """
    numbers = count()
    while True:
        found: dict[str, int] = {}
        while len(found) < size:
            number = next(numbers)
            found.setdefault(caption(reader_scene(number, split)), number)
        yield list(found.values())


@torch.inference_mode()
def clip_points(encoder: Encoder, views: Views) -> Tensor:
    """Points of clips, N,E."""
    points_NE: Tensor = encoder.clip(encoder.clip_standard(torch.from_numpy(views.clips_ND).float()))
    return points_NE


@torch.inference_mode()
def frame_points(encoder: Encoder, views: Views) -> Tensor:
    """Points of one frame of each clip, N,E."""
    points_NE: Tensor = encoder.frame(encoder.frame_standard(torch.from_numpy(views.frames_NFD[:, 0]).float()))
    return points_NE


@torch.inference_mode()
def text_points(encoder: Encoder, numbers: Mapping[str, int], texts: Sequence[str]) -> Tensor:
    """Points of texts, N,E."""
    points_NE: Tensor = encoder.text(as_tensors(word_lists(texts, numbers)))
    return points_NE


def in_style(scenes: Sequence[Scene], style: str | None) -> list[str]:
    """The scenes' captions in one style, or in all in turn where none is named."""
    styles = STYLES if style is None else (style,)
    return [caption(scene, one) for scene, one in zip(scenes, cycle(styles), strict=False)]


def recall(points_NE: Tensor, texts_NE: Tensor) -> Recall:
    """Row n of both belongs together."""
    near_NN, right_N = points_NE @ texts_NE.T, torch.arange(len(points_NE))
    return Recall(_share(near_NN.argmax(dim=1) == right_N), _share(near_NN.argmax(dim=0) == right_N))


def changes(factor: str, wanted: int) -> list[Change]:
    """The first held-out scenes whose detailed caption tells the factor, each with another value of it.

    Empty for what the picture cannot show. Fewer where 64 scenes for each one wanted do not have as many.
    """
    found = (_change(row, factor) for row in range(64 * wanted if factor not in UNSEEN else 0))
    return list(islice((one for one in found if one is not None), wanted))


def shares(among: int) -> dict[str, float]:
    """How often each factor is the changed one if any that can be changed in a held-out scene may be."""
    found = dict.fromkeys(FACTORS, 0.0)
    for row in range(among):
        possible = [name for name in FACTORS if name not in UNSEEN and _change(row, name) is not None]
        for name in possible:
            found[name] += 1 / len(possible) / among
    return found


def _change(row: int, factor: str) -> Change | None:
    """The held-out scene with another value of the factor, where its caption would tell."""
    scene = reader_scene(row, "held out")
    if factor not in visible_factors(scene, DETAILED):
        return None
    other = changed(scene, factor, draw(scene.seed, f"change/{factor}"))
    if other is None or caption(other, DETAILED) == caption(scene, DETAILED):
        return None
    return Change(row, factor, scene, other)


@torch.inference_mode()
def told(encoder: Encoder, numbers: Mapping[str, int], pairs: Sequence[Change], right: Views, other: Views) -> Told:
    """How often the encoder tells the scenes of changes from the changed ones; right, other: views of their clips."""
    clips_NE, others_NE = clip_points(encoder, right), clip_points(encoder, other)
    texts_NE = text_points(encoder, numbers, [caption(pair.scene, DETAILED) for pair in pairs])
    wrong_NE = text_points(encoder, numbers, [caption(pair.other, DETAILED) for pair in pairs])
    own_N = (clips_NE * texts_NE).sum(dim=1)
    return Told(
        _share(own_N > (clips_NE * wrong_NE).sum(dim=1)), _share(own_N > (others_NE * texts_NE).sum(dim=1)), len(pairs)
    )


def _share(hits_N: Tensor) -> float:
    return float(np.mean(hits_N.numpy()))
