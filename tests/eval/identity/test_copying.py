"""The copy-paste guard on crops whose origin is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from eval.faces.tracks import CROP, FaceRows
from eval.feature import NotMeasurable
from eval.identity.copying import MOST_FACES, copying, correlation, expression_range, pose_range, registered


def moved(crop, across=0.0, down=0.0, turn=0.0, grow=1.0):
    """As an alignment that is off by so much would cut it."""
    matrix = cv2.getRotationMatrix2D((CROP / 2, CROP / 2), turn, grow)
    matrix[:, 2] += across, down
    return cv2.warpAffine(crop, matrix, (CROP, CROP), borderMode=cv2.BORDER_REFLECT)


def faces(cast, crops) -> FaceRows:
    return cast.track([cast.like(0, 0.9)] * len(crops), crops=np.stack(crops)).rows


def pasted(cast, count=16):
    """The same crop, aligned with the error of landmarks."""
    rng = np.random.default_rng(1)
    return [
        moved(cast.crop(), *rng.uniform(-1.2, 1.2, 2), rng.uniform(-2, 2), rng.uniform(0.97, 1.03))
        for _ in range(count)
    ]


def test_registration_undoes_what_landmarks_get_wrong(cast) -> None:
    before = [correlation(crop, cast.crop()) for crop in pasted(cast)]
    after = [correlation(registered(crop, cast.crop()), cast.crop()) for crop in pasted(cast)]
    assert min(after) > 0.95
    assert np.mean(after) > np.mean(before) + 0.02


def test_registration_never_makes_it_worse(cast) -> None:
    for seed in range(1, 20):
        other = cast.crop(seed)
        assert correlation(registered(other, cast.crop()), cast.crop()) >= correlation(other, cast.crop())


def test_correlation_does_not_see_light_and_is_zero_of_a_flat_crop(cast) -> None:
    dim = (cast.crop() * 0.4 + 30).astype(np.uint8)
    assert correlation(cast.crop(), cast.crop()) == pytest.approx(1)
    assert correlation(dim, cast.crop()) == pytest.approx(1, abs=0.01)
    flat = np.full((CROP, CROP, 3), 90, np.uint8)
    assert correlation(flat, cast.crop()) == 0
    assert np.array_equal(registered(flat, cast.crop()), flat)


def test_a_pasted_portrait_is_a_copy_and_the_same_face_drawn_anew_is_not(cast) -> None:
    paste = faces(cast, pasted(cast))
    assert copying(paste, cast.crop()) > 0.95
    alive = [cv2.addWeighted(crop, 0.8, cast.crop(seed + 1), 0.2, 0) for seed, crop in enumerate(pasted(cast))]
    assert copying(faces(cast, alive), cast.crop()) < copying(paste, cast.crop()) - 0.03
    assert copying(faces(cast, [cast.crop(seed) for seed in range(1, 17)]), cast.crop()) < 0.6


def test_one_blink_in_twenty_frames_tells_a_living_face(cast) -> None:
    crops = pasted(cast, 20)
    whole = copying(faces(cast, crops), cast.crop())
    for blink in (7, 8):
        crops[blink] = crops[blink].copy()
        crops[blink][10:18] = 120
    assert copying(faces(cast, crops), cast.crop()) < whole - 0.05


def test_expression_grows_with_what_changes_and_is_zero_for_a_frozen_face(cast) -> None:
    assert expression_range(faces(cast, [cast.crop()] * 12)) == pytest.approx(0, abs=1e-9)
    ranges = []
    for share in (0.0, 0.1, 0.2, 0.4):
        mixed = [cv2.addWeighted(cast.crop(), 1 - share, cast.crop(seed), share, 0) for seed in range(1, 13)]
        ranges.append(expression_range(faces(cast, mixed)))
    assert ranges == sorted(set(ranges))
    assert ranges[0] < 0.01


def test_pose_range_of_known_angles(cast) -> None:
    rows = faces(cast, [cast.crop()] * 21)
    rows.pose_N3[:, 0] = np.linspace(-20, 20, 21)
    rows.pose_N3[:, 1] = np.linspace(0, 10, 21)
    rows.pose_N3[:, 2] = np.linspace(-90, 90, 21)
    assert pose_range(rows) == pytest.approx((36 + 9) / 2, abs=1e-4)


def test_a_long_track_costs_no_more_than_the_most_faces(cast, monkeypatch) -> None:
    import eval.identity.copying as module

    calls = []
    monkeypatch.setattr(module, "registered", lambda crop, onto: calls.append(1) or crop)
    copying(faces(cast, [cast.crop()] * 300), cast.crop())
    assert len(calls) == MOST_FACES


@pytest.mark.parametrize("formula", [expression_range, pose_range, lambda rows: copying(rows, rows.crops_NSS3[0])])
def test_few_faces_have_no_range(cast, formula) -> None:
    with pytest.raises(NotMeasurable, match="fewer than 5 frames"):
        formula(faces(cast, [cast.crop()] * 4))
