"""Graded damage keeps a clip's form, grows, and gives shipped curves that a small measurement agrees with."""

import json

import numpy as np
import pytest

from benchmarks.damage import DAMAGES
from benchmarks.damage_curves import SHIPPED, curves_of, main
from eval.clip import Clip


@pytest.fixture(scope="module")
def clip():
    random = np.random.default_rng(0)
    base = np.cumsum(random.normal(0, 6, (24, 3, 32, 32)), axis=0) + 128
    sound = 0.3 * np.sin(np.arange(24_000) / 16_000 * 2 * np.pi * 3000)
    return Clip(np.clip(base, 0, 255).astype(np.uint8), 16, sound.astype(np.float32)[None], 16_000)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_damage_keeps_the_form_and_grows(damage, clip):
    distances = []
    for strength in damage.strengths:
        made = damage.apply(clip, strength)
        assert made.frames_TCHW.shape == clip.frames_TCHW.shape
        assert made.audio_CN.shape == clip.audio_CN.shape
        assert made.fps == clip.fps
        picture = np.abs(made.frames_TCHW.astype(float) - clip.frames_TCHW).mean()
        sound = np.abs(made.audio_CN - clip.audio_CN).mean()
        assert (picture > 0) == (damage.stream == "picture")
        assert (sound > 0) == (damage.stream == "sound")
        distances.append(picture + sound)
    assert distances[-1] > distances[0] or damage.name in {"late sound", "dull sound"}


def test_silent_clips_pass_through_damage_to_the_sound(clip):
    silent = Clip(clip.frames_TCHW, clip.fps)
    for damage in DAMAGES:
        if damage.stream == "sound":
            assert damage.apply(silent, damage.strengths[0]) is silent


def test_the_shipped_file_holds_every_damage_with_intervals():
    document = json.loads(SHIPPED.read_text())
    assert list(document["damages"]) == [damage.name for damage in DAMAGES]
    for name, entry in document["metrics"].items():
        for curve in curves_of(name, entry["version"]):
            assert len(curve.values) == len(curve.strengths) == 5
            assert all(
                low <= value <= high for low, value, high in zip(curve.lows, curve.values, curve.highs, strict=True)
            )


@pytest.mark.slow
def test_measuring_again_gives_the_same_form(tmp_path):
    assert main(["--cases", "2", "-o", str(tmp_path / "curves.json")]) == 0
    again, shipped = json.loads((tmp_path / "curves.json").read_text()), json.loads(SHIPPED.read_text())
    assert set(again["metrics"]) == set(shipped["metrics"])
    assert again["damages"] == shipped["damages"]
