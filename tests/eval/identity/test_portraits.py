"""Portraits as a pack describes them, and those that cannot serve."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.case import Case
from eval.faces.align import TEMPLATE_P2
from eval.faces.pack import Cut, Descriptions, Faces
from eval.feature import NotMeasurable
from eval.identity import portraits as module
from eval.identity.portraits import group_of, portraits, presentation_of


class FakePack:
    """Finds a face at every red bar; with a margin, only in pictures where no bar is nearer to the left edge."""

    def __init__(self) -> None:
        self.looked = 0
        self.margin = 0

    def find(self, picture_HWC: np.ndarray) -> Faces:
        self.looked += 1
        bright = np.flatnonzero((picture_HWC[self.margin :, :, 0] == 255).any(axis=0))
        starts = bright[np.insert(np.diff(bright) > 1, 0, True)] if len(bright) else bright
        if self.margin and len(starts) and starts[0] < self.margin:
            starts = starts[:0]
        points = np.tile(0.2 * TEMPLATE_P2, (len(starts), 1, 1)).astype(np.float32)
        points[:] = np.nan if picture_HWC[0, 0, 1] == 13 else points
        return Faces(np.zeros((len(starts), 4), np.float32), np.ones(len(starts), np.float32), points)

    def describe(self, cut: Cut) -> Descriptions:
        assert len(cut) == 1
        tones = np.eye(10, dtype=np.float32)[[4]]
        return Descriptions(np.array([[0.6, 0.8]], np.float32), np.array([0.9]), np.array([30]), tones)


@pytest.fixture
def pack(monkeypatch) -> FakePack:
    fake = FakePack()
    monkeypatch.setattr(module, "open_pack", lambda _: fake)
    module._described.cache_clear()
    yield fake
    module._described.cache_clear()


def drawn(path: Path, faces: int, corner: int = 0) -> Path:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[0, 0, 1] = corner
    for face in range(faces):
        picture[:, 4 + 10 * face : 7 + 10 * face, 2] = 255  # red, as OpenCV writes it
    cv2.imwrite(str(path), picture)
    return path


def asking(**paths: Path) -> Case:
    return Case("c", references={name: str(path) for name, path in paths.items()})


def test_the_face_of_a_portrait_with_its_group(pack, tmp_path) -> None:
    (found,) = portraits(asking(portrait=drawn(tmp_path / "a.png", 1)), "backlot-faces")
    assert found.embedding_D.tolist() == pytest.approx([0.6, 0.8])
    assert found.crop_SS3.shape == (32, 32, 3)
    assert found.group == "masculine 4-6"


def test_people_are_in_the_order_of_their_names_and_other_references_are_no_people(pack, tmp_path) -> None:
    paths = {name: drawn(tmp_path / f"{name}.png", 1) for name in ("portrait_b", "source", "portrait_a")}
    assert list(asking(**paths).portraits) == ["portrait_a", "portrait_b"]
    assert len(portraits(asking(**paths), "backlot-faces")) == 2


def test_a_picture_is_looked_at_once_however_often_it_is_asked_for(pack, tmp_path) -> None:
    path = drawn(tmp_path / "a.png", 1)
    for _ in range(5):
        portraits(asking(portrait=path), "backlot-faces")
    assert pack.looked == 1
    drawn(path, 2)
    for _ in range(3):
        with pytest.raises(NotMeasurable, match="2 faces"):
            portraits(asking(portrait=path), "backlot-faces")
    assert pack.looked == 2


def test_a_face_that_fills_its_picture_is_found_with_a_border(pack, tmp_path) -> None:
    pack.margin = 6
    portraits(asking(portrait=drawn(tmp_path / "a.png", 1)), "backlot-faces")
    assert pack.looked == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: drawn(path, 0), r"a.png shows no face"),
        (lambda path: drawn(path, 2), r"a.png shows 2 faces: cut it to one person"),
        (lambda path: drawn(path, 1, corner=13), r"a.png shows a face whose landmarks cannot be aligned"),
        (lambda path: path.write_bytes(b"no picture"), r"a.png cannot be read"),
        (lambda path: path.write_bytes(b""), r"a.png cannot be read"),
        (lambda path: path.mkdir(), r"a.png cannot be read"),
        (lambda path: None, r"a.png cannot be read: No such file"),
    ],
)
def test_portraits_that_cannot_serve_are_one_line(pack, tmp_path, make, words) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(NotMeasurable, match=words) as error:
        portraits(asking(portrait=tmp_path / "a.png"), "backlot-faces")
    assert "\n" not in str(error.value)


def test_groups_as_far_as_they_are_known() -> None:
    tones = np.eye(10, dtype=np.float32)
    groups = [group_of(share, tones[step]) for share, step in ((0.1, 0), (0.5, 3), (0.49, 6), (1.0, 9))]
    assert groups == ["feminine 1-3", "masculine 4-6", "feminine 7-10", "masculine 7-10"]
    assert group_of(0.9, np.full(10, np.nan)) == "masculine"
    assert group_of(math.nan, tones[0]) == ""
    assert [presentation_of(name) for name in ("feminine 4-6", "masculine", "")] == ["feminine", "masculine", ""]
