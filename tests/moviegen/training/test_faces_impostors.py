"""The people of the calibration: every group, faces in view, nobody twice and nobody whom a network has seen."""

from __future__ import annotations

from collections import Counter

import numpy as np

from eval.identity.portraits import TONE_GROUPS
from moviegen.training.faces_impostors import GROUPS, SIZE, Crowd, everybody, somebody
from moviegen.training.faces_scenes import FIRST_FACE


def test_every_group_and_each_of_its_tones_come_in_turn() -> None:
    people = [somebody(number).person for number in range(len(GROUPS) * 12)]
    assert all(person is not None for person in people)
    tones = {step: name for name, steps in TONE_GROUPS.items() for step in steps}
    groups = Counter((person.presentation, tones[person.skin - 1]) for person in people if person)
    assert set(groups.values()) == {12}
    assert {person.skin for person in people if person} == set(range(1, 11))


def test_nobody_comes_twice_or_is_known_to_a_network() -> None:
    faces = [scene.face for scene in map(somebody, range(500))]
    assert len(set(faces)) == 500
    assert min(faces) > max(FIRST_FACE.values()) + 1_000_000


def test_a_person_is_shown_in_a_portrait_and_in_frames() -> None:
    crowd = list(everybody(Crowd(people_each=1, frames_each=2)))
    assert [len(pictures) for pictures in crowd] == [3] * len(GROUPS)
    for pictures in crowd:
        assert {picture.shape for picture in pictures} == {(SIZE, SIZE, 3)}
        assert not np.array_equal(pictures[1], pictures[2])
