"""Truth: masks, boxes, landmarks, flow and events agree with the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from moviegen.backlot import Scene, render, sample_scene, truth
from moviegen.backlot.compose import compose
from moviegen.backlot.exact import halving, sine
from moviegen.backlot.paint import paint, place
from moviegen.backlot.render import frame_times
from moviegen.backlot.truth import boxes

SIZE = 96


def picture_without(scene: Scene, instance: int, size: int, frames: int) -> Any:
    """The clip's frames with one subject taken off the stage (its shadow stays), (T, H, W, C)."""
    composition = compose(scene, size * 2, size * 2, frame_times(8.0, frames), 0.0)
    shapes = [shape for shape in composition.stage.shapes if shape.instance != instance]
    placed = place(shapes, frames, size * 2, size * 2, 2)
    return paint(placed, composition.gradient, composition.particles, frames, size, size, 2)


def still(seed: int, **fixed: Any) -> Scene:
    return sample_scene(seed, **{"camera": "static", "weather": "clear", **fixed})


@pytest.mark.parametrize("subject", ["person", "dog", "ball", "car", "kite", "bird", "fish", "boat"])
def test_masks_cover_what_the_subject_changes(subject: str) -> None:
    scene = still(
        3,
        subject=subject,
        other="none",
        count=1,
        color="red",
        setting="sea" if subject in ("fish", "boat") else "park",
        light="day",
    )
    frames = render(scene, width=SIZE, height=SIZE, frames=5, sound=False).frames_TCHW.transpose(0, 2, 3, 1)
    changed = np.abs(frames.astype(int) - picture_without(scene, 1, SIZE, 5)).max(axis=3)
    mask = truth(scene, width=SIZE, height=SIZE, frames=5).masks_THW == 1
    # A thin tip may show in a pixel without filling half of it: look two pixels around.
    near = np.stack([cv2.dilate(m.astype(np.uint8), np.ones((5, 5), np.uint8)) for m in mask]).astype(bool)
    assert mask.sum() > 100
    assert not (changed[~near] > 8).any(), "the subject shows outside its mask"
    assert (changed[mask] > 8).mean() > 0.97, "the mask covers pixels that the subject leaves alone"


def test_each_copy_has_a_mask() -> None:
    scene = still(4, subject="ball", count=3, action="bounce")
    found = truth(scene, frames=3)
    assert found.names == ("ball", "ball", "ball")
    assert set(np.unique(found.masks_THW)) == {0, 1, 2, 3}


def test_relations_are_as_asked() -> None:
    for relation, sign in (("left of", -1), ("right of", 1)):
        scene = still(5, subject="dog", other="box", relation=relation, action="walk")
        found = truth(scene)
        middle = found.boxes_TK4[:, :, 0] + found.boxes_TK4[:, :, 2]
        assert ((middle[:, 0] - middle[:, 1]) * sign > 0).all()


def test_boxes_by_hand() -> None:
    mask = np.zeros((1, 6, 8), np.uint8)
    mask[0, 2:4, 3:7] = 1
    found = boxes(mask, 2)
    assert found[0, 0].tolist() == [3, 2, 7, 4]
    assert np.isnan(found[0, 1]).all()


def warp_error(scene: Scene, inside_only: bool, fps: float) -> tuple[float, float]:
    """Mean difference of frame t and frame t+1 fetched back along the flow, and of t and t+1 as they are."""
    form: dict[str, Any] = {"width": SIZE, "height": SIZE, "frames": 6, "fps": fps}
    frames = render(scene, **form, sound=False).frames_TCHW.transpose(0, 2, 3, 1).astype(np.float32)
    found = truth(scene, **form)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    warped, plain, count = 0.0, 0.0, 0
    for t in range(5):
        to_x, to_y = x + found.flow_TCHW[t, 0], y + found.flow_TCHW[t, 1]
        back = cv2.remap(frames[t + 1], to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = found.masks_THW[t] == 1 if inside_only else found.masks_THW[t] == 0
        landed = cv2.remap(
            (found.masks_THW[t + 1] == (1 if inside_only else 0)).astype(np.float32), to_x, to_y, cv2.INTER_LINEAR
        )
        inner = cv2.erode((mask & (landed > 0.99)).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        inner &= found.flow_known_THW[t] & (to_x > 1) & (to_x < SIZE - 2) & (to_y > 1) & (to_y < SIZE - 2)
        warped += float(np.abs(back - frames[t])[inner].sum())
        plain += float(np.abs(frames[t + 1] - frames[t])[inner].sum())
        count += int(inner.sum()) * 3
    assert count > 500
    return warped / count, plain / count


@pytest.mark.parametrize(
    ("subject", "action"),
    [("ball", "roll"), ("box", "slide"), ("person", "jump"), ("kite", "fly"), ("balloon", "float"), ("box", "grow")],
)
def test_flow_carries_subjects(subject: str, action: str) -> None:
    scene = still(
        6,
        subject=subject,
        action=action,
        other="none",
        count=1,
        shot="medium",
        setting="park",
        light="day",
        speed="normal",
    )
    warped, plain = warp_error(scene, inside_only=True, fps=8.0)
    assert warped < 8.0
    assert warped < 0.6 * plain


@pytest.mark.parametrize("camera", ["pan left", "pan right", "zoom in", "zoom out", "tilt up", "tilt down"])
def test_flow_carries_the_scenery_with_the_camera(camera: str) -> None:
    scene = sample_scene(
        9,
        camera=camera,
        subject="ball",
        other="none",
        count=1,
        setting="city",
        light="day",
        weather="clear",
        shot="wide",
    )
    warped, plain = warp_error(scene, inside_only=False, fps=3.0)
    assert warped < 4.0
    assert warped < 0.6 * plain


def test_a_pan_to_the_left_moves_the_scenery_to_the_right() -> None:
    scene = sample_scene(9, camera="pan left", setting="city", weather="clear", subject="ball")
    found = truth(scene, frames=4)
    assert np.median(found.flow_TCHW[:, 0][found.masks_THW[:-1] == 0]) > 0.1


def test_landmarks_point_at_dark_eyes_in_light_faces() -> None:
    for seed in range(4):
        scene = still(
            seed,
            subject="person",
            other="none",
            action="wave",
            shot="close-up",
            skin=2,
            light="day",
            eye_color="brown",
            glasses=False,
            role="none",
            age="adult",
        )
        found = truth(scene, width=128, height=128, frames=2)
        assert found.landmarks_TP2 is not None
        assert found.visible_T is not None
        assert found.visible_T.all()
        frame = render(scene, width=128, height=128, frames=2, sound=False).frames_TCHW[0].mean(axis=0)
        left, right, nose, mouth_left, mouth_right = found.landmarks_TP2[0]
        for eye in (left, right):
            x, y = int(eye[0]), int(eye[1])
            assert frame[y - 1 : y + 2, x - 1 : x + 2].min() < 80
        assert left[0] < nose[0] < right[0]
        assert mouth_left[0] < nose[0] < mouth_right[0]
        assert left[1] < nose[1] < mouth_left[1]


def test_a_face_turned_away_is_not_visible() -> None:
    scene = still(2, subject="person", other="none", action="spin", shot="medium", speed="normal")
    found = truth(scene)
    assert found.visible_T is not None
    assert 0.2 < found.visible_T.mean() < 0.8


def test_no_landmarks_without_a_person() -> None:
    found = truth(still(2, subject="ball"))
    assert found.landmarks_TP2 is None
    assert found.visible_T is None


def test_one_frame_has_no_flow() -> None:
    found = truth(sample_scene(1), width=97, height=51, frames=1)
    assert found.flow_TCHW.shape == (0, 2, 51, 97)
    assert found.masks_THW.shape == (1, 51, 97)


@pytest.mark.parametrize(("subject", "action", "kind"), [("ball", "bounce", "bounce"), ("person", "jump", "land")])
def test_events_happen_when_the_picture_says_so(subject: str, action: str, kind: str) -> None:
    """At an impact the subject is lowest: compare its box 40 ms before, at, and 40 ms after."""
    scene = still(12, subject=subject, action=action, other="none", count=1, shot="wide", speed="normal")
    found = truth(scene, width=128, height=128, fps=50.0, frames=150)
    times = [event.time_s for event in found.events if event.kind == kind]
    assert len(times) >= 2
    top = found.boxes_TK4[:, 0, 1]
    for time_s in times:
        frame = round(time_s * 50.0)
        if 2 <= frame < 148:
            assert top[frame] > top[frame - 2]


def test_a_collision_is_where_the_two_meet() -> None:
    scene = still(3, subject="box", other="ball", action="collide", relation="left of", speed="normal", size="medium")
    found = truth(scene, width=128, height=128, fps=40.0, frames=120)
    gap = found.boxes_TK4[:, 1, 0] - found.boxes_TK4[:, 0, 2]
    times = [event.time_s for event in found.events]
    assert [event.kind for event in found.events] == ["collide"] * 2
    for time_s in times:
        assert abs(gap[round(time_s * 40.0)]) <= 4.0
    assert gap.max() > 20.0


def test_exact_functions_against_the_library() -> None:
    x = np.linspace(-3.0, 7.0, 4001)
    assert np.abs(sine(x) - np.sin(2 * np.pi * x)).max() < 6e-5
    positive = np.linspace(0.0, 30.0, 4001)
    assert np.abs(halving(positive) - 2.0**-positive).max() < 1e-11
