"""Repeating a clip packet by packet, and the promise that memory does not grow with length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.video import open_clip, write_clip
from eval.video.remux import repeat_clip

PEAK = """
import resource, sys
from eval.video import open_clip
frames = samples = 0
for item in open_clip(sys.argv[1], window=8).stream():
    frames += len(getattr(item, "times_s", ()))
    samples += item.audio_CN.shape[1] if hasattr(item, "audio_CN") else 0
print(frames, samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_a_repeated_clip_is_the_clip_again_and_again(build: Any, tmp_path: Path) -> None:
    clip = build.clip(count=16, rate_hz=16_000)
    write_clip(clip, tmp_path / "once.mp4")
    repeat_clip(tmp_path / "once.mp4", tmp_path / "thrice.mp4", 3)
    once, thrice = (build.read(open_clip(tmp_path / name)) for name in ("once.mp4", "thrice.mp4"))
    assert np.array_equal(thrice.frames_TCHW, np.concatenate([once.frames_TCHW] * 3))
    assert np.array_equal(thrice.audio_CN, np.concatenate([once.audio_CN] * 3, axis=1))
    np.testing.assert_allclose(thrice.times_s, np.arange(48) / 8)
    assert (thrice.info.fps, thrice.facts.timestamps, thrice.info.notes) == (8, "regular", ())
    with pytest.raises(ValueError, match="at least once"):
        repeat_clip(tmp_path / "once.mp4", tmp_path / "none.mp4", 0)


def test_memory_does_not_grow_with_length(build: Any, tmp_path: Path) -> None:
    """Twenty times longer, and at most 16 MiB more: all frames and sound would be 190 MiB."""
    write_clip(build.clip(count=8, width=256, height=144, rate_hz=48_000, channels=2), tmp_path / "once.mp4")
    peaks = {}
    for times in (8, 160):
        repeat_clip(tmp_path / "once.mp4", tmp_path / f"{times}.mp4", times)
        command = [sys.executable, "-c", PEAK, str(tmp_path / f"{times}.mp4")]
        root = Path(__file__).parents[3]
        frames, samples, peak = subprocess.run(command, capture_output=True, check=True, cwd=root).stdout.split()
        assert (int(frames), int(samples)) == (8 * times, 48_000 * times)
        peaks[times] = float(peak)
    assert peaks[160] - peaks[8] < 16
