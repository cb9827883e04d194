"""Training the networks that describe a face: whose it is, how it presents, how old it is, the tone of its skin.

They see faces as the detector finds them: cut out with errors of its own size.

Shape legend: B faces, D numbers of an embedding, P people, F proportions of a face, V values of factors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.faces.align import aligned, upright
from moviegen.backlot.faces import Features
from moviegen.backlot.factors import FACTORS, IDENTITY_FACTORS
from moviegen.backlot.scene import Person
from moviegen.networks.faces import Attributes, Recogniser
from moviegen.training.faces_data import FaceFrames
from moviegen.training.faces_detection import as_input
from moviegen.training.faces_errors import Errors, face_size
from moviegen.training.faces_part import FacePart, PartTraining
from moviegen.training.faces_scenes import Split, State, person
from moviegen.training.reader_augment import augmented
from moviegen.training.step_order import StepOrder

Random = np.random.Generator
Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

LEAST_HEIGHT = 14.0
"""Pixels of a face to be described: less tells nobody."""
SHRUNK = 0.5
"""Share of the faces of 40 pixels and more that are shrunk first: most clips are small."""
ATTRIBUTE_SIDE = 96
DIMENSIONS = 128
"""Of an embedding."""

SCALE, MARGIN = 24.0, 0.25
"""CosFace (Wang et al., arXiv 1801.09414): logits are SCALE * cosine, the right one's less MARGIN."""
_MARGIN_STEPS = 400
"""Steps over which the margin grows."""
PROPORTIONS = tuple(field.name for field in fields(Features))
_TOLD = 4.0
"""What telling proportions, and telling looks, count beside identity."""
_YEARS_WEIGHT = 20.0


class View(NamedTuple):
    """One face as the detector might hand it over."""

    picture_HWC: Picture
    box_4: Floats
    points_52: Floats


def view(frames: FaceFrames, row: int, errors: Errors, random: Random) -> View:
    """Frame `row`, shrunk and damaged by chance, with its face's box and landmarks a little off."""
    picture_HWC = frames.picture(row)
    box_4, points_52 = frames.boxes_N4[row], frames.points_N52[row]
    height = float(box_4[3] - box_4[1])
    if height >= 40 and random.random() < SHRUNK:
        scale = float(np.exp(random.uniform(np.log(20 / height), 0)))
        picture_HWC, scale = _shrunk(picture_HWC, scale)
        box_4, points_52 = box_4 * scale, points_52 * scale
    picture_HWC = augmented(picture_HWC[None], random)[0]
    size = face_size(box_4)
    points_off, box_off = errors.draw(size / max(picture_HWC.shape), random)
    return View(picture_HWC, box_4 + size * box_off, points_52 + size * points_off)


def _shrunk(picture_HWC: Picture, scale: float) -> tuple[Picture, float]:
    """The picture at nearly this scale, and the scale itself: sides are whole."""
    height, width = picture_HWC.shape[:2]
    longer = max(1, round(scale * max(width, height)))
    scale = longer / max(width, height)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture_HWC, small, interpolation=cv2.INTER_AREA), np.uint8), scale


def described_rows(frames: FaceFrames) -> npt.NDArray[np.int64]:
    """Frames whose face is to be described."""
    known_N = (frames.states_N == State.FACE) & (frames.people_N >= 0)
    return np.flatnonzero(known_N & (np.nan_to_num(frames.heights) >= LEAST_HEIGHT))


class Known(NamedTuple):
    """Faces as a network takes them, and what is known of them: people B, tones B (0-9), presentations B, years B."""

    faces_BCHW: Tensor
    people_B: Tensor
    tones_B: Tensor
    presentations_B: Tensor
    years_B: Tensor


Cut = Callable[[View], Picture]


def for_recognition(seen: View) -> Picture:
    """The aligned crop; landmarks that cannot be aligned do not occur in training."""
    face = aligned(seen.picture_HWC, seen.points_52)
    assert face is not None
    return face


def for_attributes(seen: View) -> Picture:
    """The upright crop."""
    return upright(seen.picture_HWC, seen.box_4, ATTRIBUTE_SIDE)


@dataclass(frozen=True, slots=True)
class FaceBatches:
    """batch(step) for any step, in any order. cut: how faces are cut out; std: of the network's input."""

    frames: FaceFrames
    rows: npt.NDArray[np.int64]
    order: StepOrder
    errors: Errors
    cut: Cut
    std: float
    seed: int

    def __call__(self, step: int) -> Known:
        random = np.random.default_rng((self.seed, 2, step))
        rows = self.rows[self.order(step)[1]]
        faces = [self.cut(view(self.frames, int(row), self.errors, random)) for row in rows]
        known = (self.frames.people_N, self.frames.tones_N, self.frames.presentations_N, self.frames.years_N)
        return Known(as_input(faces, self.std), *(torch.from_numpy(column[rows]) for column in known))


def proportions(people: int, split: Split) -> Tensor:
    """The proportions of each person's face, P,F, each with mean 0 and deviation 1."""
    faces = [Features.of(_who(number, split)) for number in range(people)]
    return _standardised([[float(getattr(face, name)) for name in PROPORTIONS] for face in faces])


def looks(people: int, split: Split) -> Tensor:
    """Which value of each factor of identity each person has, P,V: 1 or 0, then mean 0 and deviation 1."""
    values = [(name, value) for name in IDENTITY_FACTORS for value in FACTORS[name].values]
    return _standardised(
        [[float(getattr(_who(number, split), name) == value) for name, value in values] for number in range(people)]
    )


def _who(number: int, split: Split) -> Person:
    known = person(number, split)
    return Person(**{field.name: known[field.name] for field in fields(Person)})


def _standardised(rows: list[list[float]]) -> Tensor:
    table = torch.tensor(rows)
    return (table - table.mean(dim=0)) / table.std(dim=0).clamp_min(1e-3)


class RecogniserPart(FacePart):
    """CosFace over the people of the training scenes; beside it the embedding tells proportions and looks.

    Identity alone is learnt slowly from a handful of frames each, and first from hair and glasses: the other two tasks
    point at what tells people apart, and the proportions at what tells lookalikes apart.
    """

    heads = ("people", "tell")
    proportions_PF: Tensor
    looks_PV: Tensor

    def __init__(self, training: PartTraining, proportions_PF: Tensor, looks_PV: Tensor) -> None:
        torch.manual_seed(training.seed + 1)
        network = Recogniser(DIMENSIONS)
        super().__init__(training, network.to(memory_format=torch.channels_last))  # type: ignore[call-overload]
        # Small at first, so that steps of AdamW's size turn them: only their direction counts.
        self.people = nn.Parameter(torch.randn(len(proportions_PF), DIMENSIONS) * 0.01)
        self.tell_proportions = nn.Linear(DIMENSIONS, proportions_PF.shape[1])
        self.tell_looks = nn.Linear(DIMENSIONS, looks_PV.shape[1])
        self.register_buffer("proportions_PF", proportions_PF, persistent=False)
        self.register_buffer("looks_PV", looks_PV, persistent=False)

    def losses(self, batch: Known) -> dict[str, Tensor]:
        embeddings_BD = functional.normalize(self.network(batch.faces_BCHW))
        cosines_BP = embeddings_BD @ functional.normalize(self.people).T
        margin = MARGIN * min(1.0, self.global_step / _MARGIN_STEPS)
        logits_BP = SCALE * (cosines_BP - margin * functional.one_hot(batch.people_B, len(self.people)))
        proportions_BF = self.tell_proportions(embeddings_BD * DIMENSIONS**0.5)
        looks_BV = self.tell_looks(embeddings_BD * DIMENSIONS**0.5)
        return {
            "identity": functional.cross_entropy(logits_BP, batch.people_B),
            "proportions": _TOLD * functional.smooth_l1_loss(proportions_BF, self.proportions_PF[batch.people_B]),
            "looks": _TOLD * functional.smooth_l1_loss(looks_BV, self.looks_PV[batch.people_B]),
        }


class AttributesPart(FacePart):
    """Two networks on the same crops: presentation with age, and tone."""

    def __init__(self, training: PartTraining) -> None:
        torch.manual_seed(training.seed + 2)
        networks = nn.ModuleDict({"presentation_age": Attributes(3), "tone": Attributes(10)})
        super().__init__(training, networks.to(memory_format=torch.channels_last))  # type: ignore[call-overload]

    def losses(self, batch: Known) -> dict[str, Tensor]:
        assert isinstance(self.network, nn.ModuleDict)
        first_B3 = self.network["presentation_age"](batch.faces_BCHW)
        years_B = batch.years_B.float() / 100
        return {
            "presentation": functional.cross_entropy(first_B3[:, :2], batch.presentations_B),
            "age": _YEARS_WEIGHT * functional.smooth_l1_loss(first_B3[:, 2], years_B, beta=0.1),
            "tone": functional.cross_entropy(self.network["tone"](batch.faces_BCHW), batch.tones_B),
        }
