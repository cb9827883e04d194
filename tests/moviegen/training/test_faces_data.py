"""Scenes and frames for the face networks: who is in them, where the faces are, and that nobody is judged by them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from moviegen.backlot import render, sample_scene, truth
from moviegen.training.faces_data import FRAMES_EACH, FacesDataError, decoded, make_frames
from moviegen.training.faces_scenes import (
    FIRST_FACE,
    FIRST_SEED,
    LOOKALIKES,
    PEOPLE_IN_TEN,
    SCENES_EACH,
    State,
    face_scene,
    look_at,
    person,
    person_number,
)
from moviegen.training.reader_data import LAST_SEED


@pytest.mark.parametrize("action", ["walk", "spin", "jump"])
def test_frames_are_the_renderers_and_landmarks_the_truths(action: str) -> None:
    scene = sample_scene(11, subject="person", shot="medium", action=action)
    form = {"width": 64, "height": 64, "fps": 3.0, "frames": 9}
    seen = look_at(scene, **form)
    np.testing.assert_array_equal(
        seen.frames_THWC, render(scene, sound=False, **form).frames_TCHW.transpose(0, 2, 3, 1)
    )
    known = truth(scene, **form)
    assert known.landmarks_TP2 is not None
    assert known.visible_T is not None
    there = seen.states_T != State.NONE
    np.testing.assert_allclose(seen.points_T52[there], known.landmarks_TP2[there], atol=0.02)
    assert known.visible_T[seen.states_T == State.FACE].all()
    inside = (seen.points_T52 > seen.boxes_T4[:, None, :2]) & (seen.points_T52 < seen.boxes_T4[:, None, 2:])
    assert inside[there].all()


def test_a_face_that_turns_away_is_doubtful_then_none() -> None:
    scene = sample_scene(11, subject="person", shot="medium", action="spin", speed="slow")
    states = look_at(scene, 64, 64, 16.0, 64).states_T
    changes = {(int(a), int(b)) for a, b in pairwise(states) if a != b}
    assert changes == {
        (State.FACE, State.DOUBTFUL),
        (State.DOUBTFUL, State.NONE),
        (State.NONE, State.DOUBTFUL),
        (State.DOUBTFUL, State.FACE),
    }


def test_nobody_without_a_person() -> None:
    seen = look_at(sample_scene(3, subject="dog"), 64, 64, 8.0, 2)
    assert (seen.states_T == State.NONE).all()
    assert np.isnan(seen.boxes_T4).all()
    assert np.isnan(seen.points_T52).all()


def test_scenes_and_people_are_of_their_own() -> None:
    assert min(FIRST_SEED.values()) > LAST_SEED
    faces = {split: {face_scene(n, split).face for n in range(40)} - {None} for split in FIRST_SEED}
    assert not faces["train"] & faces["held out"]
    assert not faces["looks"] & (faces["train"] | faces["held out"])
    assert len(faces["looks"]) == 40
    assert min(FIRST_FACE.values()) > 1 << 31  # sampled scenes draw theirs below


def test_people_come_back_and_lookalikes_differ_in_the_face_alone() -> None:
    numbers = [person_number(n, "train") for n in range(1000)]
    assert sum(number is not None for number in numbers) == 100 * PEOPLE_IN_TEN
    assert all(numbers.count(who) == SCENES_EACH for who in range(100))
    for group in range(20):
        alike = [person(LOOKALIKES * group + k, "train") for k in range(LOOKALIKES)]
        assert len({one["face"] for one in alike}) == LOOKALIKES
        assert len({tuple(sorted((k, str(v)) for k, v in one.items() if k != "face")) for one in alike}) == 1
    looks = [person(LOOKALIKES * group, "train") for group in range(300)]
    assert 0.4 < np.mean([one["presentation"] == "feminine" for one in looks]) < 0.6
    assert np.bincount([one["skin"] for one in looks], minlength=11)[1:].min() > 10


def test_frames_are_rendered_once_and_read_again(tmp_path: Path) -> None:
    told: list[int] = []
    frames = make_frames(tmp_path, "train", 20, told.append)
    assert sum(told) == 20
    assert len(frames) == 20 * FRAMES_EACH
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    again = make_frames(tmp_path, "train", 20)
    assert path.stat().st_mtime_ns == written
    for row in range(len(frames)):
        np.testing.assert_array_equal(frames.picture(row), again.picture(row))
        width, height = map(int, str(frames.forms_N[row]).split("x"))
        assert frames.picture(row).shape == (height, width, 3)
        scene = face_scene(row // FRAMES_EACH, "train")
        assert (frames.people_N[row] >= 0) == (scene.subject == "person")
        assert frames.tones_N[row] == (-1 if scene.skin is None else scene.skin - 1)
    assert np.isfinite(frames.boxes_N4[frames.states_N != State.NONE]).all()


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    make_frames(tmp_path, "held out", 3)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FacesDataError, match="delete it and run again"):
        make_frames(tmp_path, "held out", 3)


def test_decoded_frames_are_near_the_rendered_ones_and_always_the_same() -> None:
    seen = look_at(sample_scene(11, subject="person", shot="close-up"), 64, 64, 8.0, 8)
    once, again = decoded(seen, 5), decoded(seen, 5)
    np.testing.assert_array_equal(once.frames_THWC, again.frames_THWC)
    np.testing.assert_array_equal(once.boxes_T4, seen.boxes_T4[[2, 6]])
    error = np.abs(once.frames_THWC.astype(int) - seen.frames_THWC[[2, 6]]).mean()
    assert 0.5 < error < 25


def test_sets_joined_keep_their_pictures(tmp_path: Path) -> None:
    first, second = make_frames(tmp_path, "train", 10), make_frames(tmp_path, "looks", 8)
    both = first.with_more(second)
    assert len(both) == len(first) + len(second)
    for row in range(len(first)):
        np.testing.assert_array_equal(both.picture(row), first.picture(row))
    for row in range(len(second)):
        np.testing.assert_array_equal(both.picture(len(first) + row), second.picture(row))
        assert both.tones_N[len(first) + row] == second.tones_N[row]
