"""Training a whole face pack, small: it goes on where it stopped, and ends in a pack that insightface runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.faces.packs import PACKS, SHIPPED, load_pack
from eval.hashing import file_sha256
from moviegen.networks.faces import Attributes, Detector, Recogniser
from moviegen.training.faces import FacesTraining, train_faces
from moviegen.training.faces_data import make_frames
from moviegen.training.faces_describing import DIMENSIONS
from moviegen.training.faces_detection import DetectorBatches, DetectorPart
from moviegen.training.faces_export import Networks, write_networks
from moviegen.training.faces_part import FacesTrainingError, PartTraining, fit
from moviegen.training.run_folder import RunFolderError
from moviegen.training.step_order import StepOrder

pytestmark = pytest.mark.usefixtures("one_thread")


def test_untrained_networks_are_a_pack_that_insightface_knows(tmp_path: Path) -> None:
    torch.manual_seed(0)
    networks = Networks(Detector(), Recogniser(DIMENSIONS), Attributes(3), Attributes(10))
    files = write_networks(networks, tmp_path)
    assert sum(path.stat().st_size for path in files.values()) < 8e6
    pack = load_pack(tmp_path, PACKS[SHIPPED])
    assert set(pack.networks) == {"detection", "recognition", "genderage", "attribute_10"}
    assert (pack.networks["recognition"].input_mean, pack.networks["recognition"].input_std) == (127.5, 127.5)
    assert (pack.networks["genderage"].input_mean, pack.networks["genderage"].input_std) == (127.5, 128.0)
    for side in ((96, 64), (320, 200)):
        pack.find(np.zeros((*side, 3), np.uint8))


class Killed(Exception):
    """What ends a run here."""


def test_a_part_that_was_killed_goes_on_as_if_it_never_was(tmp_path: Path) -> None:
    frames = make_frames(tmp_path / "frames", "train", 12)
    settings = PartTraining(steps=5, batch=4)
    batches = DetectorBatches(frames, StepOrder((1.0,), (len(frames),), (4,), 0), 0)

    def kill(step: int, _losses: str) -> None:
        if step == 3:
            raise Killed

    def average(folder: str) -> dict[str, torch.Tensor]:
        part = DetectorPart(settings)
        fit(part, batches, tmp_path / folder, save_every=2)
        return dict(part.average.state_dict())

    with pytest.raises(Killed):
        fit(DetectorPart(settings), batches, tmp_path / "parted", save_every=2, on_step=kill)
    whole, parted = average("whole"), average("parted")
    for name, tensor in whole.items():
        torch.testing.assert_close(tensor, parted[name], rtol=0, atol=0)
    told: list[int] = []
    fit(DetectorPart(settings), batches, tmp_path / "whole", on_step=lambda step, _: told.append(step))
    assert told == []  # a finished part is not trained again
    with pytest.raises(RunFolderError):
        fit(DetectorPart(PartTraining(steps=6, batch=4)), batches, tmp_path / "whole")


@pytest.mark.slow
def test_a_whole_training_ends_in_a_pack_with_a_card(tmp_path: Path) -> None:
    training = FacesTraining(
        scenes=80,
        looks=60,
        held_out=60,
        detector=PartTraining(steps=150, batch=8),
        recogniser=PartTraining(steps=3, batch=8),
        attributes=PartTraining(steps=3, batch=8),
    )
    folder = train_faces(training, tmp_path / "run", output=tmp_path / "pack")
    card = json.loads((folder / "card.json").read_bytes())
    assert {path.name for path in folder.iterdir()} == {*card["files"], "card.json"}
    for name, file in card["files"].items():
        assert file["sha256"] == file_sha256(folder / name)
        assert file["bytes"] == (folder / name).stat().st_size
    assert set(card["held_out"]) == {"rendered", "softened", "decoded"}
    assert card["held_out"]["rendered"]["detection"]["frames"] > 60
    assert set(card["minutes"]) == {"detector", "recogniser", "attributes"}
    before = (folder / "detector.onnx").read_bytes()
    train_faces(training, tmp_path / "run", output=tmp_path / "again")
    assert (tmp_path / "again" / "detector.onnx").read_bytes() == before


def test_settings_that_cannot_be_are_one_line() -> None:
    with pytest.raises(FacesTrainingError, match="steps must be 1 or more"):
        PartTraining(steps=0, batch=4)
    with pytest.raises(FacesTrainingError, match="scenes must be 60 or more"):
        FacesTraining(scenes=10)
