"""What the attribute reader is trained and measured on: scenes of its own, their labels, and rendered clips on disk.

The reader judges generators, so nothing that it has seen may be judged: its scenes have seeds that no suite, no
reference clip and no other training uses.

Shape legend: N clips, T frames, H height, W width, F factors.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from eval.cache import write_atomically
from eval.errors import UserError
from eval.features.backlot_reader.factors import Conditions, Factor
from moviegen.backlot import FACTORS, Scene, allowed, applies, render, sample_scene, truth
from moviegen.backlot.exact import draw
from moviegen.backlot.factors import PERSON_FACTORS, Level

Split = Literal["train", "held out", "held out, flat"]
FIRST_SEED: Mapping[Split, int] = {"train": 1 << 44, "held out": 1 << 45, "held out, flat": 1 << 46}
LAST_SEED = 1 << 47
"""All of the reader's seeds lie from 1 << 44 to here."""

SIZE = 64
FRAMES = 32
FPS = 8.0
PER_FILE = 128

LOOKS = (0, 8, 16, 24)
"""Frames whose masks are known in training."""
CELLS = 16

FORMS: tuple[tuple[int, int], ...] = ((64, 64), (64, 64), (64, 64), (64, 64), (64, 64), (64, 64), (112, 64), (64, 112))
"""Width and height of training clips in turn; all are shrunk to SIZE × SIZE, which is how the reader sees any clip."""

PEOPLE, ALONE, SINGLE = 0.4, 0.5, 0.6
"""In flat scenes: the share about a person, of subjects without a second one, and of single subjects."""

TRAVELS = ("walk", "run", "roll", "slide", "drive")
"""The actions whose captions say which way."""


def _but(name: str, *without: Level) -> dict[str, tuple[Level, ...]]:
    return {name: tuple(value for value in FACTORS[name].values if value not in without)}


_PERSON = {"subject": ("person",)}
_WHERE: Mapping[str, Conditions] = {
    "count": _but("subject", "person"),  # the world never shows two people
    "size": _but("action", "collide"),
    "relation": _but("action", "collide"),
    "hair_color": _but("hair_style", "bald"),
    "heading": {"action": TRAVELS},
}
_NEEDS: Mapping[str, Conditions] = {
    **dict.fromkeys(PERSON_FACTORS, _PERSON),
    "other_color": _but("other", "none"),
    "relation": _but("other", "none"),
}


def _factors() -> tuple[Factor, ...]:
    """Every factor that a picture might show, with its classes."""
    names = [name for name in FACTORS if name != "mood"]
    return tuple(Factor(name, _classes(name), _WHERE.get(name, {}), _NEEDS.get(name, {})) for name in names)


def _classes(name: str) -> tuple[tuple[Level, ...], ...]:
    if name == "skin":  # captions have a word for every two tones
        return tuple((tone, tone + 1) for tone in range(1, 11, 2))
    return tuple((value,) for value in FACTORS[name].values)


FACTORS_READ = _factors()
"""What the network has a head for; which of them count is decided by what it reaches on held-out scenes."""


class ClipsError(UserError):
    """A folder of rendered clips that was made for something else, or is damaged."""


def reader_scene(number: int, split: Split) -> Scene:
    """Scene `number` of a split: in training the sampler's own and flat ones in turn."""
    seed = FIRST_SEED[split] + number
    flat = split == "held out, flat" or (split == "train" and number % 2 == 1)
    return flat_scene(seed) if flat else sample_scene(seed)


def flat_scene(seed: int) -> Scene:
    """A scene whose factors are drawn evenly from their allowed values, natural or not: green dogs, cars at night."""
    given: dict[str, Any] = {}
    for name in FACTORS:
        if applies(name, given):
            given[name] = _evenly(seed, name, given)
    if given["subject"] == "person":
        given["face"] = int(draw(seed, "reader/face", 0, 1 << 31))
    return Scene(seed=seed, **given)


def _evenly(seed: int, name: str, given: Mapping[str, Any]) -> Any:
    values = allowed(name, given)
    common = {"subject": ("person", PEOPLE), "other": ("none", ALONE), "count": (1, SINGLE)}.get(name)
    if common is not None and len(values) > 1:
        if draw(seed, f"reader/{name}/common") < common[1]:
            return common[0]
        values = tuple(value for value in values if value != common[0])
    return values[int(draw(seed, f"reader/{name}") * len(values))]


def visible(scene: Scene) -> dict[str, Any]:
    """The scene's factors as a picture shows them: of two that collide, the left one is called the subject.

    "A ball collides with a box" and "a box collides with a ball" look the same.
    """
    known = scene.factors()
    if swaps(scene):
        known["subject"], known["other"] = known["other"], known["subject"]
        known["color"], known["other_color"] = known["other_color"], known["color"]
        known["relation"] = "left of"
    return known


def swaps(scene: Scene) -> bool:
    """Whether visible() changes the two subjects' places."""
    return scene.action == "collide" and scene.relation == "right of"


def labels_of(known: Mapping[str, Any]) -> npt.NDArray[np.int64]:
    """Class of each of FACTORS_READ, labels_F; -1 where the factor has no value or the picture cannot show it."""
    found = [factor.label(known) if factor.applies(known) else -1 for factor in FACTORS_READ]
    return np.array(found, np.int64)


def mirrored(labels_NF: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The labels of the same clips seen in a mirror. Of two that collide, the other one is then on the left."""
    swapped_NF = labels_NF.copy()
    for name in ("heading", "relation"):
        side_N = labels_NF[:, _AT[name]]
        swapped_NF[:, _AT[name]] = np.where(side_N < 0, -1, 1 - side_N)
    swapped_NF[:, _AT["camera"]] = _TURNED[labels_NF[:, _AT["camera"]]]
    crash_N = collides(labels_NF)
    for one, other in (("subject", "other"), ("color", "other_color")):
        # Both lists of kinds have the same order, but for what cannot collide.
        swapped_NF[crash_N, _AT[one]] = labels_NF[crash_N, _AT[other]]
        swapped_NF[crash_N, _AT[other]] = labels_NF[crash_N, _AT[one]]
    return swapped_NF


def collides(labels_NF: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which clips are of two subjects that collide, N."""
    return np.equal(labels_NF[:, _AT["action"]], FACTORS["action"].values.index("collide"))


_AT = {factor.name: index for index, factor in enumerate(FACTORS_READ)}
_CAMERAS = [str(move) for move in FACTORS["camera"].values]
_MIRROR = {"pan left": "pan right", "pan right": "pan left"}
_TURNED = np.array([_CAMERAS.index(_MIRROR.get(move, move)) for move in _CAMERAS])


def rendered(scene: Scene, width: int = SIZE, height: int = SIZE) -> npt.NDArray[np.uint8]:
    """The scene's first four seconds as the reader sees them: uint8 T,H,W,3, SIZE pixels a side."""
    clip = render(scene, width=width, height=height, fps=FPS, frames=FRAMES, sound=False)
    frames_THWC = clip.frames_TCHW.transpose(0, 2, 3, 1)
    if (width, height) == (SIZE, SIZE):
        return np.ascontiguousarray(frames_THWC)
    small = [cv2.resize(np.ascontiguousarray(one), (SIZE, SIZE), interpolation=cv2.INTER_AREA) for one in frames_THWC]
    return np.stack(small).astype(np.uint8)


def covered(scene: Scene, width: int = SIZE, height: int = SIZE) -> npt.NDArray[np.uint8]:
    """How much of each cell the subject and the second subject cover in LOOKS: uint8 L,2,CELLS,CELLS, 255 is all."""
    masks_LHW = truth(scene, width=width, height=height, fps=FPS / (LOOKS[1] - LOOKS[0]), frames=len(LOOKS)).masks_THW
    second = 2 if scene.other != "none" else 255
    first = (masks_LHW > 0) & (masks_LHW != second)
    both = [masks_LHW == second, first] if swaps(scene) else [first, masks_LHW == second]
    shares = [[_shrunk(mask_HW) for mask_HW in masks_LHW] for masks_LHW in both]
    return np.rint(255 * np.stack(shares, axis=1)).astype(np.uint8)


def _shrunk(mask_HW: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    small = cv2.resize(mask_HW.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


@dataclass(frozen=True, slots=True)
class Clips:
    """Rendered clips of a split: frames uint8 N,T,H,W,3 in parts (memory maps), labels N,F.

    covered: uint8 N,L,2,CELLS,CELLS of training clips, in parts as well.
    """

    parts: tuple[npt.NDArray[np.uint8], ...]
    labels_NF: npt.NDArray[np.int64]
    covered: tuple[npt.NDArray[np.uint8], ...] = ()

    def __len__(self) -> int:
        return len(self.labels_NF)

    def frames(self, row: int) -> npt.NDArray[np.uint8]:
        """The frames of one clip, T,H,W,3, copied into memory."""
        part, at = divmod(row, PER_FILE)
        return np.array(self.parts[part][at])

    def cells(self, row: int) -> npt.NDArray[np.uint8]:
        """What the subjects of one training clip cover, L,2,CELLS,CELLS."""
        part, at = divmod(row, PER_FILE)
        return np.array(self.covered[part][at])


def make_clips(folder: Path, split: Split, count: int, on_clip: Callable[[], None] = lambda: None) -> Clips:
    """Render `count` scenes of a split into files of PER_FILE clips, and map them; files that exist are kept.

    Training clips take FORMS in turn, held-out ones are square. Raises ClipsError for a damaged file.
    """
    frames, cells = [], []
    for first in range(0, count, PER_FILE):
        numbers = range(first, min(first + PER_FILE, count))
        name = f"{split.replace(', ', '-').replace(' ', '-')}-{first:06d}-{len(numbers)}"
        frames.append(_made(folder / f"{name}.npy", numbers, split, rendered, (FRAMES, SIZE, SIZE, 3), on_clip))
        if split == "train":
            shape = (len(LOOKS), 2, CELLS, CELLS)
            cells.append(_made(folder / f"{name}-cells.npy", numbers, split, covered, shape))
    labels = [labels_of(visible(reader_scene(number, split))) for number in range(count)]
    return Clips(tuple(frames), np.stack(labels), tuple(cells))


def _made(
    path: Path,
    numbers: range,
    split: Split,
    make: Callable[[Scene, int, int], npt.NDArray[np.uint8]],
    shape: tuple[int, ...],
    on_clip: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.uint8]:
    """The file's array, made first if need be, mapped into memory."""
    if not path.exists():
        made = []
        for number in numbers:
            # Scenes go by twos (the sampler's own, a flat one): both kinds take every form.
            width, height = FORMS[number // 2 % len(FORMS)] if split == "train" else (SIZE, SIZE)
            made.append(make(reader_scene(number, split), width, height))
            on_clip()
        stream = io.BytesIO()
        np.save(stream, np.stack(made), allow_pickle=False)
        write_atomically(path, stream.getvalue())
    try:
        array: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ClipsError(f"{path}: damaged ({error}): delete it and run again") from None
    if array.dtype != np.uint8 or array.shape != (len(numbers), *shape):
        raise ClipsError(f"{path}: holds something else ({array.dtype} {array.shape}): name another folder")
    return array
