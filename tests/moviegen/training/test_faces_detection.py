"""Training the detector: canvases, which anchors answer for a face, the loss; and that it learns."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from moviegen.networks.faces import ANCHORS, SIZES, STRIDES, Detector, Found
from moviegen.training.faces_data import FaceFrames, make_frames
from moviegen.training.faces_detection import (
    MIRRORED,
    SIDE,
    Answers,
    Canvas,
    DetectorBatches,
    DetectorPart,
    Wanted,
    answers,
    canvas,
    detection_losses,
    fitted,
    focal,
    mirrored,
)
from moviegen.training.faces_errors import Errors, errors_on, measure_errors, overlap
from moviegen.training.faces_part import FacesTrainingError, PartTraining
from moviegen.training.faces_scenes import State
from moviegen.training.step_order import StepOrder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> FaceFrames:
    return make_frames(tmp_path_factory.mktemp("frames"), "train", 30)


def one_face(size: float, middle: tuple[float, float] = (61.0, 66.0), state: State = State.FACE) -> Canvas:
    half, centre = size / 2, np.array(middle, np.float32)
    box = np.concatenate([centre - half, centre + half])
    points = centre + half * np.array([(-0.4, -0.2), (0.4, -0.2), (0, 0.1), (-0.3, 0.5), (0.3, 0.5)], np.float32)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    return Canvas(picture, box[None].astype(np.float32), points[None].astype(np.float32), np.array([state], np.int64))


@pytest.mark.parametrize("size", [12, 16, 20, 28, 33, 44, 66, 90, 104, 120])
def test_every_size_has_an_anchor_that_decodes_to_the_face_as_insightface_does(size: float) -> None:
    seen = one_face(size)
    found = 0
    for stride, level in zip(STRIDES, answers(seen, SIDE), strict=True):
        count = SIDE // stride
        assert len(level.labels_R) == count * count * ANCHORS
        for row in np.flatnonzero(level.labels_R == 1):
            down, across = divmod(row // ANCHORS, count)
            place = np.array([across * stride, down * stride])  # no half-cell offset
            sides = level.sides_R4[row] * stride
            np.testing.assert_allclose(
                np.concatenate([place - sides[:2], place + sides[2:]]), seen.boxes_F4[0], atol=1e-3
            )
            points = level.points_R10[row].reshape(5, 2) * stride + place
            np.testing.assert_allclose(points, seen.points_F52[0], atol=1e-3)
            assert level.sizes_R[row] * stride == pytest.approx(size, rel=1e-4)
            found += 1
    assert found >= 1


def test_anchors_of_a_faces_own_size_answer_for_it() -> None:
    for level, sizes in enumerate(SIZES):
        for anchor, size in enumerate(sizes[:2] if level < 2 else sizes[:1]):
            labels = answers(one_face(size), SIDE)[level].labels_R
            assert (labels[anchor::ANCHORS] == 1).any()


def test_a_doubtful_face_is_neither_learnt_nor_denied() -> None:
    levels = answers(one_face(30, state=State.DOUBTFUL), SIDE)
    labels = np.concatenate([level.labels_R for level in levels])
    assert not (labels == 1).any()
    assert (labels == -1).any()
    assert (labels == 0).sum() > (labels == -1).sum()


def test_mirroring_twice_changes_nothing_and_once_keeps_left_left() -> None:
    seen = one_face(30, (40.0, 60.0))
    once = mirrored(seen)
    assert once.points_F52[0, 0, 0] < once.points_F52[0, 1, 0]
    assert once.points_F52[0, 3, 0] < once.points_F52[0, 4, 0]
    assert MIRRORED == [1, 0, 2, 4, 3]
    twice = mirrored(once)
    np.testing.assert_allclose(twice.boxes_F4, seen.boxes_F4)
    np.testing.assert_allclose(twice.points_F52, seen.points_F52)


def test_a_fitted_picture_lies_as_insightface_lays_it(frames: FaceFrames) -> None:
    row = int(np.flatnonzero((frames.states_N == State.FACE) & (frames.forms_N == "64x64"))[0])

    class Calm:  # draws nothing that damages
        def random(self) -> float:
            return 0.0

    seen = fitted(frames, row, SIDE, Calm())  # type: ignore[arg-type]
    np.testing.assert_allclose(seen.boxes_F4[0], 2 * frames.boxes_N4[row], rtol=1e-5)
    theirs = np.asarray(cv2.resize(frames.picture(row), (SIDE, SIDE)), int)
    inner = np.abs(seen.picture_HWC.astype(int) - theirs)[2:-2, 2:-2]  # they repeat the edge, we do not
    assert inner.max() <= 3


def test_canvases_show_their_faces_whole_or_doubt_them(frames: FaceFrames) -> None:
    random = np.random.default_rng(0)
    several = 0
    for row in range(40):
        seen = canvas(frames, row, SIDE, random)
        assert seen.picture_HWC.shape == (SIDE, SIDE, 3)
        several += len(seen.boxes_F4) > 1
        sure = seen.boxes_F4[seen.states_F == State.FACE]
        assert (sure[:, 3] - sure[:, 1] >= 11).all()
        inside = np.clip(sure, 0, SIDE)
        assert (
            np.prod(inside[:, 2:] - inside[:, :2], axis=1) >= 0.74 * np.prod(sure[:, 2:] - sure[:, :2], axis=1)
        ).all()
    assert several > 3


def test_a_batch_is_a_function_of_its_step(frames: FaceFrames) -> None:
    def batches() -> DetectorBatches:
        return DetectorBatches(frames, StepOrder((1.0,), (len(frames),), (8,), 3), 3)

    one, other = batches(), batches()
    one(4)
    torch.testing.assert_close(one(5), other(5))
    assert one(5).pictures_BCHW.shape == (2, 3, 2 * SIDE, 2 * SIDE)
    assert one(6).pictures_BCHW.shape == (8, 3, SIDE, SIDE)


def perfect(level: Wanted) -> Found:
    logits = torch.where(level.labels_BR == 1, 20.0, -20.0)
    return Found(logits, level.sides_BR4, level.points_BR10)


def test_right_answers_cost_nothing_and_wrong_ones_do(frames: FaceFrames) -> None:
    batch = DetectorBatches(frames, StepOrder((1.0,), (len(frames),), (8,), 0), 0)(0)
    right = [perfect(level) for level in batch.wanted]
    assert all(float(loss) < 1e-5 for loss in detection_losses(right, batch.wanted).values())
    for k, change in enumerate((lambda x: -x, lambda x: 1.5 * x, lambda x: x + 0.3)):
        wrong = [Found(*(change(part) if at == k else part for at, part in enumerate(one))) for one in right]
        losses = list(detection_losses(wrong, batch.wanted).values())
        assert float(losses[k]) > 0.01
        assert all(float(loss) < 1e-5 for at, loss in enumerate(losses) if at != k)


def test_focal_loss_by_hand() -> None:
    losses = focal(torch.tensor([0.0, 0.0, 3.0]), torch.tensor([1.0, 0.0, -1.0]))
    expected = np.log(2) / 4
    np.testing.assert_allclose(losses.numpy(), [0.4 * expected, 0.6 * expected, 0], rtol=1e-6)


def test_the_loss_falls(frames: FaceFrames) -> None:
    part = DetectorPart(PartTraining(steps=12, batch=8, warm_up=2))
    batch = DetectorBatches(frames, StepOrder((1.0,), (len(frames),), (8,), 0), 0)(0)
    optimiser = part.configure_optimizers()["optimizer"]

    def loss() -> torch.Tensor:
        return torch.stack(list(part.losses(batch).values())).sum()

    first = loss().item()
    for _ in range(12):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < 0.6 * first


class Known(Detector):
    """Answers with the truth of given canvases, its landmarks a little too low, its boxes too far right."""

    def __init__(self, canvases: list[Canvas], low: float, right: float) -> None:
        super().__init__()
        self.canvases, self.low, self.right = canvases, low, right

    def levels(self, pictures_BCHW: torch.Tensor) -> list[Found]:
        assert len(pictures_BCHW) == len(self.canvases)
        every = [answers(one, SIDE) for one in self.canvases]
        return [self._level([one[level] for one in every]) for level in range(len(STRIDES))]

    def _level(self, each: list[Answers]) -> Found:
        labels, sides, points, sizes = (torch.from_numpy(np.stack(column)) for column in zip(*each, strict=True))
        points[..., 1::2] += self.low * sizes[..., None]
        sides[..., 0] -= self.right * sizes
        sides[..., 2] += self.right * sizes
        return Found(torch.where(labels == 1, 1.0, -20.0), sides, points)


def test_a_detectors_errors_are_found_in_shares_of_the_face() -> None:
    canvases = [one_face(size, (70.0, 60.0)) for size in (20.0, 40.0, 90.0)]
    found = errors_on(Known(canvases, low=0.05, right=0.1), canvases)
    for (share, points, box), size in zip(found, (20, 40, 90), strict=True):
        assert share == pytest.approx(size / SIDE)
        np.testing.assert_allclose(points, np.tile([0, 0.05], (5, 1)), atol=1e-5)
        np.testing.assert_allclose(box, [0.1, 0, 0.1, 0], atol=1e-5)
    assert errors_on(Known(canvases, low=0.05, right=0.5), canvases) == []  # too far off to be of the face


def test_errors_are_drawn_from_the_bin_of_the_faces_size() -> None:
    points = tuple(np.full((3, 5, 2), k, np.float32) for k in range(6))
    boxes = tuple(np.full((3, 4), -k, np.float32) for k in range(6))
    errors = Errors(np.array([0.1, 0.2, 0.3, 0.4, 0.5], np.float32), points, boxes)
    random = np.random.default_rng(0)
    for size, bin_number in ((0.05, 0), (0.25, 2), (0.9, 5)):
        drawn = [errors.draw(size, random) for _ in range(50)]
        strengths = np.array([point[0, 0] for point, _ in drawn])
        assert strengths.min() >= 0.6 * bin_number
        assert strengths.max() <= 1.3 * bin_number
        assert all(box[0] == -point[0, 0] for point, box in drawn)


def test_a_detector_that_finds_nothing_has_no_errors_to_train_with(frames: FaceFrames) -> None:
    torch.manual_seed(0)
    part = DetectorPart(PartTraining(steps=1, batch=8))
    with pytest.raises(FacesTrainingError, match="next to no face"):
        measure_errors(part.network.eval(), frames, 20, 0)  # type: ignore[arg-type]


def test_overlap_by_hand() -> None:
    assert overlap(np.array([0.0, 0, 10, 10]), np.array([5.0, 0, 15, 10])) == pytest.approx(1 / 3)
