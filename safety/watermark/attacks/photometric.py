"""Attacks on the values of pixels that leave everything in its place. All frames of a clip are changed alike.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import FramesTCHW
from safety.watermark.attacks.declare import PictureHWC, each_picture, picture_attack

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""BT.601, as torchvision's colour changes use it."""

Values256 = npt.NDArray[np.float64]
DOWN, UP = (0.75, 0.5, 0.25), (1.25, 1.5, 2.0)
LEVELS = np.arange(256.0)


Change = Callable[[FramesTCHW, float], FramesTCHW]


def _pair(name: str, what: str, source: str) -> Callable[[Change], Change]:
    """Register a change by a factor twice, since less and more are two ladders: NAME-down and NAME-up."""

    def register(change: Change) -> Change:
        for suffix, ladder in (("down", DOWN), ("up", UP)):

            @picture_attack(
                f"{name}-{suffix}",
                "photometric",
                unit="factor",
                ladder=ladder,
                identity=1,
                summary=what,
                source=source,
            )
            def changed(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
                return change(frames_TCHW, strength)

        return change

    return register


@_pair("brightness", "every value times the factor", "Video Seal (.5, 1.5); WAVES (to 2)")
def brightness(frames_TCHW: FramesTCHW, factor: float) -> FramesTCHW:
    return _looked_up(frames_TCHW, LEVELS * factor)


@_pair("contrast", "distances from the clip's mean grey times the factor", "Video Seal (.5, 1.5); WAVES (to 2)")
def contrast(frames_TCHW: FramesTCHW, factor: float) -> FramesTCHW:
    grey = float(frames_TCHW.mean(axis=(0, 2, 3)) @ LUMA)
    return _looked_up(frames_TCHW, grey + (LEVELS - grey) * factor)


@_pair("saturation", "distances from each pixel's grey times the factor", "Video Seal (.5, 1.5)")
def saturation(frames_TCHW: FramesTCHW, factor: float) -> FramesTCHW:
    return each_picture(frames_TCHW, lambda picture: _saturated(picture, factor))


@_pair("gamma", "every value v to 255 (v / 255) ^ factor", "ours")
def gamma(frames_TCHW: FramesTCHW, factor: float) -> FramesTCHW:
    return _looked_up(frames_TCHW, 255 * (LEVELS / 255) ** factor)


@picture_attack(
    "hue",
    "photometric",
    unit="of a circle",
    ladder=(0.05, 0.1, 0.25, 0.5),
    identity=0,
    summary="all hues turned by this share of the colour circle (HSV)",
    source="Video Seal (.25)",
)
def hue(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    def turned(picture_HWC: PictureHWC) -> npt.NDArray[np.float32]:
        hsv_HWC = cv2.cvtColor(picture_HWC.astype(np.float32), cv2.COLOR_RGB2HSV)
        hsv_HWC[..., 0] = (hsv_HWC[..., 0] + 360 * strength) % 360
        return np.asarray(cv2.cvtColor(hsv_HWC, cv2.COLOR_HSV2RGB), np.float32)

    return each_picture(frames_TCHW, turned)


@picture_attack(
    "grey",
    "photometric",
    unit="of colour taken",
    ladder=(1,),
    identity=0,
    summary="no colours: luma in all three channels",
    source="Video Seal",
)
def grey(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return saturation(frames_TCHW, 1 - strength)


@picture_attack(
    "blur",
    "photometric",
    unit="px kernel",
    ladder=(3, 5, 9, 17),
    identity=1,
    summary="Gaussian blur, σ = .3 ((k − 1) / 2 − 1) + .8 as torchvision has it",
    source="Video Seal (9); WAVES (radius to 20)",
)
def blur(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    size = round(strength)
    sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8  # left to itself, OpenCV takes other kernels up to 7
    return each_picture(frames_TCHW, lambda picture: cv2.GaussianBlur(picture, (size, size), sigma))


@picture_attack(
    "median",
    "photometric",
    unit="px kernel",
    ladder=(3, 5, 9, 17),
    identity=1,
    summary="the median of a square around each pixel",
    source="OmniSeal (9)",
)
def median(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return each_picture(frames_TCHW, lambda picture: cv2.medianBlur(picture, round(strength)))


@picture_attack(
    "noise",
    "photometric",
    unit="σ of 1",
    ladder=(0.01, 0.02, 0.05, 0.1),
    identity=0,
    random=True,
    summary="Gaussian noise, another in every pixel, channel and frame",
    source="WAVES (to .1); W-Bench (.02-.1)",
)
def noise(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    sigma = np.float32(255 * strength)
    return each_picture(
        frames_TCHW, lambda picture: picture + sigma * rng.standard_normal(picture.shape, dtype=np.float32)
    )


@picture_attack(
    "jpeg",
    "photometric",
    unit="quality",
    ladder=(90, 70, 50, 40, 25, 10),
    summary="every frame through JPEG (4:2:0)",
    source="Video Seal (40); WAVES (90-10); W-Bench (70-10)",
)
def jpeg(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    def coded(picture_HWC: PictureHWC) -> PictureHWC:
        made, data = cv2.imencode(".jpg", picture_HWC[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, round(strength)])
        assert made, "JPEG takes any picture of up to 65535 pixels a side"
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)

    return each_picture(frames_TCHW, coded)


@picture_attack(
    "sharpen",
    "photometric",
    unit="amount",
    ladder=(0.5, 1, 2, 4),
    identity=0,
    summary="unsharp mask: the difference to a Gaussian blur (σ 1 px), added this many times",
    source="ours",
)
def sharpen(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    def sharper(picture_HWC: PictureHWC) -> npt.NDArray[np.float32]:
        values_HWC = picture_HWC.astype(np.float32)
        return values_HWC + np.float32(strength) * (values_HWC - cv2.GaussianBlur(values_HWC, (0, 0), 1.0))

    return each_picture(frames_TCHW, sharper)


def _looked_up(frames_TCHW: FramesTCHW, table: Values256) -> FramesTCHW:
    return np.clip(np.rint(table), 0, 255).astype(np.uint8)[frames_TCHW]


def _saturated(picture_HWC: PictureHWC, factor: float) -> npt.NDArray[np.float32]:
    grey_HW1 = (picture_HWC.astype(np.float32) @ LUMA)[..., None]
    return np.asarray(grey_HW1 + (picture_HWC - grey_HW1) * np.float32(factor), np.float32)
