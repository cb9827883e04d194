"""Feature `face_tracks` on clips whose faces are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import Clip, MemorySource, Window
from eval.faces.boxes import overlaps
from eval.faces.pack import FacePack
from eval.faces.packs import PACKS, SHIPPED, open_pack
from eval.faces.tracks import CROP, FaceTracks, read_tracks
from eval.feature import FEATURES, Arrays, NotMeasurable
from eval.features.face_tracks import FaceTracking
from moviegen.backlot import sample_scene
from moviegen.training.faces_scenes import State, look_at

Pictures = npt.NDArray[np.uint8]
Somebody = Callable[..., Pictures]


@pytest.fixture(scope="module")
def pack() -> FacePack:
    return open_pack(SHIPPED)


def arrays_of(pack: FacePack, frames_THWC: Pictures, *, window: int = 64, most_frames: int = 256) -> Arrays:
    clip = Clip(frames_THWC.transpose(0, 3, 1, 2), 8.0)
    tracking = FaceTracking(pack, MemorySource(clip).info, most_frames)
    for first in range(0, len(frames_THWC), window):
        part = clip.frames_TCHW[first : first + window]
        tracking.update(Window(part, np.arange(first, first + len(part)) / 8.0))
    return tracking.finish()


def tracks_of(pack: FacePack, frames_THWC: Pictures) -> FaceTracks:
    return read_tracks(arrays_of(pack, frames_THWC))


def test_one_person_is_one_track_in_every_frame_where_the_truth_has_the_face(pack: FacePack) -> None:
    scene = sample_scene(11, subject="person", shot="medium", action="walk", weather="clear", light="day")
    seen = look_at(scene, 64, 64, 8.0, 16)
    assert (seen.states_T == State.FACE).all()
    found = tracks_of(pack, seen.frames_THWC)
    (track,) = found.tracks
    assert track.rows.frames_N.tolist() == list(range(16))
    np.testing.assert_allclose(track.rows.times_s_N, np.arange(16) / 8)
    assert overlaps(track.rows.boxes_N4, seen.boxes_T4).diagonal().min() > 0.5
    apart = np.linalg.norm(seen.points_T52[:, 1] - seen.points_T52[:, 0], axis=1).mean()
    assert np.abs(track.rows.landmarks_N52 - seen.points_T52).mean() < 0.15 * apart
    np.testing.assert_allclose(np.linalg.norm(track.rows.embeddings_ND, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(track.rows.tones_NK.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(track.rows.pose_N3).all()
    assert (track.rows.sharpness_N > 0).all()
    assert track.rows.crops_NSS3.shape == (16, CROP, CROP, 3)


def test_two_people_are_two_tracks(pack: FacePack, somebody: Somebody) -> None:
    both = np.concatenate([somebody(5, frames=6), somebody(8, frames=6)], axis=2)
    found = tracks_of(pack, both)
    assert [len(track) for track in found.tracks] == [6, 6]
    sides = sorted(float(track.rows.boxes_N4[:, [0, 2]].mean()) < 64 for track in found.tracks)
    assert sides == [False, True]
    assert found.face_counts().tolist() == [2] * 6
    assert (found.width, found.height) == (128, 64)


def test_a_cut_to_another_place_of_the_picture_begins_another_track(pack: FacePack, somebody: Somebody) -> None:
    person, empty = somebody(5, frames=4), np.zeros((4, 64, 128, 3), np.uint8)
    clip = np.concatenate(
        [np.concatenate([person, empty], axis=2), np.concatenate([empty, somebody(8, frames=4)], axis=2)]
    )
    assert [track.rows.frames_N.tolist() for track in tracks_of(pack, clip).tracks] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_turn_shows_in_the_aspect(pack: FacePack) -> None:
    scene = sample_scene(
        11, subject="person", shot="close-up", action="spin", weather="clear", light="day", speed="slow"
    )
    seen = look_at(scene, 128, 128, 8.0, 32)
    rows = tracks_of(pack, seen.frames_THWC).tracks[0].rows
    true_T = (seen.points_T52[:, 1, 0] - seen.points_T52[:, 0, 0]) / 128
    narrow = rows.frames_N[np.argmin(rows.aspect_N)]
    wide = rows.frames_N[np.argmax(rows.aspect_N)]
    assert true_T[narrow] < 0.8 * true_T[wide]


def test_arrays_do_not_depend_on_how_the_clip_was_cut(pack: FacePack, somebody: Somebody) -> None:
    clip = somebody(5, frames=7)
    whole = arrays_of(pack, clip)
    for window in (1, 3):
        again = arrays_of(pack, clip, window=window)
        assert whole.keys() == again.keys()
        for name, array in whole.items():
            np.testing.assert_array_equal(array, again[name], err_msg=name)


def test_clips_without_faces_keep_their_frames(pack: FacePack, nobody: Pictures) -> None:
    arrays = arrays_of(pack, nobody)
    assert arrays["embeddings_ND"].shape == (0, pack.spec.dimensions)
    found = read_tracks(arrays)
    assert found.tracks == ()
    assert found.frames == len(nobody)


def test_one_frame_is_enough(pack: FacePack, somebody: Somebody) -> None:
    (track,) = tracks_of(pack, somebody(5, frames=1)).tracks
    assert len(track) == 1


def test_forty_faces_are_forty_tracks(pack: FacePack, crowd: Callable[[int, int], Pictures]) -> None:
    picture = crowd(8, 5)
    found = tracks_of(pack, np.stack([picture, picture]))
    assert len(found.tracks) >= 38
    assert all(len(track) == 2 for track in found.tracks)


def test_long_clips_are_thinned_evenly(pack: FacePack, somebody: Somebody) -> None:
    clip = somebody(5, frames=20)
    arrays = arrays_of(pack, clip, most_frames=6)
    found = read_tracks(arrays)
    np.testing.assert_allclose(found.times_s_T, np.arange(0, 20, 4) / 8)
    every = arrays_of(pack, clip)
    kept = np.isin(every["times_s_N"], found.times_s_T)
    np.testing.assert_allclose(arrays["embeddings_ND"], every["embeddings_ND"][kept], atol=1e-5)
    assert len(found.tracks) == 1


def test_features_name_their_pack_and_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path))
    shipped, theirs = FEATURES.get("face_tracks"), FEATURES.get("face_tracks_buffalo_l")
    assert (shipped.encoder, len(shipped.weights_sha256)) == (SHIPPED, 64)
    assert (theirs.encoder, theirs.weights_sha256) == ("buffalo_l", "")
    info = MemorySource(Clip(np.zeros((1, 3, 8, 8), np.uint8), 8.0)).info
    with pytest.raises(NotMeasurable, match="moviegen weights pull buffalo_l"):
        theirs.start(info)


def test_a_pack_of_other_dimensions_says_so(pack: FacePack, somebody: Somebody) -> None:
    other = replace(pack, spec=replace(PACKS["buffalo_l"], name="odd", sizes=pack.spec.sizes))
    with pytest.raises(NotMeasurable, match="gives 128 numbers, not 512"):
        arrays_of(other, somebody(5, frames=1))
