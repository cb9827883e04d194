"""Training the networks that describe faces: views with errors, batches, losses; and that they learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from eval.faces.align import TEMPLATE_P2, similarity
from moviegen.training.faces_data import FaceFrames, make_frames
from moviegen.training.faces_describing import (
    DIMENSIONS,
    LEAST_HEIGHT,
    MARGIN,
    SCALE,
    AttributesPart,
    FaceBatches,
    Known,
    RecogniserPart,
    described_rows,
    for_attributes,
    for_recognition,
    looks,
    proportions,
    view,
)
from moviegen.training.faces_errors import BINS, Errors
from moviegen.training.faces_part import FacePart, PartTraining
from moviegen.training.faces_scenes import LOOKALIKES, State, person
from moviegen.training.step_order import StepOrder

pytestmark = pytest.mark.usefixtures("one_thread")

BOUNDS = np.linspace(0.1, 0.6, BINS - 1, dtype=np.float32)
EXACT = Errors(BOUNDS, (np.zeros((1, 5, 2), np.float32),) * BINS, (np.zeros((1, 4), np.float32),) * BINS)
OFF = replace(EXACT, points=(np.full((1, 5, 2), 0.1, np.float32),) * BINS)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> FaceFrames:
    return make_frames(tmp_path_factory.mktemp("frames"), "train", 60)


def batches(frames: FaceFrames, part: str) -> FaceBatches:
    rows = described_rows(frames)
    cut, std = (for_recognition, 127.5) if part == "recogniser" else (for_attributes, 128.0)
    return FaceBatches(frames, rows, StepOrder((1.0,), (len(rows),), (12,), 0), EXACT, cut, std, 0)


def test_faces_that_tell_something_are_described(frames: FaceFrames) -> None:
    rows = described_rows(frames)
    assert len(rows) > 20
    assert (frames.states_N[rows] == State.FACE).all()
    assert (frames.heights[rows] >= LEAST_HEIGHT).all()
    assert (frames.people_N[rows] >= 0).all()


def test_landmarks_are_off_by_the_errors_and_lie_on_the_face(frames: FaceFrames) -> None:
    random = np.random.default_rng(0)
    for row in described_rows(frames)[:20]:
        exact, off = (view(frames, int(row), errors, np.random.default_rng(1)) for errors in (EXACT, OFF))
        sides = exact.box_4[2:] - exact.box_4[:2]
        moved = (off.points_52 - exact.points_52) / np.sqrt(sides.prod())
        assert np.ptp(moved) < 1e-4
        assert 0.06 - 1e-4 <= moved.mean() <= 0.13 + 1e-4
        shrunk = view(frames, int(row), EXACT, random)
        matrix = similarity(shrunk.points_52)
        assert matrix is not None
        placed = shrunk.points_52 @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(placed - TEMPLATE_P2).mean() < 12  # a drawn face is no average face
        assert for_recognition(shrunk).shape == (112, 112, 3)
        assert for_attributes(shrunk).shape == (96, 96, 3)


def test_batches_are_a_function_of_their_step_and_say_who_is_who(frames: FaceFrames) -> None:
    one, other = batches(frames, "recogniser"), batches(frames, "recogniser")
    one(3)
    batch = one(4)
    torch.testing.assert_close(batch, other(4))
    assert batch.faces_BCHW.shape == (12, 3, 112, 112)
    assert float(batch.faces_BCHW.abs().max()) <= 1
    for who, tone in zip(batch.people_B.tolist(), batch.tones_B.tolist(), strict=True):
        assert person(who, "train")["skin"] == tone + 1


def test_lookalikes_share_looks_and_not_proportions() -> None:
    people = 12 * LOOKALIKES
    alike_V, face_F = looks(people, "train")[:LOOKALIKES], proportions(people, "train")[:LOOKALIKES]
    assert (alike_V == alike_V[0]).all()
    assert (face_F[0] != face_F[1]).sum() > 10
    every = proportions(people, "train")
    np.testing.assert_allclose(every.mean(dim=0).numpy(), 0, atol=1e-5)
    np.testing.assert_allclose(every.std(dim=0).numpy()[:-1], 1, atol=1e-4)


def fallen(part: FacePart, batch: Known, steps: int = 15) -> float:
    """The last loss on one batch as a share of the first."""
    optimiser = part.configure_optimizers()["optimizer"]
    found = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.stack(list(part.losses(batch).values())).sum()
        loss.backward()
        optimiser.step()
        found.append(loss.item())
    return found[-1] / found[0]


def test_both_parts_learn(frames: FaceFrames) -> None:
    people = int(frames.people_N.max()) + 1
    settings = PartTraining(steps=20, batch=12, warm_up=1)
    recogniser = RecogniserPart(settings, proportions(people, "train"), looks(people, "train"))
    assert fallen(recogniser, batches(frames, "recogniser")(0)) < 0.6
    assert fallen(AttributesPart(settings), batches(frames, "attributes")(0)) < 0.6


def test_the_margin_is_of_the_right_person_alone(frames: FaceFrames, monkeypatch: pytest.MonkeyPatch) -> None:
    people = int(frames.people_N.max()) + 1
    part = RecogniserPart(PartTraining(steps=20, batch=12), proportions(people, "train"), looks(people, "train"))
    batch = batches(frames, "recogniser")(0)
    part.eval()
    monkeypatch.setattr(RecogniserPart, "global_step", 10**6, raising=False)
    with torch.no_grad():
        embeddings = torch.nn.functional.normalize(part.network(batch.faces_BCHW))
        logits = SCALE * embeddings @ torch.nn.functional.normalize(part.people).T
        logits[torch.arange(12), batch.people_B] -= SCALE * MARGIN
        expected = torch.nn.functional.cross_entropy(logits, batch.people_B)
        torch.testing.assert_close(part.losses(batch)["identity"], expected)
    assert embeddings.shape == (12, DIMENSIONS)
