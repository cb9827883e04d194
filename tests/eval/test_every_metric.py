"""One table of checks that every metric passes: a metric that is missing from a table here fails.

Known answers, range, monotone under graded damage, fps and size invariance where promised, invariance to windows,
batch and order, and clips that are too short or too small.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from eval.case import Asked, Case
from eval.clip import Clip, MemorySource
from eval.feature import FEATURES
from eval.metric import METRICS
from eval.planner import Score, score_clip
from moviegen.backlot import Scene, render, sample_scene


def _conftest() -> Any:
    """The clip constructors; pytest's importlib mode keeps test folders off the import path."""
    spec = importlib.util.spec_from_file_location("eval_test_clips", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Made = _conftest().Made
NAMES = METRICS.names()


def asking(**factors: Any) -> Case:
    """A case that asks for a Backlot scene with these factors, and states them all."""
    known = {name: value for name, value in scene_of(**factors).to_dict().items() if value is not None}
    asked = Asked(width=64, height=64, fps=8, duration_s=2.0, sound=True)
    return Case(id="c", asked=asked, truth={"scene": known, "stated": list(factors)})


def scene_of(**factors: Any) -> Scene:
    return sample_scene(11, **factors)


PAIR = {"subject": "dog", "action": "run", "color": "orange", "other": "box", "relation": "left of",
        "setting": "beach", "light": "day", "weather": "rain", "camera": "pan left"}  # fmt: skip
UNLIKE_PAIR = {"subject": "car", "action": "drive", "color": "green", "other": "balloon", "relation": "right of",
               "setting": "city", "light": "night", "weather": "clear", "camera": "zoom in"}  # fmt: skip
ALONE = {name: value for name, value in PAIR.items() if name != "relation"} | {"other": "none"}
PAIRWISE = {"backlot_accuracy_relation"}
TRIO = {"subject": "ball", "color": "red", "count": 3, "action": "bounce", "setting": "park", "light": "day"}
CHEF = {"subject": "person", "color": "green", "role": "chef", "action": "wave", "setting": "park", "shot": "medium"}
ASKED = asking(**PAIR)
ASKED_FOR = {"backlot_accuracy_count": TRIO, "backlot_accuracy_role": CHEF}
"""What the metrics that ASKED says nothing about are asked for."""


@functools.cache
def filmed(fps: float = 8, size: int = 64, **factors: Any) -> Clip:
    """The Backlot's own clip of such a scene, four seconds long."""
    return render(scene_of(**factors), width=size, height=size, fps=fps, frames=round(4 * fps))


def unlike(*wrong: str) -> Clip:
    """What ASKED asks for, but for these factors."""
    return filmed(**{name: (UNLIKE_PAIR if name in wrong else PAIR)[name] for name in PAIR})


def value(name: str, clip: Clip, case: Case | None = None) -> float:
    asked = asking(**ASKED_FOR[name]) if name in ASKED_FOR else ASKED
    (score,) = score_clip(MemorySource(clip), [METRICS.get(name)], case=case or asked).scores
    assert score.status == "ok", score
    assert score.value is not None
    return score.value


def frames_of(clip: Clip) -> list[np.ndarray]:
    return list(clip.frames_TCHW.transpose(0, 2, 3, 1))


def each_frame(clip: Clip, change: Callable[[np.ndarray, int], np.ndarray]) -> Clip:
    changed = [np.clip(change(f.astype(np.float32), i), 0, 255).astype(np.uint8) for i, f in enumerate(frames_of(clip))]
    return Clip(np.stack(changed).transpose(0, 3, 1, 2), clip.fps, clip.audio_CN, clip.rate_hz)


def noisy(clip: Clip, sigma: float) -> Clip:
    rng = np.random.default_rng(1)
    return each_frame(clip, lambda f, _: f + sigma * rng.normal(size=f.shape))


def jittered(clip: Clip, pixels: int) -> Clip:
    return each_frame(clip, lambda f, i: np.roll(f, pixels * (-1) ** i, axis=0))


def jpeg(clip: Clip, quality: int) -> Clip:
    def once(frame: np.ndarray, _: int) -> np.ndarray:
        ok, data = cv2.imencode(".jpg", frame.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert ok
        return cv2.imdecode(data, cv2.IMREAD_COLOR)

    return each_frame(clip, once)


def held(clip: Clip, times: int) -> Clip:
    """Every frame shown `times` times, in the same time: what padding a frame rate does."""
    return Clip(np.repeat(clip.frames_TCHW, times, axis=0), clip.fps * times)


def out_of_order(swaps: int) -> Clip:
    """A steady pan in which so many pairs of neighbouring frames have changed places."""
    frames = Made.pan().frames_TCHW.copy()
    for first in range(1, 1 + 2 * swaps, 2):
        frames[[first, first + 1]] = frames[[first + 1, first]]
    return Clip(frames, 8)


def stopped(clip: Clip, after: int) -> Clip:
    frames = clip.frames_TCHW.copy()
    frames[after:] = frames[after]
    return Clip(frames, clip.fps)


def shots(count: int) -> Clip:
    return Made.clip([Made.texture(64, 64, seed) for seed in range(count) for _ in range(24 // count)])


def stripes() -> Clip:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, ::2] = 255
    return Made.clip([frame] * 2)


def half_white() -> Clip:
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, 32:] = 255
    return Made.clip([frame] * 2)


def flicker(low: int, high: int) -> Clip:
    return Made.clip([np.full((64, 64, 3), (low, high)[i % 2], np.uint8) for i in range(16)])


def ramp() -> Clip:
    return Made.clip([np.full((64, 64, 3), 40 + 10 * i, np.uint8) for i in range(16)])


def blocks() -> Clip:
    cells = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    return Made.clip([np.kron(cells, np.ones((8, 8, 1), np.uint8))] * 2)


def loop(sigma: float = 0) -> Clip:
    once = Made.pan(0.5, seconds=1.0).frames_TCHW
    return noisy(Clip(np.concatenate([once] * 4), 8), sigma)


def hiss(seconds: float = 2.0) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).normal(size=(1, round(16_000 * seconds)))).astype(np.float32)


def low_passed(hz: float) -> Clip:
    return Made.with_sound(sosfilt(butter(8, hz, fs=16_000, output="sos"), hiss()).astype(np.float32))


def muted(share: float) -> Clip:
    sound = hiss()
    sound[:, : round(share * sound.shape[1])] = 0
    return Made.with_sound(sound)


def late(shift_s: float) -> Clip:
    impacts_s = (0.5, 1.25, 1.75, 2.75, 3.25)
    return Made.bounce(impacts_s, tuple(time_s + shift_s for time_s in impacts_s))


def form(fps: float = 8, size: int = 64, seconds: float = 2.0) -> Clip:
    clip = Made.still(size=size, frames=round(seconds * fps), fps=fps)
    return Clip(clip.frames_TCHW, fps, np.zeros((1, 1600), np.float32), 16_000)


# A clip, the value that the metric must have on it, and the tolerance.
KNOWN: dict[str, list[tuple[Callable[[], Clip], float, float]]] = {
    "temporal_flickering": [(lambda: flicker(100, 110), 1 - 10 / 255, 1e-12), (Made.still, 1, 0)],
    "motion_magnitude": [(lambda: Made.pan(0.25), 0.25, 0.005), (lambda: Made.pan(0.25, size=256), 0.25, 0.005)],
    "dynamic_degree": [(lambda: Made.pan(0.25), 1, 0), (lambda: Made.pan(0.12), 0, 0)],
    "motion_smoothness": [(lambda: flicker(100, 120), 1 - 20 / 255, 1e-6), (Made.still, 1, 0)],
    "motion_coherence": [(Made.pan, 1, 0.05), (lambda: jittered(Made.pan(0.0), 2), 0, 0.05)],
    "warp_error": [(lambda: flicker(100, 110), 10 / 255, 1e-6), (lambda: Made.pan(0.25), 0, 0.001)],
    "frozen_frames": [(Made.still, 1, 0), (Made.pan, 0, 0), (lambda: stopped(Made.pan(), 8), 7 / 15, 1e-9)],
    "duplicated_frames": [(Made.pan, 0, 0), (lambda: held(Made.pan(), 2), 16 / 31, 1e-9), (Made.still, 0, 0)],
    "looping": [(loop, 1, 1e-6), (lambda: Made.pan(0.2, seconds=4), 0, 0.1)],
    # of a steady ramp D(L) grows as L²: mean over lags 4 to 8 is 38
    "frame_order": [(ramp, 1 - 1 / 38, 1e-6), (Made.noise, 0, 0.05)],
    "scene_cuts": [(lambda: shots(3), 2 / (23 / 8), 1e-9), (Made.pan, 0, 0)],
    # a 9-tap mean leaves a ninth of a one-pixel stripe's contrast
    "sharpness": [(stripes, 8 / 9, 0.01)],
    "noise": [(lambda: noisy(each_frame(Made.still(size=128), lambda f, _: f), 0), 0, 0), (lambda: grain(10), 10, 0.2)],
    "blockiness": [(blocks, 1, 0), (Made.noise, 0, 0.02)],
    "exposure": [(lambda: Made.still(51), 0.2, 1e-9)],
    "contrast": [(half_white, 0.5, 1e-9), (Made.still, 0, 1e-9)],
    "colourfulness": [(lambda: Made.still((255, 0, 0)), 0.3 * math.hypot(255, 127.5), 1e-9), (Made.still, 0, 1e-9)],
    "structure": [(lambda: Made.noise(size=128), 0, 0.03), (half_white, 1, 1e-3), (Made.still, 0, 0)],
    # EBU Tech 3341, case 1: a stereo sine of 1 kHz with peaks at -23 dBFS
    "loudness": [(lambda: Made.with_sound(np.repeat(Made.sine(1000, 10 ** (-23 / 20), 20), 2, axis=0)), -23, 0.1)],
    "clipping": [
        (lambda: Made.with_sound(Made.sine(100, 2.0)), 1 - 2 / math.pi * math.asin(0.999 / 2), 0.005),
        (lambda: Made.with_sound(Made.sine(100, 0.99)), 0, 0),
    ],
    "silence": [(lambda: muted(0.5), 0.5, 1e-9), (lambda: muted(0), 0, 0)],
    "bandwidth": [
        (lambda: Made.with_sound(Made.sine(1000)), 1000, 50),
        (lambda: Made.with_sound(hiss(8)), 0.99 * 8000, 30),
    ],
    # one impact: the motion changes most within half a frame and 20 ms of it, 0.082 s of 1.958
    "onset_synchrony": [(lambda: Made.bounce((1.0,), seconds=2.0), 1 - 0.082 / 1.958, 0.03)],
    "asked_fps": [(form, 1, 0), (lambda: form(fps=16), 0.5, 1e-12)],
    "asked_size": [(form, 1, 0), (lambda: form(size=32), 0.5, 1e-12)],
    "asked_duration": [(form, 1, 0), (lambda: form(seconds=8), 0.25, 1e-12)],
    "asked_sound": [(form, 1, 0), (Made.still, 0, 0)],
    "backlot_prompt_accuracy": [(unlike, 1, 0), (lambda: unlike("light", "weather", "camera"), 5 / 8, 1e-12)],
    "backlot_accuracy_count": [(lambda: filmed(**TRIO), 1, 0), (lambda: filmed(**{**TRIO, "count": 2}), 0, 0)],
    "backlot_accuracy_role": [(lambda: filmed(**CHEF), 1, 0), (lambda: filmed(**{**CHEF, "role": "nurse"}), 0, 0)],
    **{f"backlot_accuracy_{name}": [(unlike, 1, 0), (lambda: unlike(*PAIR), 0, 0)] for name in PAIR if name != "other"},
}


def grain(sigma: float) -> Clip:
    """The same noise in all channels, so that the luma's is known."""
    rng = np.random.default_rng(1)
    return each_frame(Made.still(size=128), lambda f, _: np.rint(f + sigma * rng.normal(size=(*f.shape[:2], 1))))


# How the metric moves (+1 or -1) along clips of growing damage, least first.
DAMAGE: dict[str, tuple[int, Sequence[Callable[[], Clip]]]] = {
    "temporal_flickering": (-1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "motion_magnitude": (-1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "dynamic_degree": (-1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "motion_smoothness": (-1, [lambda p=p: jittered(Made.pan(0.1), p) for p in (0, 1, 2, 4)]),
    "motion_coherence": (-1, [lambda n=n: out_of_order(n) for n in (0, 1, 3, 6)]),
    "warp_error": (+1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "frozen_frames": (+1, [lambda n=n: stopped(Made.pan(), n) for n in (15, 11, 7, 3)]),
    "duplicated_frames": (+1, [lambda t=t: held(Made.pan(), t) for t in (1, 2, 3, 4)]),
    "looping": (-1, [lambda s=s: loop(s) for s in (0, 10, 20, 40)]),
    "frame_order": (-1, [lambda n=n: out_of_order(n) for n in (0, 1, 3, 6)]),
    "scene_cuts": (+1, [lambda n=n: shots(n) for n in (1, 2, 3, 4)]),
    "sharpness": (-1, [lambda s=s: blurred(s) for s in (0, 0.7, 1.4, 2.8)]),
    "noise": (+1, [lambda s=s: noisy(Made.pan(), s) for s in (0, 4, 8, 16)]),
    "blockiness": (+1, [lambda q=q: jpeg(Made.pan(size=128), q) for q in (95, 60, 30, 10)]),
    "exposure": (-1, [lambda g=g: each_frame(Made.pan(), lambda f, _: g * f) for g in (1, 0.7, 0.4, 0.1)]),
    "contrast": (-1, [lambda g=g: each_frame(Made.pan(), lambda f, _: 128 + g * (f - 128)) for g in (1, 0.7, 0.4)]),
    "colourfulness": (
        -1,
        [
            lambda g=g: each_frame(Made.pan(), lambda f, _: g * f + (1 - g) * f.mean(axis=2, keepdims=True))
            for g in (1, 0.6, 0.3, 0)
        ],
    ),
    "structure": (-1, [lambda s=s: noisy(Made.pan(size=128), s) for s in (0, 15, 30, 60)]),
    "loudness": (-1, [lambda g=g: Made.with_sound(g * hiss()) for g in (1, 0.5, 0.2, 0.05)]),
    "clipping": (+1, [lambda g=g: Made.with_sound(Made.sine(100, g)) for g in (0.9, 1.2, 2, 4)]),
    "silence": (+1, [lambda s=s: muted(s) for s in (0, 0.2, 0.5, 0.8)]),
    "bandwidth": (-1, [lambda hz=hz: low_passed(hz) for hz in (7000, 4000, 2000, 1000)]),
    "onset_synchrony": (-1, [lambda s=s: late(s) for s in (0, 0.1, 0.2, 0.3)]),
    "asked_fps": (-1, [lambda r=r: form(fps=r) for r in (8, 6, 4)]),
    "asked_size": (-1, [lambda s=s: form(size=s) for s in (64, 48, 32)]),
    "asked_duration": (-1, [lambda d=d: form(seconds=d) for d in (2, 1.5, 1)]),
    "asked_sound": (-1, [form, Made.still]),
    "backlot_prompt_accuracy": (-1, [lambda n=n: unlike(*list(PAIR)[:n]) for n in (0, 3, 6, 9)]),
    **{name: (-1, [make for make, *_ in known]) for name, known in KNOWN.items() if "backlot_accuracy" in name},
}
BINARY = {"asked_sound", *(name for name in NAMES if name.startswith("backlot_accuracy_"))}
"""1 or 0: two grades are all there are."""


def blurred(sigma: float) -> Clip:
    clip = noisy(Made.pan(size=128), 3)
    return each_frame(clip, lambda f, _: cv2.GaussianBlur(f, (0, 0), sigma) if sigma else f)


# Largest difference allowed between copies of one scene, for the metrics that promise invariance.
TOLERANCE: dict[str, float] = {
    "motion_magnitude": 0.01,
    "dynamic_degree": 0.05,
    "motion_smoothness": 0.005,
    "motion_coherence": 0.05,
    "warp_error": 0.005,
    "frozen_frames": 0.05,
    "duplicated_frames": 1e-9,
    "looping": 0.02,
    "frame_order": 0.02,
    "scene_cuts": 0.05,
    "sharpness": 0.01,
    "noise": 0.2,
    "blockiness": 0.02,
    "exposure": 0.01,
    "contrast": 0.01,
    "colourfulness": 2.0,
    "structure": 0.02,
    "loudness": 0,
    "clipping": 0,
    "silence": 0,
    "bandwidth": 0,
    "asked_fps": 0,
    "asked_size": 0,
    "asked_duration": 0,
    "asked_sound": 0,
    **dict.fromkeys((name for name in NAMES if name.startswith("backlot_")), 0.0),
}


def scenes(name: str, fps: float, size: int) -> list[Clip]:
    """A pan, and a pan that stops, at any rate and size with the same sound; for scene_cuts also two shots.

    For the metrics that read the Backlot, what they are asked for.
    """
    if name.startswith("backlot_"):
        asked = PAIR if name in PAIRWISE else ASKED_FOR.get(name, ALONE)
        return [filmed(fps, size, **asked)]
    sound = np.concatenate([Made.sine(440, 1.5, 1.0), hiss(1.0)], axis=1)
    pan = Made.pan(0.25, size=size, fps=fps).frames_TCHW
    stop = pan.copy()
    stop[round(fps) :] = stop[round(fps)]
    made = [pan, stop]
    if name == "scene_cuts":  # the flow across a cut is arbitrary
        first, second = (Made.pan(0.1, size=size, fps=fps, seed=seed).frames_TCHW for seed in (0, 5))
        made.append(np.concatenate([first[: round(fps)], second[round(fps) :]]))
    return [Clip(frames, fps, sound, 16_000) for frames in made]


def test_every_metric_is_in_every_table() -> None:
    assert set(KNOWN) == set(NAMES)
    assert set(DAMAGE) == set(NAMES)
    assert set(TOLERANCE) == {m.spec.name for m in METRICS if m.spec.invariant_to}


def test_the_readme_lists_every_metric_and_feature() -> None:
    text = (Path(__file__).parents[2] / "eval" / "README.md").read_text(encoding="utf-8")
    needed = {feature for metric in METRICS for feature in metric.spec.needs}
    assert [name for name in sorted({*NAMES, *needed}) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_spec_is_complete(name: str) -> None:
    spec = METRICS.get(name).spec
    assert spec.name == name
    assert spec.version >= 1
    assert spec.low < spec.high
    for text in (spec.unit, spec.source, spec.summary, spec.blind_spots):
        assert text.strip()
        assert "\n" not in text
    features = [FEATURES.get(needed) for needed in spec.needs]
    assert spec.needs_sound == any(feature.stream == "sound" for feature in features)
    assert METRICS.get(name).function.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_known_answers(name: str) -> None:
    for make, expected, tolerance in KNOWN[name]:
        assert value(name, make()) == pytest.approx(expected, abs=tolerance, rel=0)


@pytest.mark.parametrize("name", NAMES)
def test_monotone_under_graded_damage(name: str) -> None:
    sign, grades = DAMAGE[name]
    values = [sign * value(name, make()) for make in grades]
    assert values == sorted(set(values)), f"{name} along growing damage: {[sign * v for v in values]}"
    assert len(values) >= 3 or name in BINARY


@pytest.mark.parametrize("name", [m.spec.name for m in METRICS if "fps" in m.spec.invariant_to])
def test_frame_rate_does_not_matter(name: str) -> None:
    for copies in zip(*(scenes(name, fps, 64) for fps in (8, 16, 24)), strict=True):
        values = [value(name, copy) for copy in copies]
        assert max(values) - min(values) <= TOLERANCE[name], values


@pytest.mark.parametrize("name", [m.spec.name for m in METRICS if "size" in m.spec.invariant_to])
def test_size_does_not_matter(name: str) -> None:
    for copies in zip(*(scenes(name, 8, size) for size in (64, 128, 192)), strict=True):
        values = [value(name, copy) for copy in copies]
        assert max(values) - min(values) <= TOLERANCE[name], values


def ordinary() -> list[Clip]:
    pan = Made.pan(0.3, fps=24, seconds=3.0, width=96)
    sound = Made.thuds((0.4, 1.1, 2.6), 3.0)
    return [
        Clip(pan.frames_TCHW, 24, np.repeat(sound, 2, axis=0), 16_000),
        Made.bounce(),
        Made.noise(frames=20),
        shots(3),
        Clip(loop().frames_TCHW, 8, Made.sine(300, 1.2, 4.0, 44_100), 44_100),
    ]


def outcomes(clip: Clip, names: Sequence[str] = NAMES, window: int | None = None) -> dict[str, tuple[Any, ...]]:
    def told(score: Score) -> tuple[Any, ...]:
        return score.value, score.status, score.reason

    metrics = [METRICS.get(name) for name in names]
    scores = score_clip(MemorySource(clip, window=window), metrics, case=ASKED).scores
    return {score.metric: told(score) for score in scores}


def test_values_lie_in_their_range_and_nothing_fails() -> None:
    for clip in ordinary():
        for name, (number, status, reason) in outcomes(clip).items():
            assert status in {"ok", "skipped"}, (name, reason)
            spec = METRICS.get(name).spec
            assert number is None or spec.low <= number <= spec.high


def test_windows_order_company_and_repetition_do_not_matter() -> None:
    for clip in ordinary():
        reference = outcomes(clip, window=64)
        assert outcomes(clip, window=2) == reference
        assert outcomes(clip, NAMES[::-1], window=7) == reference
        assert {name: outcomes(clip, [name])[name] for name in NAMES} == reference


def test_memory_layout_does_not_matter() -> None:
    clip = Made.pan(0.3, size=64, width=100)
    packed = Clip(np.ascontiguousarray(clip.frames_TCHW), clip.fps)
    assert packed.frames_TCHW.strides != clip.frames_TCHW.strides
    assert outcomes(packed) == outcomes(clip)


@pytest.mark.parametrize(
    ("frames", "height", "width"),
    [(1, 64, 64), (2, 64, 64), (9, 16, 16), (9, 8, 8), (9, 1, 1), (9, 20, 300), (9, 300, 20), (3, 17, 33)],
)
def test_short_small_and_odd_clips_are_scored_or_skipped(frames: int, height: int, width: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), np.uint8)
    for audio_CN in (np.zeros((1, 0), np.float32), np.ones((2, 5), np.float32), hiss(0.3)):
        clip = Clip(pictures.transpose(0, 3, 1, 2), 8, audio_CN, 16_000)
        for name, (number, status, reason) in outcomes(clip).items():
            assert status in {"ok", "skipped"}, (name, reason)
            assert (number is None) == (status == "skipped")
            assert bool(reason) == (status == "skipped")
