"""One form for all clips."""

from __future__ import annotations

import av
import numpy as np
import pytest

from eval.clip import ClipInfo, MemorySource
from eval.feature import NotMeasurable
from eval.video import open_clip
from safety.deepfake.canonical import (
    LEVEL_DB,
    Form,
    canonical,
    common_form,
    levelled,
    whole_clip,
    windows_of,
)
from safety.deepfake.errors import DeepfakeError


def info(
    width: int = 64, height: int = 48, fps: float = 24.0, seconds: float = 3.0, rate: int | None = None
) -> ClipInfo:
    return ClipInfo("clip", "0", width, height, fps, seconds, rate is not None, rate)


def test_the_form_is_what_all_clips_can_be_brought_to():
    form = common_form([info(640, 360, 24.0, 5.0), info(100, 90, 8.0, 2.5), info(300, 500, 30.0, 9.0)])
    assert form == Form(88, 8.0, 20)
    assert form.seconds == 2.5
    # One very short clip does not shorten all others; it will be left out.
    assert common_form([info(seconds=4.0, fps=8.0), info(seconds=0.5, fps=8.0)]).seconds == 4.0
    assert common_form([info()], side=32, fps=12.0, seconds=1.0) == Form(32, 12.0, 12)


def test_sound_is_kept_where_nearly_all_have_it():
    assert common_form([info(rate=48_000), info(rate=8_000)]).rate_hz == 8_000
    assert common_form([info(rate=48_000), info()]).rate_hz is None


@pytest.mark.parametrize(
    ("infos", "asked", "says"),
    [
        ([], {}, "no readable clips"),
        ([info(12, 40)], {}, "12 pixels on its short side, and 16"),
        ([info(fps=8.0)], {"seconds": 0.3}, "2 frames: at least 4"),
    ],
)
def test_forms_that_cannot_be(infos, asked, says):
    with pytest.raises(DeepfakeError, match=says):
        common_form(infos, **asked)


def test_windows_are_squares_of_one_length_and_rate(make_clip):
    path = make_clip("a.mp4", frames=72, fps=24.0, side=64)
    windows = windows_of(open_clip(path), Form(32, 8.0, 8))
    assert [clip.frames_TCHW.shape for clip in windows] == [(8, 3, 32, 32)] * 3
    assert {clip.fps for clip in windows} == {8.0}
    assert len({clip.frames_TCHW.tobytes() for clip in windows}) == 3
    assert len(windows_of(open_clip(path), Form(32, 24.0, 4), most=5)) == 5


def test_sound_is_mono_level_and_as_long_as_the_picture(make_clip):
    path = make_clip("a.mp4", frames=24, sound=True)
    (first, *rest) = windows_of(open_clip(path), Form(32, 8.0, 8, rate_hz=8_000))
    assert len(rest) == 2
    for clip in (first, *rest):
        assert clip.audio_CN.shape == (1, 8_000)
        assert 20 * np.log10(np.sqrt((clip.audio_CN**2).mean())) == pytest.approx(LEVEL_DB, abs=0.2)
    assert not levelled(np.zeros((1, 100), np.float32)).any()


def test_encoding_is_the_stated_one(make_clip):
    form = Form(32, 8.0, 20)
    for path, window in canonical(open_clip(make_clip("a.mp4", frames=40)), form):
        with av.open(str(path)) as container:
            keys = [frame.key_frame for frame in container.decode(video=0)]
        assert len(keys) == 20
        assert [place for place, key in enumerate(keys) if key] == [0, 16]
        assert whole_clip(open_clip(path)).frames_TCHW.shape == window.frames_TCHW.shape
    assert not path.exists()


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (Form(64, 8.0, 8), "48x48: smaller than the common 64"),
        (Form(32, 8.0, 32), "shorter than the common 4.00 s"),
        (Form(32, 8.0, 8, rate_hz=8_000), "no sound"),
    ],
)
def test_clips_that_cannot_be_brought_there_say_why(make_clip, form, says):
    with pytest.raises(NotMeasurable, match=says):
        windows_of(open_clip(make_clip("a.mp4")), form)


def test_too_large_a_clip_is_not_held_as_a_whole(make_clip, monkeypatch):
    source = open_clip(make_clip("a.mp4", sound=True))
    clip = whole_clip(source)
    assert clip.audio_CN is not None
    assert MemorySource(clip).info.width == 48
    monkeypatch.setattr("safety.deepfake.canonical.MOST_BYTES", 1000)
    with pytest.raises(NotMeasurable, match="too large"):
        whole_clip(source)
