"""Frames that the face networks learn from: rendered once into files, a sixth of them as an autoencoder leaves them.

Shape legend: T frames, H height, W width, C channels, N frames in all, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache, reduce
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from eval.cache import write_atomically
from eval.errors import UserError
from moviegen.backlot import Scene
from moviegen.backlot.exact import draw
from moviegen.training.faces_scenes import FIRST_SEED, Seen, Split, face_scene, look_at, person_number

FORMS = ((64, 64),) * 6 + ((128, 128),) * 2 + ((112, 64), (64, 112), (256, 256))
"""Width and height that scenes take by chance."""
DECODED = 1 / 3
"""Share of the scenes of 64 x 64 that go through the autoencoder."""
LATENT_NOISE = 0.25
"""At most so much noise is added to latents, whose scale is 0.4: what a generator gets wrong."""
FRAMES_EACH = 2
PER_FILE = 400

PRESENTATIONS = ("feminine", "masculine")
"""In insightface's order."""
YEARS: Mapping[str, int] = {"child": 9, "adult": 35, "senior": 70}
"""What the age groups count as where a network answers in years."""


class FacesDataError(UserError):
    """A file of rendered frames that is damaged."""


@dataclass(frozen=True, slots=True)
class FaceFrames:
    """Frames of a split with at most one face each.

    shelves: pictures uint8 M,H,W,3, each of one form. shelves_N, places_N: on which of them frame n is, and where.
    forms_N: "WIDTHxHEIGHT". boxes_N4, points_N52, states_N as in Seen. people_N: number of the person, -1 for none.
    tones_N: 0-9 on the Monk scale; presentations_N: index in PRESENTATIONS; years_N; all -1 without a person.
    decoded_N: went through the autoencoder.
    """

    shelves: tuple[npt.NDArray[np.uint8], ...]
    shelves_N: npt.NDArray[np.int64]
    forms_N: npt.NDArray[np.str_]
    places_N: npt.NDArray[np.int64]
    boxes_N4: npt.NDArray[np.float32]
    points_N52: npt.NDArray[np.float32]
    states_N: npt.NDArray[np.int64]
    people_N: npt.NDArray[np.int64]
    tones_N: npt.NDArray[np.int64]
    presentations_N: npt.NDArray[np.int64]
    years_N: npt.NDArray[np.int64]
    decoded_N: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.states_N)

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Frame `row`, uint8 H,W,3, a view."""
        picture_HWC: npt.NDArray[np.uint8] = self.shelves[self.shelves_N[row]][self.places_N[row]]
        return picture_HWC

    def with_more(self, more: FaceFrames) -> FaceFrames:
        """These frames and then those of another set, whose people are others: their numbers stay as they are."""
        columns = [f.name for f in fields(self) if f.name not in ("shelves", "shelves_N")]
        return FaceFrames(
            shelves=self.shelves + more.shelves,
            shelves_N=np.concatenate([self.shelves_N, more.shelves_N + len(self.shelves)]),
            **{name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in columns},
        )

    @property
    def heights(self) -> npt.NDArray[np.float32]:
        """Height of each face in pixels of its picture, float32 N; NaN for none."""
        heights_N: npt.NDArray[np.float32] = self.boxes_N4[:, 3] - self.boxes_N4[:, 1]
        return heights_N


def make_frames(
    folder: Path, split: Split, scenes: int, on_scenes: Callable[[int], None] = lambda _: None
) -> FaceFrames:
    """Render the first `scenes` scenes of a split into files of PER_FILE scenes, and read them; existing ones are kept.

    Raises FacesDataError for a damaged file, OSError.
    """
    parts = []
    for first in range(0, scenes, PER_FILE):
        numbers = range(first, min(first + PER_FILE, scenes))
        path = folder / f"{split.replace(' ', '-')}-{first:06d}-{len(numbers)}.safetensors"
        if not path.exists():
            write_atomically(path, save(_rendered(numbers, split)))
        on_scenes(len(numbers))
        try:
            parts.append(_frames(load_file(path)))
        except SafetensorError as error:
            raise FacesDataError(f"{path}: damaged ({error}): delete it and run again") from None
    return reduce(FaceFrames.with_more, parts)


def _rendered(numbers: range, split: Split) -> dict[str, npt.NDArray[Any]]:
    """The arrays of one file: pictures by form, and a row for each frame; places count within the file."""
    pictures: dict[str, list[npt.NDArray[np.uint8]]] = {}
    rows: list[dict[str, Any]] = []
    for number in numbers:
        scene = face_scene(number, split)
        for seen, form, decoded in _views(scene, FIRST_SEED[split] + number):
            shelf = pictures.setdefault(form, [])
            for t, picture_HWC in enumerate(seen.frames_THWC):
                rows.append(
                    {
                        "form": FORM_NAMES.index(form),
                        "places_N": len(shelf),
                        "boxes_N4": seen.boxes_T4[t],
                        "points_N52": seen.points_T52[t],
                        "states_N": seen.states_T[t],
                        "decoded_N": decoded,
                        **_labels(scene, person_number(number, split)),
                    }
                )
                shelf.append(picture_HWC)
    columns = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}
    return {**columns, **{name: np.stack(shelf) for name, shelf in pictures.items()}}


def _labels(scene: Scene, person: int | None) -> dict[str, int]:
    if scene.person is None:
        return dict.fromkeys(("people_N", "tones_N", "presentations_N", "years_N"), -1)
    who = scene.person
    return {
        "people_N": -1 if person is None else person,
        "tones_N": who.skin - 1,
        "presentations_N": PRESENTATIONS.index(who.presentation),
        "years_N": YEARS[who.age],
    }


FORM_NAMES = tuple(dict.fromkeys(f"{width}x{height}" for width, height in FORMS))


def _views(scene: Scene, seed: int) -> Iterator[tuple[Seen, str, bool]]:
    """The frames kept of a scene: FRAMES_EACH at times of chance."""
    width, height = FORMS[int(draw(seed, "faces/form") * len(FORMS))]
    if (width, height) == (64, 64) and draw(seed, "faces/decoded") < DECODED:
        yield decoded(look_at(scene, 64, 64, 8.0, 8), seed), "64x64", True
        return
    fps = draw(seed, "faces/fps", 0.4, 0.9)
    yield _kept(look_at(scene, width, height, fps, FRAMES_EACH + 1), slice(1, None)), f"{width}x{height}", False


def decoded(seen: Seen, seed: int) -> Seen:
    """A clip after the autoencoder, its latents disturbed: two of its frames."""
    import torch

    pixels_THWC = torch.from_numpy(seen.frames_THWC).float() / 127.5 - 1.0
    noise = torch.Generator().manual_seed(seed % (1 << 62))
    with torch.inference_mode():
        latents = _autoencoder().encode(pixels_THWC.permute(3, 0, 1, 2)[None])
        latents = latents + draw(seed, "faces/noise", 0, LATENT_NOISE) * torch.randn(latents.shape, generator=noise)
        back_CTHW = _autoencoder().decode(latents, len(seen.frames_THWC))[0]
    bytes_CTHW = ((back_CTHW + 1.0) * 127.5).round().clamp(0, 255).byte()
    frames_THWC = bytes_CTHW.permute(1, 2, 3, 0).contiguous().numpy()
    return _kept(Seen(frames_THWC, seen.boxes_T4, seen.points_T52, seen.states_T), slice(2, None, 4))


@cache
def _autoencoder() -> Any:
    from moviegen.weights.tae import load_tae

    return load_tae()


def _kept(seen: Seen, which: slice) -> Seen:
    return Seen(*(getattr(seen, field.name)[which] for field in fields(seen)))


def _frames(part: dict[str, npt.NDArray[Any]]) -> FaceFrames:
    """The frames of one file."""
    there = [form for form in FORM_NAMES if form in part]
    shelf_of = np.array([there.index(form) if form in there else -1 for form in FORM_NAMES])
    columns = [f.name for f in fields(FaceFrames) if f.name not in ("shelves", "shelves_N", "forms_N")]
    return FaceFrames(
        shelves=tuple(part[form] for form in there),
        shelves_N=shelf_of[part["form"]],
        forms_N=np.array(FORM_NAMES)[part["form"]],
        **{name: part[name] for name in columns},
    )
