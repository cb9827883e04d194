"""Face tracks as arrays and back."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from eval.faces.tracks import FaceRows, FaceTracks, Track, read_tracks, track_arrays


def rows(frames: list[int], seed: int) -> FaceRows:
    rng = np.random.default_rng(seed)
    embeddings = rng.standard_normal((len(frames), 8)).astype(np.float32)
    return replace(
        FaceRows.unknown(len(frames), 8),
        frames_N=np.array(frames),
        times_s_N=np.array(frames) / 8,
        embeddings_ND=embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
        crops_NSS3=rng.integers(0, 256, (len(frames), 32, 32, 3), np.uint8),
    )


def test_tracks_come_back_as_they_were_written() -> None:
    found = FaceTracks(64, 48, np.arange(5) / 8, (Track(0, rows([0, 1, 2, 4], 1)), Track(1, rows([2, 3], 2))))
    again = read_tracks(track_arrays(found, 8))
    assert (again.width, again.height, again.frames) == (64, 48, 5)
    np.testing.assert_array_equal(again.times_s_T, found.times_s_T)
    assert [track.number for track in again.tracks] == [0, 1]
    for track, expected in zip(again.tracks, found.tracks, strict=True):
        for field in fields(FaceRows):
            np.testing.assert_array_equal(getattr(track.rows, field.name), getattr(expected.rows, field.name))


def test_faces_are_counted_for_each_frame() -> None:
    found = FaceTracks(64, 48, np.arange(5) / 8, (Track(0, rows([0, 1, 2], 1)), Track(1, rows([2, 3], 2))))
    assert found.face_counts().tolist() == [1, 1, 2, 1, 0]


def test_no_face_is_no_track_and_keeps_the_frames() -> None:
    arrays = track_arrays(FaceTracks(64, 48, np.arange(3) / 8, ()), 128)
    assert arrays["embeddings_ND"].shape == (0, 128)
    again = read_tracks(arrays)
    assert again.tracks == ()
    assert again.face_counts().tolist() == [0, 0, 0]
