"""Training the face networks on the Backlot's truth: `moviegen train faces`.

frames (faces_data.py) ──▶ detector ──its errors──▶ recogniser, attributes ──▶ pack with card (faces_export.py)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from moviegen.training.clock import Clock
from moviegen.training.faces_data import FaceFrames
from moviegen.training.faces_detection import DetectorBatches, DetectorPart
from moviegen.training.faces_part import OnStep, PartTraining, fit
from moviegen.training.step_order import StepOrder


@dataclass(frozen=True, slots=True)
class FacesTraining:
    """Everything that decides the networks but the machine: scenes to learn from and to be measured on, and the parts."""

    scenes: int = 10_000
    held_out: int = 2000
    detector: PartTraining = field(default_factory=lambda: PartTraining(steps=2400, batch=24))
    recogniser: PartTraining = field(default_factory=lambda: PartTraining(steps=2400, batch=64))
    attributes: PartTraining = field(default_factory=lambda: PartTraining(steps=1500, batch=64))


def train_detector(
    training: PartTraining, frames: FaceFrames, folder: Path, on_step: OnStep
) -> tuple[DetectorPart, Clock]:
    """The detector's part, trained in `folder`."""
    order = StepOrder((1.0,), (len(frames),), (training.batch,), training.seed)
    part = DetectorPart(training)
    return part, fit(part, DetectorBatches(frames, order, training.seed), folder, on_step=on_step)
