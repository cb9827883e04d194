"""Codec attacks, reshared chains and combinations do what they say."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from scipy.signal import correlate

from eval.clip import Clip, FramesTCHW
from eval.video.recode import MAX_CRF, recode_picture
from safety.watermark.attacks.attack import ATTACKS, AttackError
from safety.watermark.attacks.catalogue import own_attacks
from safety.watermark.attacks.codec import generations, post, random_platform, reshare
from safety.watermark.attacks.combined import h264_crop_brightness
from safety.watermark.attacks.removal import bilateral, denoise

from .conftest import make_clip

LADDERS = [attack for attack in own_attacks() if attack.family == "codec" and attack.unit == "CRF"]


def psnr(first: FramesTCHW, second: FramesTCHW) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


def test_there_is_a_ladder_for_every_codec() -> None:
    assert {attack.name for attack in LADDERS} == set(MAX_CRF)


@pytest.mark.parametrize("attack", LADDERS, ids=lambda attack: attack.name)
def test_the_codec_is_the_named_one_at_the_stated_quality(attack: type, clip: Clip) -> None:
    crf = attack.ladder[0]  # type: ignore[attr-defined]
    coded = attack.apply(clip, crf, np.random.default_rng(0))  # type: ignore[attr-defined]
    expected = recode_picture(clip.frames_TCHW, clip.fps, attack.name, crf)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(coded.frames_TCHW, expected)


def test_a_quality_off_the_scale_is_an_attacks_error(clip: Clip) -> None:
    with pytest.raises(AttackError, match="crf 99 is not within"):
        ATTACKS.get("h264").apply(clip, 99, np.random.default_rng(0))


def test_platforms_vary_in_everything() -> None:
    seen = [random_platform(np.random.default_rng(seed)) for seed in range(60)]
    for name in ("codec", "scale", "sound", "kbps"):
        assert len({getattr(platform, name) for platform in seen}) > 1, name
    assert all(0 <= platform.crf <= MAX_CRF[platform.codec] for platform in seen)


def test_a_posted_clip_keeps_size_lengths_and_place(clip: Clip) -> None:
    posted = post(clip, random_platform(np.random.default_rng(5)))
    assert posted.frames_TCHW.shape == clip.frames_TCHW.shape
    assert posted.audio_CN is not None
    assert clip.audio_CN is not None
    lag = correlate(posted.audio_CN[0], clip.audio_CN[0], "full", "fft").argmax() - (clip.audio_CN.shape[1] - 1)
    assert lag == 0


def test_generations_are_a_chain_and_the_ladder_is_their_number() -> None:
    clip = make_clip(8)
    chain = list(islice(generations(clip, np.random.default_rng(2)), 3))
    drawn = ATTACKS.get("reshare")
    for number, expected in enumerate(chain, 1):
        assert drawn.rng("clip", number, 0).random() == drawn.rng("clip", 1, 0).random()
        got = reshare(clip, number, np.random.default_rng(2))
        np.testing.assert_array_equal(got.frames_TCHW, expected.frames_TCHW)
    assert psnr(clip.frames_TCHW, chain[0].frames_TCHW) > psnr(clip.frames_TCHW, chain[2].frames_TCHW)


def test_a_clip_without_sound_is_reshared_without_sound() -> None:
    assert reshare(make_clip(4, sound=False), 1, np.random.default_rng(0)).audio_CN is None


def test_h264_then_crop_then_half_the_brightness(clip: Clip) -> None:
    changed = h264_crop_brightness(clip, 23, np.random.default_rng(1)).frames_TCHW
    assert changed.shape == (24, 3, 45, 45)  # 0.71 of 64
    assert changed.mean() == pytest.approx(clip.frames_TCHW.mean() / 2, rel=0.15)
    coded = recode_picture(clip.frames_TCHW, clip.fps, "h264", 23)
    windows = np.lib.stride_tricks.sliding_window_view(coded[0], (45, 45), axis=(1, 2)).transpose(1, 2, 0, 3, 4)
    assert (np.abs(windows / 2 - changed[0]).max(axis=(2, 3, 4)) <= 0.5).sum() == 1


@pytest.mark.parametrize(("cleaner", "strength"), [(denoise, 15), (bilateral, 50)])
def test_denoisers_take_noise_and_keep_edges(cleaner: type, strength: float) -> None:
    rng = np.random.default_rng(0)
    step = np.full((2, 3, 48, 48), 60.0)
    step[..., 24:] = 180
    noisy = np.clip(step + rng.normal(0, 6, step.shape), 0, 255).astype(np.uint8)
    cleaned = cleaner(noisy, strength, rng)
    assert psnr(step.astype(np.uint8), cleaned) > psnr(step.astype(np.uint8), noisy) + 3
    assert (cleaned[..., 30].astype(int) - cleaned[..., 18]).mean() == pytest.approx(120, abs=5)
