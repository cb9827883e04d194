"""asked_fps, asked_size, asked_duration, asked_sound: whether the clip has the technical form that was asked for.

Each is the ratio of the smaller to the larger of what was asked and what came, so 1 is exact and half or twice is 0.5.
"""

from __future__ import annotations

from functools import partial

from eval.case import Asked
from eval.metric import Measured, NotMeasurable, metric

conformance = partial(
    metric,
    version=1,
    family="conformance",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    source="ours: min(asked, given) / max(asked, given)",
)


@conformance(
    name="asked_fps",
    needs=(),
    summary="frame rate against the one asked for: 1 is exact",
    blind_spots="repeated frames reach any rate: see duplicated_frames",
    invariant_to=frozenset({"size"}),
)
def asked_fps(measured: Measured) -> float:
    """Ratio of frame rates, 0-1."""
    fps = asked(measured).fps
    if fps is None:
        raise NotMeasurable("no frame rate was asked for")
    return ratio(fps, measured.info.fps)


@conformance(
    name="asked_size",
    needs=(),
    summary="picture size against the one asked for: the worse of width and height; 1 is exact",
    blind_spots="an enlarged small picture has the right size: see sharpness",
    invariant_to=frozenset({"fps"}),
)
def asked_size(measured: Measured) -> float:
    """The smaller of the ratios of widths and of heights, 0-1; a side that was not asked for does not count."""
    wanted, info = asked(measured), measured.info
    pairs = ((wanted.width, info.width), (wanted.height, info.height))
    ratios = [ratio(side, given) for side, given in pairs if side is not None]
    if not ratios:
        raise NotMeasurable("no picture size was asked for")
    return min(ratios)


@conformance(
    name="asked_duration",
    needs=(),
    summary="length against the one asked for: 1 is exact",
    blind_spots="a loop or a freeze fills any length: see looping and frozen_frames",
    invariant_to=frozenset({"fps", "size"}),
)
def asked_duration(measured: Measured) -> float:
    """Ratio of durations, 0-1; a difference of up to one frame does not count."""
    duration_s = asked(measured).duration_s
    if duration_s is None:
        raise NotMeasurable("no duration was asked for")
    given_s = measured.info.duration_s
    if abs(given_s - duration_s) <= 1.0 / measured.info.fps:
        return 1.0
    return ratio(duration_s, given_s)


@conformance(
    name="asked_sound",
    needs=(),
    summary="1 if there is a sound track exactly when one was asked for, else 0",
    blind_spots="a silent track is a track: see silence",
    invariant_to=frozenset({"fps", "size"}),
)
def asked_sound(measured: Measured) -> float:
    """1 or 0."""
    sound = asked(measured).sound
    if sound is None:
        raise NotMeasurable("neither sound nor silence was asked for")
    return float(sound == measured.info.has_audio)


def asked(measured: Measured) -> Asked:
    """What the case asks for; nothing where there is no case."""
    return Asked() if measured.case is None else measured.case.asked


def ratio(a: float, b: float) -> float:
    """The smaller over the larger; 0 when either is not positive."""
    return min(a, b) / max(a, b) if min(a, b) > 0 else 0.0
