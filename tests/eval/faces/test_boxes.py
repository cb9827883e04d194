"""Boxes with known areas."""

from __future__ import annotations

import numpy as np

from eval.faces.boxes import areas, covered, overlaps

ONE = np.array([[0, 0, 10, 10], [5, 5, 5, 5]], np.float32)
OTHER = np.array([[5, 0, 15, 10], [0, 0, 10, 10]], np.float32)


def test_overlap_of_known_boxes() -> None:
    np.testing.assert_allclose(overlaps(ONE, OTHER), [[1 / 3, 1], [0, 0]])


def test_what_covers_a_box_need_not_be_covered() -> None:
    half = np.array([[0, 0, 5, 10]], np.float32)
    assert covered(half, ONE[:1])[0, 0] == 1
    assert covered(ONE[:1], half)[0, 0] == 0.5
    np.testing.assert_allclose(covered(ONE, OTHER), [[0.5, 1], [0, 0]])


def test_swapped_sides_have_no_area() -> None:
    assert areas(np.array([[10, 10, 0, 0], [0, 0, 2, 3]], np.float32)).tolist() == [0, 6]
