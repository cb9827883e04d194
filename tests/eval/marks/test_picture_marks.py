"""What every mark in the picture owes: the message comes back, also through x264; nobody else can read it; no lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from eval.clip import Clip
from eval.marks.bits import match_p_value, matches, random_message
from eval.marks.mark import MARKS, MarkError, find_mark
from eval.registry import UnknownName

Make = Callable[..., Clip]
NAMES = ["spread-dct", "qim-dct", "dwt-dct", "learned"]
KEY = 77


def _psnr(one: Clip, other: Clip) -> float:
    error = np.square(one.frames_TCHW.astype(np.float64) - other.frames_TCHW).mean()
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("name", NAMES)
def test_the_message_comes_back(name: str, made: Make) -> None:
    mark, message, clip = find_mark(name), random_message(32, 3), made(0, 128, 128)
    marked = mark.embed(clip, message, key=KEY)
    assert marked.frames_TCHW.shape == clip.frames_TCHW.shape
    assert marked.audio_CN is clip.audio_CN
    assert _psnr(clip, marked) > 37
    found = mark.detect(marked, key=KEY)
    assert matches(found, message) == 32
    assert found.p_presence is not None
    assert found.p_presence < 1e-6
    assert found.local_T is not None
    assert found.local_T.shape == (16,)
    assert np.array_equal(found.soft_K > 0, found.bits_K > 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_message_survives_x264(name: str, made: Make, through_x264: Callable[[Clip, float], Clip]) -> None:
    mark, message = find_mark(name), random_message(32, 4)
    worn = through_x264(mark.embed(made(1, 128, 128), message, key=KEY), 23)
    assert matches(mark.detect(worn, key=KEY), message) >= 31


@pytest.mark.parametrize("name", NAMES)
def test_another_key_reads_nothing(name: str, made: Make) -> None:
    mark, message = find_mark(name), random_message(32, 5)
    marked = mark.embed(made(2), message, key=KEY)
    agree = [matches(mark.detect(marked, key=KEY + 1 + other), message) for other in range(6)]
    assert min(match_p_value(one, 32) for one in agree) > 1e-4
    assert all((mark.detect(marked, key=KEY + 1 + other).p_presence or 0) > 1e-3 for other in range(3))


@pytest.mark.parametrize("name", NAMES)
def test_agreement_by_chance_is_uniform_and_presence_is_bounded(name: str, made: Make) -> None:
    """A random message per trial on clips without a mark: randomised p-values are uniform, whatever is decoded.

    Presence is a bound, so its p-values may only be too large.
    """
    mark, random = find_mark(name), np.random.default_rng(0)
    agreements, presences = [], []
    for trial in range(60 if name == "learned" else 200):
        found = mark.detect(made(trial % 5, 64, 64, 2), key=1000 + trial)
        agree = matches(found, random_message(32, trial))
        low, high = (match_p_value(min(32, agree + 1), 32) if agree < 32 else 0.0), match_p_value(agree, 32)
        agreements.append(low + random.random() * (high - low))
        presences.append(found.p_presence)
    assert kstest(agreements, "uniform").pvalue > 1e-3
    assert np.mean(np.array(presences) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(presences))
    assert min(presences) > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_says_whether_it_is_marked(name: str, made: Make) -> None:
    mark, clip = find_mark(name), made(3, 128, 128)
    marked = mark.embed(clip, random_message(32, 6), key=KEY)
    half = replace(marked, frames_TCHW=np.concatenate([marked.frames_TCHW[:8], clip.frames_TCHW[8:]]))
    local_T = mark.detect(half, key=KEY).local_T
    assert local_T is not None
    assert local_T[:8].min() > local_T[8:].max()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("height", "width"), [(67, 93), (180, 101)])
def test_odd_sizes(name: str, height: int, width: int, made: Make) -> None:
    mark, message = find_mark(name), random_message(32, 8)
    marked = mark.embed(made(4, height, width, 8), message, key=KEY)
    assert marked.frames_TCHW.shape == (8, 3, height, width)
    assert matches(mark.detect(marked, key=KEY), message) >= 29


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_marked_is_one_line(name: str, made: Make) -> None:
    mark, message = find_mark(name), random_message(32, 0)
    small, empty = made(0, 16, 24), Clip(np.zeros((0, 3, 64, 64), np.uint8), 8.0)
    for clip, says in ((small, "24x16 pixels are too small"), (empty, "without frames")):
        for attempt in (lambda c=clip: mark.embed(c, message, key=1), lambda c=clip: mark.detect(c, key=1)):
            with pytest.raises(MarkError, match=says) as caught:
                attempt()
            assert "\n" not in str(caught.value)
    for wrong, says in ((random_message(31, 0), "31 bits, but the mark carries 32"), (message * 2, "zeros and ones")):
        with pytest.raises(MarkError, match=says):
            mark.embed(made(0), wrong, key=1)


def test_all_marks_are_listed_and_described() -> None:
    assert set(MARKS.names()) == {*NAMES, "spread-sound"}
    for mark in MARKS:
        assert mark.bits == 32
        assert mark.summary
        assert mark.source
        assert mark.version >= 1
    assert len(find_mark("learned").weights_sha256) == 64
    with pytest.raises(UnknownName, match="did you mean 'learned'"):
        find_mark("lerned")
