"""Who stands for whom, and what goes wrong among several people; the truth of every track is known."""

from __future__ import annotations

import numpy as np
import pytest

from eval.faces.tracks import FaceTracks
from eval.feature import NotMeasurable
from eval.identity.people import NOBODY, leakage, seen, share_told_apart, swaps, template


def test_each_frame_gives_faces_to_the_people_they_suit(cast) -> None:
    first = cast.track([cast.like(0, 0.8)] * 4 + [cast.like(1, 0.7)] * 4, 0)
    second = cast.track([cast.like(1, 0.7)] * 4 + [cast.like(0, 0.8)] * 4, 1)
    found = seen(cast.clip(first, second, frames=8), cast.portraits(2))
    np.testing.assert_allclose(found.cosines(0), 0.8, rtol=1e-6)
    np.testing.assert_allclose(found.cosines(1), 0.7, rtol=1e-6)
    assert found.extra_T.tolist() == [0] * 8
    assert len(found.faces(1)) == 8


def test_one_face_for_two_people_leaves_the_other_unfound(cast) -> None:
    found = seen(cast.clip(cast.track([cast.like(1, 0.6)] * 5), frames=6), cast.portraits(2))
    assert np.isnan(found.cosines(0)).all()
    assert np.isfinite(found.cosines(1)).tolist() == [True] * 5 + [False]
    assert found.stands_TK[5].tolist() == [NOBODY, NOBODY]


def test_bystanders_are_extra_and_stand_for_nobody(cast) -> None:
    tracks = [cast.track([cast.like(6, 0.5)] * 4, number) for number in range(40)]
    tracks.append(cast.track([cast.like(0, 0.9), None, cast.like(0, 0.9), cast.like(0, 0.9)], 40))
    found = seen(cast.clip(*tracks, frames=4), cast.portraits(1))
    assert found.extra_T.tolist() == [40, 39, 40, 40]
    np.testing.assert_allclose(found.cosines(0)[[0, 2, 3]], 0.9, rtol=1e-6)
    assert found.cosines(0)[1] == 0  # some bystander: a face is there, and it is like nobody asked for


def test_a_face_that_could_not_be_described_stands_for_nobody(cast) -> None:
    track = cast.track([cast.like(0, 0.9)] * 3)
    track.rows.embeddings_ND[1] = np.nan
    found = seen(cast.clip(track, frames=3), cast.portraits(1))
    assert np.isfinite(found.cosines(0)).tolist() == [True, False, True]


def test_a_clip_without_faces_has_nobody(cast) -> None:
    found = seen(FaceTracks(64, 64, np.arange(3) / 8, ()), cast.portraits(2))
    assert (found.stands_TK == NOBODY).all()
    assert share_told_apart(found) == 0
    assert swaps(found, np.full(2, 0.5), np.full(2, 0.3)) == 0
    assert template(found.faces(0)) is None
    with pytest.raises(NotMeasurable, match="none of the people"):
        leakage(found, cast.portraits(2))


def test_templates_average_noise_away(cast) -> None:
    rng = np.random.default_rng(0)
    noisy = [cast.portraits(1)[0] + rng.normal(0, 0.15, 128).astype(np.float32) for _ in range(64)]
    track = cast.track([face / np.linalg.norm(face) for face in noisy])
    single = float(np.median(track.rows.embeddings_ND[:, 0]))
    assert template(track.rows)[0] > 0.95 > single
    track.rows.scores_N[1:] = 0
    np.testing.assert_allclose(template(track.rows), track.rows.embeddings_ND[0], rtol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_leakage_is_the_others_part_beyond_what_portraits_share(cast, share) -> None:
    clip = cast.clip(
        cast.track([cast.between(0, 1, share)] * 4, 0), cast.track([cast.between(1, 0, share)] * 4, 1), frames=4
    )
    found = seen(clip, cast.portraits(2))
    assert leakage(found, cast.portraits(2)) == pytest.approx(np.sin(share * np.pi / 2), abs=1e-6)


def test_people_who_are_alike_by_nature_do_not_leak(cast) -> None:
    portraits = np.stack([cast.portraits(1)[0], cast.like(0, 0.6)])
    clip = cast.clip(cast.track([portraits[0]] * 3, 0), cast.track([portraits[1]] * 3, 1), frames=3)
    assert leakage(seen(clip, portraits), portraits) == pytest.approx(0, abs=1e-6)


def test_faces_are_told_apart_until_they_blend_half(cast) -> None:
    for share, right in ((0.1, 1), (0.4, 1)):
        pair = [cast.track([cast.between(k, 1 - k, share)] * 4, k) for k in (0, 1)]
        assert share_told_apart(seen(cast.clip(*pair, frames=4), cast.portraits(2))) == right
    twins = [cast.track([cast.between(0, 1, 0.3)] * 4, k) for k in (0, 1)]
    assert share_told_apart(seen(cast.clip(*twins, frames=4), cast.portraits(2))) == 0.5
    one = cast.clip(cast.track([cast.like(0, 0.9)] * 4), frames=4)
    assert share_told_apart(seen(one, cast.portraits(2))) == 0.5


def test_swaps_count_changes_of_a_track_and_no_single_frame(cast) -> None:
    mine, yours, strange = cast.like(0, 0.9), cast.like(1, 0.9), cast.like(6, 0.9)
    for faces, expected in (
        ([mine] * 8, 0),
        ([mine] * 4 + [yours] * 4, 1),
        ([mine] * 4 + [strange] * 4, 1),
        ([strange] * 8, 0),
        ([mine, mine, strange, mine, mine], 0),
        ([mine] * 3 + [yours] * 3 + [mine] * 3, 2),
        ([mine], 0),
        ([mine, yours], 1),
    ):
        found = seen(cast.clip(cast.track(faces), frames=len(faces)), cast.portraits(2))
        assert swaps(found, np.full(2, 0.5), np.full(2, 0.3)) == expected, faces


def test_a_cosine_between_the_thresholds_is_no_swap(cast) -> None:
    wavering = [cast.like(0, 0.6), cast.like(0, 0.4), cast.like(0, 0.4), cast.like(0, 0.6), cast.like(0, 0.6)]
    found = seen(cast.clip(cast.track(wavering), frames=5), cast.portraits(1))
    assert swaps(found, np.array([0.5]), np.array([0.3])) == 0
    assert swaps(found, np.array([0.5]), np.array([0.5])) == 2
    lost = seen(cast.clip(cast.track([*wavering, *[cast.like(0, 0.2)] * 3]), frames=8), cast.portraits(1))
    assert swaps(lost, np.array([0.5]), np.array([0.3])) == 1


def test_two_people_who_change_places_are_two_swaps(cast) -> None:
    mine, yours = cast.like(0, 0.9), cast.like(1, 0.9)
    pair = cast.track([mine] * 4 + [yours] * 4, 0), cast.track([yours] * 4 + [mine] * 4, 1)
    assert swaps(seen(cast.clip(*pair, frames=8), cast.portraits(2)), np.full(2, -1.0), np.full(2, -1.0)) == 2
