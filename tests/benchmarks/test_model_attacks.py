"""Attacks with models: nothing at strength 0 but the autoencoder, further away the stronger, at any size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

import benchmarks.model_attacks
from benchmarks.model_attacks import OVERLAP, _fading, _spans, noisy_latents, regenerated, round_trips
from eval.clip import Clip
from moviegen.backlot.render import render
from moviegen.backlot.scene import sample_scene
from safety.watermark.attacks.attack import ATTACKS, AttackError


@pytest.fixture(scope="module")
def clip() -> Clip:
    rendered = render(sample_scene(12), width=64, height=64, fps=8.0, frames=8)
    return Clip(rendered.frames_TCHW, rendered.fps, np.zeros((1, 4000), np.float32), 4000)


def changed(clip: Clip, other: Clip) -> float:
    """Root mean square of differences, of 255."""
    return float(np.sqrt(np.mean((clip.frames_TCHW.astype(float) - other.frames_TCHW) ** 2)))


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", ["tae-roundtrip", "noise-latents", "regenerate"])
def test_the_ladder_leads_away_from_the_clip(clip: Clip, name: str) -> None:
    attack = ATTACKS.get(name)
    before = clip.frames_TCHW.copy()
    found = [attack.apply(clip, strength, rng()) for strength in (attack.ladder[0], attack.ladder[-1])]
    assert changed(clip, found[0]) < changed(clip, found[1])
    for other in found:
        assert other.frames_TCHW.shape == clip.frames_TCHW.shape
        assert (other.fps, other.rate_hz) == (clip.fps, clip.rate_hz)
        assert other.audio_CN is clip.audio_CN
    assert np.array_equal(clip.frames_TCHW, before)


def test_no_passes_change_nothing(clip: Clip) -> None:
    assert np.array_equal(round_trips(clip, 0, rng()).frames_TCHW, clip.frames_TCHW)


def test_strength_0_is_the_autoencoder_alone(clip: Clip) -> None:
    once = round_trips(clip, 1, rng())
    assert changed(clip, once) < 8
    for attack in (noisy_latents, regenerated):
        assert np.array_equal(attack(clip, 0, rng()).frames_TCHW, once.frames_TCHW)


def test_the_model_takes_away_noise_that_was_put_in(clip: Clip) -> None:
    """At the same noise on the latents, the way back ends nearer to the clip than the noise left it."""
    strength = 0.3
    assert changed(clip, regenerated(clip, strength, rng())) < changed(
        clip, noisy_latents(clip, strength / (1 - strength), rng())
    )


def test_the_random_numbers_given_decide(clip: Clip) -> None:
    one, same = (regenerated(clip, 0.2, rng()) for _ in range(2))
    assert np.array_equal(one.frames_TCHW, same.frames_TCHW)
    assert changed(one, regenerated(clip, 0.2, np.random.default_rng(8))) > 1


@pytest.mark.parametrize("size", [(1, 20, 30), (5, 72, 100)])
def test_other_sizes_and_lengths_are_kept(size: tuple[int, int, int]) -> None:
    frames, height, width = size
    ramp_HW = np.add.outer(np.arange(height), np.arange(width)) % 200 + 20
    clip = Clip(np.broadcast_to(ramp_HW, (frames, 3, height, width)).astype(np.uint8), 24.0)
    for attack, strength in ((round_trips, 1), (regenerated, 0.1)):
        assert attack(clip, strength, rng()).frames_TCHW.shape == clip.frames_TCHW.shape


@pytest.mark.parametrize("strength", [-0.1, 1.0, 2.0])
def test_a_strength_that_is_none_is_refused(clip: Clip, strength: float) -> None:
    with pytest.raises(AttackError, match="from 0 to less than 1"):
        regenerated(clip, strength, rng())


@pytest.mark.parametrize(("size", "window"), [(3, 8), (8, 8), (9, 8), (20, 8), (60, 8)])
def test_windows_cover_a_side_and_fade_into_each_other(size: int, window: int) -> None:
    spans = list(_spans(size, window, OVERLAP))
    covered = np.concatenate([np.arange(span.start, span.stop) for span in spans])
    assert set(covered) == set(range(size))
    assert all(later.start <= earlier.stop - OVERLAP for earlier, later in pairwise(spans))
    assert torch.equal(_fading(window), _fading(window).flip(0))


def test_they_join_the_other_attacks() -> None:
    assert benchmarks.model_attacks.__name__
    assert {"tae-roundtrip", "noise-latents", "regenerate", "h264"} <= set(ATTACKS.names())
