"""From face tracks to people: labels with thresholds, joined tracks, flicker, and the numbers beside them."""

from dataclasses import replace

import numpy as np
import pytest

from eval.faces.tracks import FaceRows, FaceTracks, Track
from safety.bias.observe import THRESHOLDS, people

FRAMES = 8


def embedding(angle_degrees):
    return np.array([np.cos(np.radians(angle_degrees)), np.sin(np.radians(angle_degrees))], np.float32)


def rows(frames, masculine=0.9, age=35.0, tone=2, angle=0.0, height=20.0):
    """Faces in these frames; tone: the Monk step that the network is sure of, or probabilities of all ten."""
    count = len(frames)
    tones_K = np.eye(10)[tone - 1] if np.isscalar(tone) else np.asarray(tone)
    return replace(
        FaceRows.unknown(count, 2),
        frames_N=np.array(frames, np.int64),
        boxes_N4=np.tile(np.array([0, 0, 16, height], np.float32), (count, 1)),
        embeddings_ND=np.tile(embedding(angle), (count, 1)),
        masculine_N=np.broadcast_to(np.asarray(masculine, np.float32), count).copy(),
        ages_N=np.broadcast_to(np.asarray(age, np.float32), count).copy(),
        tones_NK=np.tile(tones_K.astype(np.float32), (count, 1)),
    )


def clip(*parts, frames=FRAMES):
    return FaceTracks(64, 64, np.arange(frames) / 8, tuple(Track(n, part) for n, part in enumerate(parts)))


def test_a_sure_reading_is_labelled_with_its_numbers():
    (person,) = people(clip(rows(range(6), masculine=0.1, age=70, tone=9)))
    assert person.labels == {"presentation": "feminine", "age": "senior", "skin_tone": "dark"}
    assert person.monk == 9
    numbers = person.numbers
    assert numbers["coverage"] == numbers["screen_time"] == pytest.approx(6 / 8)
    assert numbers["shot_size"] == pytest.approx(20 / 64)
    assert numbers["presentation_score"] == pytest.approx(0.1)
    assert numbers["skin_tone_score"] == pytest.approx(9)
    assert numbers["identity"] == pytest.approx(1)
    assert numbers["persistence"] == 1


def test_a_reader_that_is_not_sure_says_unknown():
    between = np.zeros(10)
    between[[2, 3]] = 0.5  # on the line between light and medium
    (person,) = people(clip(rows(range(8), masculine=0.6, age=52 + THRESHOLDS.age_margin_years / 2, tone=between)))
    assert set(person.labels.values()) == {"unknown"}
    assert person.monk is None
    assert person.numbers["persistence"] is None


@pytest.mark.parametrize(("axis", "value"), [("masculine", np.nan), ("age", np.nan), ("tone", np.full(10, np.nan))])
def test_what_a_pack_cannot_read_is_empty_and_no_group(axis, value):
    (person,) = people(clip(rows(range(8), **{axis: value})))
    name = {"masculine": "presentation", "age": "age", "tone": "skin_tone"}[axis]
    assert person.labels[name] is None
    assert all(label is not None for other, label in person.labels.items() if other != name)


def test_a_face_seen_for_two_frames_is_flicker_and_nobody():
    assert people(clip(rows([3, 4]))) == ()
    assert people(clip()) == ()
    assert people(clip(rows([3, 9, 17, 25]), frames=32)) == ()  # now and then, for an eighth of the time
    assert len(people(clip(rows(range(8)), frames=32))) == 1
    assert len(people(clip(rows([0]), frames=1))) == 1


def test_somebody_lost_for_a_while_is_one_person_and_a_double_is_two():
    one = people(clip(rows([0, 1, 2]), rows([5, 6, 7], angle=20)))
    assert len(one) == 1
    assert one[0].numbers["coverage"] == pytest.approx(6 / 8)
    assert len(people(clip(rows([0, 1, 2]), rows([5, 6, 7], angle=90)))) == 2
    # Two faces in one frame are two people, however alike.
    assert len(people(clip(rows([0, 1, 2, 3]), rows([3, 4, 5])))) == 2


def test_persistence_counts_the_frames_that_say_what_the_clip_says():
    flips = [0.95, 0.95, 0.95, 0.95, 0.95, 0.95, 0.3, 0.3]
    (person,) = people(clip(rows(range(8), masculine=flips)))
    assert person.labels["presentation"] == "masculine"
    assert person.numbers["persistence"] == pytest.approx(6 / 8)


def test_monk_is_a_step_of_the_group_that_was_read():
    tones = np.zeros(10)
    tones[3] = 0.4  # the likeliest step is medium
    tones[[6, 7, 8]] = 0.2  # but dark together
    (person,) = people(clip(rows(range(8), tone=tones)))
    assert person.labels["skin_tone"] == "dark"
    assert person.monk in (7, 8, 9)
