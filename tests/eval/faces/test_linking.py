"""Faces of different frames linked into tracks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eval.faces.linking import GAP_S, link
from eval.faces.tracks import FaceRows

TOGETHER = 0.5
SIDE = 20.0


def seen(*faces: tuple[int, float, float, int]) -> FaceRows:
    """Faces as (frame, across, down, who), 20 pixels wide and high, at 8 frames a second; sorted by frame."""
    people = np.eye(8, dtype=np.float32)
    corners = np.array([(x, y) for _, x, y, _ in faces], np.float32).reshape(-1, 2)
    return replace(
        FaceRows.unknown(len(faces), 8),
        frames_N=np.array([frame for frame, *_ in faces], np.int64),
        times_s_N=np.array([frame / 8 for frame, *_ in faces]),
        boxes_N4=np.concatenate([corners, corners + SIDE], axis=1),
        embeddings_ND=people[[who for *_, who in faces]],
    )


def tracks_of(rows: FaceRows) -> list[list[tuple[int, float]]]:
    """The tracks as (frame, across)."""
    return [
        list(zip(track.rows.frames_N.tolist(), track.rows.boxes_N4[:, 0].tolist(), strict=True))
        for track in link(rows, TOGETHER)
    ]


def test_two_who_stay_are_two_tracks_numbered_by_appearance() -> None:
    rows = seen((0, 50, 0, 1), (1, 0, 0, 0), (1, 52, 0, 1), (2, 2, 0, 0), (2, 54, 0, 1))
    assert tracks_of(rows) == [[(0, 50), (1, 52), (2, 54)], [(1, 0), (2, 2)]]
    assert [track.number for track in link(rows, TOGETHER)] == [0, 1]


def test_two_who_cross_keep_their_tracks() -> None:
    left = [(frame, 6.0 * frame, 0.0, 0) for frame in range(9)]
    right = [(frame, 48.0 - 6.0 * frame, 0.0, 1) for frame in range(9)]
    rows = seen(*sorted(left + right))
    for track in link(rows, TOGETHER):
        assert len(np.unique(track.rows.embeddings_ND.argmax(axis=1))) == 1
        assert len(track) == 9


def test_a_face_that_changes_where_it_is_stays_one_track() -> None:
    assert tracks_of(seen((0, 10, 10, 0), (1, 10, 10, 5))) == [[(0, 10), (1, 10)]]


def test_a_jump_is_followed_by_likeness_alone_and_only_so_far() -> None:
    assert tracks_of(seen((0, 0, 0, 0), (1, 22, 0, 0))) == [[(0, 0), (1, 22)]]
    assert tracks_of(seen((0, 0, 0, 0), (1, 22, 0, 3))) == [[(0, 0)], [(1, 22)]]
    assert tracks_of(seen((0, 0, 0, 0), (1, 200, 0, 0))) == [[(0, 0)], [(1, 200)]]


@pytest.mark.parametrize(("away", "tracks"), [(GAP_S, 1), (GAP_S + 0.125, 2)])
def test_who_was_away_too_long_begins_another_track(away: float, tracks: int) -> None:
    assert len(tracks_of(seen((0, 10, 10, 0), (round(8 * away), 10, 10, 0)))) == tracks


def test_a_face_is_on_one_track_only_and_none_is_lost() -> None:
    rng = np.random.default_rng(0)
    faces = [(frame, *rng.uniform(0, 60, 2), int(rng.integers(8))) for frame in range(12) for _ in range(9)]
    rows = seen(*faces)
    found = link(rows, TOGETHER)
    assert sum(len(track) for track in found) == len(rows)
    for track in found:
        assert (np.diff(track.rows.frames_N) > 0).all()


def test_faces_without_embedding_are_linked_by_their_boxes() -> None:
    rows = seen((0, 10, 10, 0), (1, 12, 10, 0), (2, 60, 10, 0))
    rows = replace(rows, embeddings_ND=np.full_like(rows.embeddings_ND, np.nan))
    assert tracks_of(rows) == [[(0, 10), (1, 12)], [(2, 60)]]


def test_no_face_is_no_track() -> None:
    assert link(FaceRows.unknown(0, 8), TOGETHER) == ()
