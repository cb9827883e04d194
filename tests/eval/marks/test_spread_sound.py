"""The mark in sound: heard by nobody, read by the owner, in every second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from eval.clip import Clip
from eval.marks.bits import matches, random_message
from eval.marks.mark import MarkError, find_mark
from eval.video import resample

Make = Callable[..., Clip]
KEY = 5
MARK = find_mark("spread-sound")
MESSAGE = random_message(32, 1)


@pytest.fixture(scope="module")
def clip() -> Clip:
    random = np.random.default_rng(0)
    t = np.arange(4 * 16_000) / 16_000
    sound = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 550, 1375)) / 8 + random.normal(0, 0.05, len(t))
    return Clip(np.zeros((32, 3, 8, 8), np.uint8), 8.0, sound[None].astype(np.float32), 16_000)


@pytest.fixture(scope="module")
def marked(clip: Clip) -> Clip:
    return MARK.embed(clip, MESSAGE, key=KEY)


def _sound(clip: Clip) -> np.ndarray:
    assert clip.audio_CN is not None
    return clip.audio_CN


def test_the_message_comes_back_and_is_soft(clip: Clip, marked: Clip) -> None:
    found = MARK.detect(marked, key=KEY)
    assert matches(found, MESSAGE) == 32
    assert found.p_presence is not None
    assert found.p_presence < 1e-9
    change = _sound(marked) - _sound(clip)
    assert 10 * np.log10(np.square(_sound(clip)).sum() / np.square(change).sum()) > 15
    assert marked.frames_TCHW is clip.frames_TCHW


def test_a_cut_clip_finds_its_second(marked: Clip) -> None:
    cut = replace(marked, audio_CN=np.ascontiguousarray(_sound(marked)[:, 7013:]))
    assert matches(MARK.detect(cut, key=KEY), MESSAGE) >= 31


def test_noise_gain_and_another_rate(marked: Clip) -> None:
    random = np.random.default_rng(1)
    noisy = 0.4 * _sound(marked) + random.normal(0, 0.004, _sound(marked).shape)
    assert matches(MARK.detect(replace(marked, audio_CN=noisy.astype(np.float32)), key=KEY), MESSAGE) >= 31
    other = replace(marked, audio_CN=resample(_sound(marked), 16_000, 24_000), rate_hz=24_000)
    assert matches(MARK.detect(other, key=KEY), MESSAGE) >= 31


def test_unmarked_seconds_show(clip: Clip, marked: Clip) -> None:
    half = np.concatenate([_sound(marked)[:, :32_000], _sound(clip)[:, 32_000:]], axis=1)
    local_T = MARK.detect(replace(marked, audio_CN=half), key=KEY).local_T
    assert local_T is not None
    assert local_T.shape == (4,)
    assert local_T[:2].min() > local_T[2:].max() + 2


def test_nothing_is_found_without_the_mark_or_with_another_key(clip: Clip, marked: Clip) -> None:
    presences = [MARK.detect(clip, key=other).p_presence for other in range(15)]
    assert min(one for one in presences if one is not None) > 1e-3
    assert (MARK.detect(marked, key=KEY + 1).p_presence or 0) > 1e-3


def test_what_cannot_be_marked_is_one_line(clip: Clip) -> None:
    silent = np.zeros((1, 32_000), np.float32)
    cases = (
        (Clip(clip.frames_TCHW, 8.0), "no sound"),
        (replace(clip, audio_CN=silent), "silent"),
        (replace(clip, audio_CN=_sound(clip)[:, :8000]), "0.50 s of sound are too short"),
        (replace(clip, audio_CN=_sound(clip), rate_hz=2000), "resample it to 4000 Hz"),
    )
    for one, says in cases:
        with pytest.raises(MarkError, match=says) as caught:
            MARK.embed(one, MESSAGE, key=KEY)
        assert "\n" not in str(caught.value)
        with pytest.raises(MarkError, match=says):
            MARK.detect(one, key=KEY)
    with pytest.raises(MarkError, match="16 bits, but the mark carries 32"):
        MARK.embed(clip, MESSAGE[:16], key=KEY)
