"""Rendering: the same bytes everywhere, the same picture at the same time, every value of every factor."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import Clip
from eval.hashing import clip_sha256
from moviegen.backlot import FACTORS, render, sample_scene
from moviegen.backlot.factors import ACTIONS

GOLDEN = {
    3: "f1dc17659e3d61c5ee8f5bcf225a3271f52528709940167f00154ef29dcc8253",
    6: "446bb0c6f4a441b73775c5f02e9ad9ae78e0375a2a44c8ebe6279dc61c13bf6e",
    17: "9c2fa4b764680f8821edd55f3a22ba03b861354b3e32f72d5e9ecd9478f0ab78",
    40: "aa27f2a463c21f42454560bb8b559e07ac9199f6cb59c8c7fb4d4375a4cab621",
}
"""A seed's clip is part of suites, of training sets and of stored results: a change of one bit makes all of them stale.
Change these hashes only together with the versions of what was made from the clips."""


def frames_of(clip: Clip) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(clip.frames_TCHW)


@pytest.mark.parametrize("seed", GOLDEN)
def test_golden_bytes(seed: int) -> None:
    assert clip_sha256(render(sample_scene(seed))) == GOLDEN[seed]


def test_same_bytes_without_the_processor_s_vector_units() -> None:
    """A processor without AVX must make the same clips; numpy and OpenCV let us pretend."""
    code = (
        "from eval.hashing import clip_sha256; from moviegen.backlot import render, sample_scene\n"
        "print(*(clip_sha256(render(sample_scene(seed))) for seed in range(12)))"
    )
    here = [clip_sha256(render(sample_scene(seed))) for seed in range(12)]
    plain = {
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR X86_V3",
        "OPENCV_CPU_DISABLE": "AVX2,AVX,FP16,SSE4.2,SSE4.1",
    }
    for extra in ({}, plain):
        answer = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **extra},
        )
        assert answer.stdout.split() == here, answer.stderr[-500:]


@pytest.mark.parametrize("seed", range(6))
def test_rates_agree_at_common_times(seed: int) -> None:
    scene = sample_scene(seed)
    slow = frames_of(render(scene, fps=8, frames=9, sound=False))
    double = frames_of(render(scene, fps=16, frames=17, sound=False))
    triple = frames_of(render(scene, fps=24, frames=25, sound=False))
    assert np.array_equal(slow, double[::2])
    assert np.array_equal(slow, triple[::3])


def test_a_longer_clip_begins_with_the_shorter() -> None:
    scene = sample_scene(8)
    short, long = render(scene, frames=8), render(scene, frames=40)
    assert np.array_equal(frames_of(short), frames_of(long)[:8])
    assert short.audio_CN is not None
    assert long.audio_CN is not None
    assert np.array_equal(short.audio_CN[0], long.audio_CN[0, : short.audio_CN.shape[1]])


@pytest.mark.parametrize(
    ("width", "height", "frames", "fps", "rate_hz"),
    [(97, 51, 3, 12.5, 22050), (33, 120, 1, 8, 16000), (8, 8, 2, 1, 4000), (320, 180, 2, 23.976, 48000)],
)
def test_any_form(width: int, height: int, frames: int, fps: float, rate_hz: int) -> None:
    for seed in range(5):
        clip = render(sample_scene(seed), width=width, height=height, frames=frames, fps=fps, rate_hz=rate_hz)
        assert clip.frames_TCHW.shape == (frames, 3, height, width)
        assert clip.audio_CN is not None
        assert clip.audio_CN.shape == (1, round(frames / fps * rate_hz))
        assert np.abs(clip.audio_CN).max() <= 1.0


def test_without_sound() -> None:
    clip = render(sample_scene(1), sound=False)
    assert clip.audio_CN is None
    assert clip.rate_hz is None


@pytest.mark.parametrize("wrong", [{"width": 4}, {"height": 5000}, {"fps": 0.0}, {"frames": 0}, {"rate_hz": 100}])
def test_forms_outside_the_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        render(sample_scene(1), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FACTORS)
def test_every_value_can_be_rendered_and_looks_different(name: str) -> None:
    """Each value of a factor gives a clip of its own (mood is only heard)."""
    clips = [render(sample_scene(31, **{name: value}), width=48, height=48, frames=6) for value in FACTORS[name].values]
    assert len({clip_sha256(clip) for clip in clips}) == len(clips)


@pytest.mark.parametrize(("subject", "action"), [(s, a) for s, actions in ACTIONS.items() for a in actions])
def test_something_moves_in_every_scene(subject: str, action: str) -> None:
    """Within two seconds at the least speed, 0.4 % of the picture (4 x 4 pixels) change by a tenth of the range."""
    other = {"boat": "boat", "fish": "fish"}.get(subject, "box") if action == "collide" else "none"
    scene = sample_scene(
        7, subject=subject, action=action, other=other, camera="static", weather="clear", speed="slow", count=1
    )
    frames = frames_of(render(scene, frames=17, sound=False)).astype(int)
    change = np.abs(frames[1:] - frames[0]).max(axis=(0, 1))
    assert (change > 25).mean() > 0.004, "under 0.4 % of the picture moved"
