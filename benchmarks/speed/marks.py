"""Writing and finding each mark at 832×480, in frames a second, beside plain decoding in the same run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.speed.shared_decode import moving_texture
from eval.clip import Clip
from eval.marks.bits import random_message
from eval.marks.files import read_whole
from eval.marks.mark import MARKS
from eval.video import write_clip

WIDTH, HEIGHT = 832, 480
T = TypeVar("T")


def main() -> None:
    """Print one line for decoding and one for each mark. Sound marks count the frames that their sound accompanies."""
    import cv2

    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(moving_texture(WIDTH, HEIGHT), path, crf=23)
        read_whole(path)  # what is imported on first use is nobody's time
        clip, seconds = _timed(lambda: read_whole(path))
        frames = len(clip.frames_TCHW)
        print(f"plain decoding: {frames / seconds:.0f} frames/s ({frames} frames of {WIDTH}×{HEIGHT})")
        for mark in MARKS:
            message_K = random_message(mark.bits, 0)
            few = Clip(clip.frames_TCHW[:2], clip.fps, clip.audio_CN, clip.rate_hz)
            mark.detect(mark.embed(few, message_K, key=1), key=1)
            marked, embedding_s = _timed(lambda: mark.embed(clip, message_K, key=1))  # noqa: B023 -- called at once
            found, detection_s = _timed(lambda: mark.detect(marked, key=1))  # noqa: B023
            unmarked, search_s = _timed(lambda: mark.detect(clip, key=1))  # noqa: B023
            assert found.score > unmarked.score
            print(
                f"{mark.name}: embedding {frames / embedding_s:.0f}, detection {frames / detection_s:.0f}, of an "
                f"unmarked clip {frames / search_s:.0f} frames/s"
            )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begun
