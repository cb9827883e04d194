"""Peak memory of scoring a five-minute 1080p clip against a ten-second one, with every metric.

Takes about twelve minutes of one core, nearly all of it the long clip.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SHORT_S, LONG_S = 10, 300
WIDTH, HEIGHT, FPS = 1920, 1080, 24
ALLOWED_MIB = 300


def main() -> None:
    """Print both peaks and their difference; each clip is scored in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        clips = {seconds: Path(folder) / f"{seconds}s.mp4" for seconds in (SHORT_S, LONG_S)}
        _run("make", folder)
        peaks = {seconds: _peak_mib(clip, seconds) for seconds, clip in clips.items()}
    difference = peaks[LONG_S] - peaks[SHORT_S]
    print(f"difference: {difference:.0f} MiB (allowed: {ALLOWED_MIB})")


def _peak_mib(clip: Path, seconds: int) -> float:
    began = time.perf_counter()
    peak_mib = float(_run("score", str(clip)))
    print(
        f"{seconds} s of {WIDTH}×{HEIGHT}: peak {peak_mib:.0f} MiB, scored in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    return peak_mib


def _run(*arguments: str) -> str:
    # A fresh interpreter: the peak of a process never falls again.
    command = [sys.executable, "-m", "benchmarks.speed.memory", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_clips(folder: Path) -> None:
    """One second of moving texture with sound, repeated without decoding to both lengths."""
    from eval.clip import Clip
    from eval.video import write_clip
    from eval.video.remux import repeat_clip

    rng = np.random.default_rng(0)
    texture_HWC = np.kron(rng.integers(0, 256, (HEIGHT // 8 + 8, WIDTH // 8 + 8, 3)), np.ones((8, 8, 1))).astype(
        np.uint8
    )
    frames_THWC = np.stack([texture_HWC[t : t + HEIGHT, 2 * t : 2 * t + WIDTH] for t in range(FPS)])
    tone_CN = (0.2 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.float32)[None]
    second = folder / "1s.mp4"
    write_clip(Clip(frames_THWC.transpose(0, 3, 1, 2), FPS, tone_CN, 48_000), second, crf=23)
    for seconds in (SHORT_S, LONG_S):
        repeat_clip(second, folder / f"{seconds}s.mp4", seconds)


def score(clip: Path) -> float:
    """Score one clip with every metric and return this process's peak resident memory in MiB."""
    from eval.metric import METRICS
    from eval.planner import score_clip
    from eval.video import open_clip

    failed = [row for row in score_clip(open_clip(clip), METRICS).scores if row.status == "failed"]
    assert not failed, f"a benchmark of failures would measure nothing: {failed}"
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder]:
            make_clips(Path(folder))
        case ["score", clip]:
            print(score(Path(clip)))
        case _:
            main()
