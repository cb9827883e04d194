"""Training the face networks on the Backlot's truth: `moviegen train faces`.

frames (faces_data.py) ──▶ detector ──its errors──▶ recogniser, attributes ──▶ pack with card (faces_export.py)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from moviegen.networks.faces import Detector
from moviegen.training.clock import Clock
from moviegen.training.faces_data import FaceFrames, make_frames
from moviegen.training.faces_describing import (
    LEAST_HEIGHT,
    AttributesPart,
    FaceBatches,
    RecogniserPart,
    described_rows,
    for_attributes,
    for_recognition,
    looks,
    proportions,
)
from moviegen.training.faces_detection import DetectorBatches, DetectorPart
from moviegen.training.faces_errors import Errors, measure_errors
from moviegen.training.faces_export import Networks, export, faces_in, frames_measured
from moviegen.training.faces_part import Batches, FacePart, FacesTrainingError, PartTraining, fit
from moviegen.training.faces_scenes import FIRST_FACE, FIRST_SEED
from moviegen.training.reader_augment import UNTOUCHED
from moviegen.training.step_order import StepOrder

ERRORS_OF = 3000
"""Faces on which the detector's errors are measured."""


@dataclass(frozen=True, slots=True)
class FacesTraining:
    """Everything that decides the networks: scenes to learn from (looks: for presentation, age and tone alone), scenes
    to be measured on, and the parts.
    """

    scenes: int = 10_000
    looks: int = 6000
    held_out: int = 2000
    detector: PartTraining = field(default_factory=lambda: PartTraining(steps=1600, batch=24))
    recogniser: PartTraining = field(default_factory=lambda: PartTraining(steps=2000, batch=48))
    attributes: PartTraining = field(default_factory=lambda: PartTraining(steps=2000, batch=64))

    def __post_init__(self) -> None:
        for name in ("scenes", "looks", "held_out"):
            if getattr(self, name) < 60:
                raise FacesTrainingError(f"{name} must be 60 or more, so that several people are seen")


class Bar(Protocol):
    """Where progress is shown."""

    def to(self, done: int, remark: str = "") -> None: ...


Progress = Callable[[str, int, str], AbstractContextManager[Bar]]
"""What is going on, how many there are of what -> a bar while it lasts."""


class _Silent:
    def to(self, done: int, remark: str = "") -> None:
        """Show nothing."""


def no_progress(_what: str, _total: int, _unit: str) -> AbstractContextManager[Bar]:
    """No bar."""
    return nullcontext(_Silent())


def train_faces(
    training: FacesTraining,
    folder: Path,
    *,
    frames: Path | None = None,
    output: Path | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Train all parts in `folder`, and write the pack and its card to `output`; the pack's folder.

    A part that finds its checkpoint goes on from there; finished ones are kept. frames: where rendered frames are kept
    and found again (folder/frames where not given). Raises RunFolderError for a folder of another run,
    FacesDataError for damaged frames, OSError.
    """
    place = frames or folder / "frames"
    shown = _frames(place, "train", training.scenes, progress)
    detector, clocks = _detector(training.detector, shown, folder / "detector", progress)
    with torch.no_grad():
        errors = measure_errors(detector, shown, ERRORS_OF, training.detector.seed)
    looks_of = shown.with_more(_frames(place, "looks", training.looks, progress))
    described = _describers(training, shown, looks_of, errors, folder, progress)
    held_out = _frames(place, "held out", training.held_out, progress)
    facts = {
        "data": f"{training.scenes} Backlot scenes, two frames each, with seeds from {FIRST_SEED['train']} and "
        f"{faces_in(shown)} faces of {int(shown.people_N.max()) + 1} people (face numbers from {FIRST_FACE['train']}); "
        f"{1 - UNTOUCHED:.0%} damaged as generators damage, {shown.decoded_N.mean():.0%} decoded by the autoencoder "
        f"from disturbed latents; faces below {LEAST_HEIGHT:.0f} px are found, but not described. Presentation, age "
        f"and tone also from {training.looks} scenes of as many more people, with seeds from {FIRST_SEED['looks']}",
        "held_out_data": f"{training.held_out} scenes with seeds from {FIRST_SEED['held out']}, "
        f"{faces_in(held_out)} faces of {int(held_out.people_N.max()) + 1} other people",
        "settings": asdict(training),
        "minutes": {name: clock.minutes for name, clock in {"detector": clocks, **described.clocks}.items()},
        "hardware": sorted({words for clock in (clocks, *described.clocks.values()) for words in clock.hardware}),
        "parameters": {
            name: sum(p.numel() for p in network.parameters())
            for name, network in {"detector": detector, **described.networks}.items()
        },
    }
    networks = Networks(detector, **described.networks)
    with progress("measuring", frames_measured(held_out), "frames") as bar:
        return export(networks, held_out, output or folder / "backlot-faces", facts, bar.to)


def _frames(place: Path, split: Any, scenes: int, progress: Progress) -> FaceFrames:
    done = 0
    with progress(f"frames ({split})", scenes, "scenes") as bar:

        def count(more: int) -> None:
            nonlocal done
            done += more
            bar.to(done)

        return make_frames(place, split, scenes, count)


def _trained(part: FacePart, batches: Batches, folder: Path, name: str, progress: Progress) -> Clock:
    with progress(name, part.run.steps, "steps") as bar:
        return fit(part, batches, folder, on_step=bar.to)


def _detector(training: PartTraining, shown: FaceFrames, folder: Path, progress: Progress) -> tuple[Detector, Clock]:
    part = DetectorPart(training)
    order = StepOrder((1.0,), (len(shown),), (training.batch,), training.seed)
    clock = _trained(part, DetectorBatches(shown, order, training.seed), folder, "detector", progress)
    assert isinstance(part.average, Detector)
    return part.average, clock


@dataclass(frozen=True, slots=True)
class _Described:
    networks: dict[str, nn.Module]
    clocks: dict[str, Clock]


def _describers(
    training: FacesTraining, shown: FaceFrames, looks_of: FaceFrames, errors: Errors, folder: Path, progress: Progress
) -> _Described:
    def batches(frames: FaceFrames, part: PartTraining, cut: Any, std: float) -> FaceBatches:
        rows = described_rows(frames)
        order = StepOrder((1.0,), (len(rows),), (part.batch,), part.seed)
        return FaceBatches(frames, rows, order, errors, cut, std, part.seed)

    people = int(shown.people_N.max()) + 1
    recogniser = RecogniserPart(training.recogniser, proportions(people, "train"), looks(people, "train"))
    attributes = AttributesPart(training.attributes)
    clocks = {
        "recogniser": _trained(
            recogniser,
            batches(shown, training.recogniser, for_recognition, 127.5),
            folder / "recogniser",
            "recogniser",
            progress,
        ),
        "attributes": _trained(
            attributes,
            batches(looks_of, training.attributes, for_attributes, 128.0),
            folder / "attributes",
            "attributes",
            progress,
        ),
    }
    assert isinstance(attributes.average, nn.ModuleDict)
    networks = {"recogniser": recogniser.average, **dict(attributes.average.items())}
    return _Described(networks, clocks)
