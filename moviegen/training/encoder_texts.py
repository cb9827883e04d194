"""What the encoder's texts are in training: captions in all styles, nearly right ones, and which others are true too.

Shape legend: B clips and their captions, F factors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from moviegen.backlot import FACTORS, STYLES, Scene, caption
from moviegen.backlot.contrasts import changed, with_colours_exchanged
from moviegen.backlot.stated import stated, tellable

UNSEEN = ("mood",)
"""What a picture cannot show, though captions state it."""

SHARES = {"plain": 0.15, "place-first": 0.12, "detailed": 0.35, "noun": 0.1, "film": 0.16, "tags": 0.12}
"""How often a clip is described in each style; the detailed one states the most."""

EXCHANGED = 0.5
"""How often a change of colour exchanges two subjects' colours."""

_TRIES = 6
_VALUES = {name: {value: at for at, value in enumerate(factor.values)} for name, factor in FACTORS.items()}


def chosen_styles(count: int, random: np.random.Generator) -> list[str]:
    """A style for each of `count` captions."""
    return [STYLES[k] for k in random.choice(len(STYLES), count, p=[SHARES[style] for style in STYLES])]


def visible_factors(scene: Scene, style: str) -> tuple[str, ...]:
    """The factors that the caption tells, be it by silence, and a picture can show."""
    return tuple(name for name in tellable(scene, style) if name not in UNSEEN)


def nearly_right(scene: Scene, style: str, random: np.random.Generator) -> str:
    """The caption of the scene with one factor changed; empty where none was found that reads differently.

    Whatever is said is changed to something unsaid as often as the other way round: no text is right by its words.
    """
    said, right = visible_factors(scene, style), caption(scene, style)
    for _ in range(_TRIES):
        factor = said[int(random.integers(len(said)))]
        other = None
        if factor == "color" and random.random() < EXCHANGED:
            other = with_colours_exchanged(scene)
        other = other or changed(scene, factor, float(random.random()))
        if other is not None and caption(other, style) != right:
            return caption(other, style)
    return ""


def coded(scenes: Sequence[Scene]) -> npt.NDArray[np.int8]:
    """Number of each factor's value, B,F; -1 where it has none. Skin goes by twos, as in captions."""
    rows = [[_code(name, value) for name, value in scene.factors().items()] for scene in scenes]
    return np.array(rows, np.int8)


def _code(name: str, value: object) -> int:
    if value is None:
        return -1
    code = _VALUES[name][value]  # type: ignore[index]
    return code // 2 if name == "skin" else code


def also_true(codes_BF: npt.NDArray[np.int8], styles: Sequence[str], scenes: Sequence[Scene]) -> npt.NDArray[np.bool_]:
    """Whether caption j, which belongs to clip j, is true of clip i as well, B,B; False for i = j.

    "A dog runs through a park" is true of every clip of a running dog in a park.
    """
    said_BF = np.zeros(codes_BF.shape, bool)
    for row, scene, style in zip(said_BF, scenes, styles, strict=True):
        row[[_AT[name] for name in stated(scene, style)]] = True
    true_BB = np.ones((len(codes_BF),) * 2, bool)
    for f in range(codes_BF.shape[1]):
        true_BB &= ~said_BF[None, :, f] | (codes_BF[:, None, f] == codes_BF[None, :, f])
    np.fill_diagonal(true_BB, False)
    return true_BB


_AT = {name: at for at, name in enumerate(FACTORS)}
