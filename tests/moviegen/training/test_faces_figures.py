"""Figures of a pack from answers that are known."""

from __future__ import annotations

import numpy as np
import pytest

from eval.faces.pack import Cut, Descriptions, FacePack, Faces
from eval.faces.packs import PACKS, SHIPPED
from moviegen.training.faces_data import FRAMES_EACH, FaceFrames, make_frames
from moviegen.training.faces_figures import (
    SIZED,
    age_groups,
    attribute_figures,
    auc,
    detect,
    detection_figures,
    pairs_of,
    recognition_figures,
)
from moviegen.training.faces_scenes import LOOKALIKES, State


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> FaceFrames:
    return make_frames(tmp_path_factory.mktemp("frames"), "held out", 90)


class Knowing(FacePack):
    """Knows the truth of the frames that it is shown in turn; `misses` faces, sees `ghosts`."""

    def __init__(self, frames: FaceFrames, rows: list[int], *, misses: int = 0, ghosts: int = 0) -> None:
        super().__init__(PACKS[SHIPPED], {})
        object.__setattr__(self, "state", {"rows": iter(rows), "row": -1, "misses": misses, "ghosts": ghosts})
        object.__setattr__(self, "frames", frames)

    def find(self, picture_HWC: np.ndarray) -> Faces:
        row = self.state["row"] = next(self.state["rows"])
        boxes, points = [], []
        if self.frames.states_N[row] == State.FACE:
            if self.state["misses"] > 0 and self.frames.heights[row] >= SIZED:
                self.state["misses"] -= 1
            else:
                boxes.append(self.frames.boxes_N4[row])
                points.append(self.frames.points_N52[row])
        if self.state["ghosts"] > 0:
            self.state["ghosts"] -= 1
            boxes.append(np.array([0, 0, 3, 3], np.float32))
            points.append(np.zeros((5, 2), np.float32))
        count = len(boxes)
        return Faces(
            np.array(boxes, np.float32).reshape(count, 4),
            np.ones(count, np.float32),
            np.array(points, np.float32).reshape(count, 5, 2),
        )

    def describe(self, cut: Cut) -> Descriptions:
        row = self.state["row"]
        random = np.random.default_rng(int(self.frames.people_N[row]))
        vector = random.standard_normal((1, 128)).astype(np.float32)
        return Descriptions(
            vector / np.linalg.norm(vector),
            np.array([self.frames.presentations_N[row]], np.float32),
            np.array([self.frames.years_N[row]], np.float32),
            np.eye(10, dtype=np.float32)[[self.frames.tones_N[row]]],
        )


def test_a_pack_that_knows_everything_scores_full_marks(frames: FaceFrames) -> None:
    rows = list(range(len(frames)))
    found = detect(Knowing(frames, rows), frames, rows)
    figures = detection_figures(found, frames)
    assert [band["value"] for band in figures["recall"].values() if band["faces"]] == [1.0] * 3
    assert figures["false_positives_per_frame"] == 0
    assert figures["landmark_error"] == 0
    recognition = recognition_figures(found, frames)
    assert (recognition["auc"], recognition["auc_lookalikes"], recognition["tar"]) == (1, 1, 1)
    attributes = attribute_figures(found, frames)
    assert attributes["tone_error_steps"] == 0
    assert (attributes["presentation_accuracy"], attributes["age_group_accuracy"]) == (1, 1)
    assert sum(map(sum, attributes["tone_confusion"])) == attributes["faces"]


def test_misses_and_ghosts_are_counted(frames: FaceFrames) -> None:
    rows = [row for row in range(len(frames)) if frames.states_N[row] != State.DOUBTFUL]
    sized = int((np.nan_to_num(frames.heights[rows]) >= SIZED).sum())
    found = detect(Knowing(frames, rows, misses=5, ghosts=9), frames, rows)
    figures = detection_figures(found, frames)
    assert figures["recall"]["20 px and more"] == {"value": round(1 - 5 / sized, 4), "faces": sized}
    assert figures["false_positives_per_frame"] == round(9 / len(rows), 4)
    by_tone = [group for group in figures["recall_by_tone"].values() if group["faces"]]
    assert sum(round(group["faces"] * (1 - group["value"])) for group in by_tone) == 5


def test_pairs_are_of_different_scenes_and_lookalikes_of_one_look(frames: FaceFrames) -> None:
    rows = list(range(len(frames)))
    found = detect(Knowing(frames, rows), frames, rows)
    every = pairs_of(found, frames, np.ones(len(found.rows_K), bool))
    people, scenes = frames.people_N[found.rows_K], found.rows_K // FRAMES_EACH
    count = {"same": 0, "different": 0, "lookalikes": 0}
    for one in range(len(people)):
        for other in range(one + 1, len(people)):
            if scenes[one] != scenes[other]:
                count["same" if people[one] == people[other] else "different"] += 1
                alike = people[one] // LOOKALIKES == people[other] // LOOKALIKES
                count["lookalikes"] += alike and people[one] != people[other]
    assert {name: len(getattr(every, name)) for name in count} == count
    assert every.same.min() > 0.999


def test_area_under_the_curve_by_hand() -> None:
    assert auc(np.array([0.9, 0.4]), np.array([0.1, 0.4, 0.5])) == pytest.approx((3 + 1.5) / 6, abs=1e-4)
    assert auc(np.zeros(0), np.array([0.1])) is None
    same = np.random.default_rng(0).standard_normal(500)
    assert auc(same, same) == pytest.approx(0.5, abs=1e-3)


def test_years_fall_into_the_worlds_groups() -> None:
    assert age_groups(np.array([9, 21.9, 22, 35, 51.9, 52, 70])).tolist() == [0, 0, 1, 1, 1, 2, 2]
