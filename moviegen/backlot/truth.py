"""The truth about a clip: masks, boxes, faces, optical flow and events, from the same shapes as the picture.

Shape legend: T frames, K instances, H height, W width, C channels, P = 5 landmarks, 2 = (across, down).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from moviegen.backlot.actions import Event
from moviegen.backlot.camera import Camera
from moviegen.backlot.compose import Composition, compose, events
from moviegen.backlot.paint import Placed, fill, place
from moviegen.backlot.pose import Pose
from moviegen.backlot.render import check_form, frame_times
from moviegen.backlot.scene import Scene

_FINE = 4
"""Masks are decided on a grid this many times as fine as the picture's."""


@dataclass(frozen=True)
class Truth:
    """What is exactly known of a clip.

    masks_THW: uint8 instance of each pixel: 0 scenery (with shadows and weather), 1 … count the subject and its
    copies, then the second subject. A pixel belongs to the instance that covers most of it.
    boxes_TK4: float32 left, top, right, bottom in pixels, instance k+1 at index k; NaN where it is not in the picture.
    landmarks_TP2: float32 pixels (the top left pixel spans 0 to 1): left and right eye (as the viewer sees them), nose,
    left and right mouth corner of the person; visible_T: whether the face looks at the camera and lies in the picture.
    Both are None without a person.
    flow_TCHW: float32 (T-1, 2, H, W): where each pixel of frame t is in frame t+1, as (across, down) pixels.
    flow_known_THW: bool (T-1, H, W), False where a shape was turned edge-on and has no defined motion.
    events: by time. factors: of the scene, with `seed`. names: of the instances.
    """

    masks_THW: npt.NDArray[np.uint8]
    boxes_TK4: npt.NDArray[np.float32]
    landmarks_TP2: npt.NDArray[np.float32] | None
    visible_T: npt.NDArray[np.bool_] | None
    flow_TCHW: npt.NDArray[np.float32]
    flow_known_THW: npt.NDArray[np.bool_]
    events: tuple[Event, ...]
    factors: dict[str, Any]
    names: tuple[str, ...]


def truth(
    scene: Scene,
    *,
    width: int = 64,
    height: int = 64,
    fps: float = 8.0,
    frames: int = 32,
    rate_hz: int = 16000,
    sound: bool = True,
) -> Truth:
    """The truth about render(scene, ...) with the same arguments (rate_hz and sound make no difference)."""
    del sound
    check_form(width, height, fps, frames, rate_hz)
    fine_w, fine_h = width * _FINE, height * _FINE
    composition = compose(scene, fine_w, fine_h, frame_times(fps, frames), frames / fps)
    placed = place(composition.stage.shapes, frames, fine_w, fine_h, _FINE)
    tops_THW = _top_shapes(placed, frames, fine_w, fine_h)
    masks = _masks(placed, tops_THW, width, height)
    actors = composition.actors
    flow, known = _flow(composition, placed, tops_THW[:, _FINE // 2 :: _FINE, _FINE // 2 :: _FINE])
    landmarks, visible = _landmarks(composition, frames, width, height)
    return Truth(
        masks_THW=masks,
        boxes_TK4=boxes(masks, len(actors)),
        landmarks_TP2=landmarks,
        visible_T=visible,
        flow_TCHW=flow,
        flow_known_THW=known,
        events=tuple(events(composition)),
        factors={**scene.factors(), "seed": scene.seed},
        names=tuple(actor.kind for actor in actors),
    )


Tops = npt.NDArray[np.int32]


def _top_shapes(placed: Placed, frames: int, width: int, height: int) -> Tops:
    """Index + 1 of the solid shape seen at every pixel of the fine grid, 0 where there is only the gradient."""
    tops = np.zeros((frames, height, width), np.int32)
    for t in range(frames):
        canvas = tops[t]
        for k in np.flatnonzero(placed.visible_TK[t]):
            shape = placed.shapes[k]
            if shape.solid:
                fill(canvas, placed.outline(int(k), t), shape, int(k) + 1, cv2.LINE_8)
    return tops


def _masks(placed: Placed, tops_THW: Tops, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The instance that covers most of each pixel; ties go to the higher number."""
    instance_of = np.array([0, *(shape.instance for shape in placed.shapes)], np.uint8)
    fine = instance_of[tops_THW]
    cells = fine.reshape(len(fine), height, _FINE, width, _FINE)
    most = np.zeros((len(fine), height, width), np.int64)
    best = np.zeros((len(fine), height, width), np.uint8)
    for instance in range(int(instance_of.max()) + 1):
        count = (cells == instance).sum(axis=(2, 4))
        better = count >= np.maximum(most, 1)
        best[better], most[better] = instance, count[better]
    return best


def boxes(masks_THW: npt.NDArray[np.uint8], instances: int) -> npt.NDArray[np.float32]:
    """Bounding boxes of instances 1 … in masks: (T, K, 4) left, top, right, bottom (exclusive); NaN where absent."""
    found = np.full((len(masks_THW), instances, 4), np.nan, np.float32)
    for t, mask_HW in enumerate(masks_THW):
        for k in range(instances):
            rows, columns = np.nonzero(mask_HW == k + 1)
            if len(rows):
                found[t, k] = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return found


def _landmarks(
    composition: Composition, frames: int, width: int, height: int
) -> tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.bool_] | None]:
    if not composition.heads:
        return None, None
    head = next(iter(composition.heads.values()))
    points = np.empty((frames, 5, 2), np.float32)
    for p, (u, v) in enumerate(head.features.landmarks_52()):
        x, y = head.pose.place(float(u), float(v))
        points[:, p, 0], points[:, p, 1] = np.asarray(x) / _FINE, np.asarray(y) / _FINE
    inside = ((points >= 0) & (points < np.array([width, height], np.float32))).all(axis=(1, 2))
    return points, inside & np.asarray(head.shown_T)


def _flow(
    composition: Composition, placed: Placed, tops_THW: Tops
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Motion of the shape seen at each pixel's middle: its pose in the next frame after the inverse of its pose now."""
    frames, height, width = tops_THW.shape
    ground = _ground_poses(composition.camera, frames)
    tables = placed.poses_6KT.transpose(1, 0, 2)
    y_HW, x_HW = np.mgrid[0:height, 0:width] * float(_FINE) + 0.5 * _FINE
    flow = np.zeros((max(0, frames - 1), 2, height, width), np.float32)
    known = np.ones((max(0, frames - 1), height, width), bool)
    for t in range(frames - 1):
        top = tops_THW[t]
        now, then = tables[top - 1, :, t], tables[top - 1, :, t + 1]
        bare = top == 0
        now[bare], then[bare] = ground[t], ground[t + 1]
        dx, dy, sound = _carried(now, then, x_HW, y_HW)
        flow[t, 0], flow[t, 1], known[t] = dx / _FINE, dy / _FINE, sound
    return flow, known


def _carried(now: Any, then: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    a, b, c, d, tx, ty = np.moveaxis(now, -1, 0)
    determinant = a * d - b * c
    sound = np.abs(determinant) > 1e-9
    safe = np.where(sound, determinant, 1.0)
    u = (d * (x - tx) - b * (y - ty)) / safe
    v = (a * (y - ty) - c * (x - tx)) / safe
    a2, b2, c2, d2, tx2, ty2 = np.moveaxis(then, -1, 0)
    return (
        np.where(sound, a2 * u + b2 * v + tx2 - x, 0.0),
        np.where(sound, c2 * u + d2 * v + ty2 - y, 0.0),
        sound,
    )


def _entries(pose: Pose, frames: int) -> npt.NDArray[np.float64]:
    return np.stack([np.broadcast_to(np.asarray(entry, np.float64), (frames,)) for entry in pose.entries()])


def _ground_poses(camera: Camera, frames: int) -> npt.NDArray[np.float64]:
    """The bare gradient has no texture across; it moves as the middle distance does. (T, 6)"""
    return _entries(camera.layer(0.5), frames).T
