"""Alignment against insightface's own, and what degenerate landmarks give."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest

from eval.faces.align import TEMPLATE_P2, aligned, aspect, pose, sharpness, similarity, upright


def picture(height: int = 90, width: int = 120) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)


def landmarks(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turn, scale = rng.uniform(-0.6, 0.6), rng.uniform(0.2, 0.9)
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return ((TEMPLATE_P2 - 56) @ rotation.T + rng.uniform(30, 60, 2) + rng.normal(0, 1.0, (5, 2))).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_crops_are_insightfaces_own(seed: int) -> None:
    from insightface.utils import face_align

    points = landmarks(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-image's, which our own alignment does without
        matrix, theirs = face_align.estimate_norm(points), face_align.norm_crop(picture(), points)
    np.testing.assert_allclose(similarity(points), matrix, rtol=1e-4, atol=1e-3)
    ours = aligned(picture(), points)
    assert ours is not None
    assert np.abs(ours.astype(int) - theirs).max() <= 1
    box = np.array([*points.min(axis=0), *points.max(axis=0)])
    scale = 96 / (1.5 * max(box[2] - box[0], box[3] - box[1]))
    centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    theirs, _ = face_align.transform(picture(), centre, 96, scale, 0)
    assert np.abs(upright(picture(), box, 96).astype(int) - theirs).max() <= 1


def test_known_pose_of_a_face_on_the_template() -> None:
    turned = TEMPLATE_P2.copy()
    turned[2, 0] += 6
    straight, sideways = pose(np.stack([TEMPLATE_P2, turned]))
    assert np.abs(straight[[0, 2]]).max() < 1
    # 6 of 17.6 pixels to the side: asin(0.34) is 20 degrees.
    assert sideways[0] - straight[0] == pytest.approx(19.9, abs=0.5)
    quarter = (TEMPLATE_P2 - 56) @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + 56
    assert pose(quarter[None])[0, 2] == pytest.approx(90, abs=1)
    assert pose(quarter[None])[0, :2] == pytest.approx(straight[:2], abs=0.1)


def test_a_narrower_face_has_a_smaller_aspect_whatever_its_size() -> None:
    narrow = (TEMPLATE_P2 - 56) * [0.6, 1.0] + 56
    ratios = aspect(np.stack([TEMPLATE_P2, 3 * TEMPLATE_P2, narrow]))
    assert ratios[1] == pytest.approx(ratios[0], rel=1e-5)
    assert ratios[2] == pytest.approx(0.6 * ratios[0], rel=0.01)


def test_degenerate_landmarks_are_not_aligned_and_raise_no_warning() -> None:
    one_place = np.full((5, 2), 20.0)
    missing = np.full((5, 2), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert similarity(one_place) is None
        assert similarity(missing) is None
        assert aligned(picture(), one_place) is None
        assert np.isnan(pose(np.stack([one_place, missing]))).all()
        assert np.isnan(aspect(np.stack([one_place, missing]))).all()
        line = np.stack([np.linspace(10, 40, 5), np.linspace(10, 40, 5)], axis=1)  # collinear: a map exists
        matrix = similarity(line)
        assert matrix is None or np.isfinite(matrix).all()
        assert upright(picture(), np.array([5.0, 5.0, 5.0, 5.0]), 96).shape == (96, 96, 3)


def test_blur_lowers_sharpness() -> None:
    sharp = picture()
    levels = [sharpness(np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma), np.uint8)) for sigma in (0.5, 1.0, 2.0, 4.0)]
    assert levels == sorted(levels, reverse=True)
    assert sharpness(np.full((112, 112, 3), 90, np.uint8)) == 0.0
