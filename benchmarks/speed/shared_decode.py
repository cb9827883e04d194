"""Shared decode and features against one decode for every metric, on clips made on the spot."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from eval.clip import Clip
from eval.metric import METRICS, Metric
from eval.planner import Score, score_clip
from eval.video import open_clip, write_clip

SIZES = ((832, 480, 4.0), (1280, 720, 3.0))
"""Width, height, and how many times faster sharing must be."""
FRAMES, FPS = 120, 24
RATE_HZ = 48_000


@dataclass(frozen=True)
class Timed:
    """What one way of scoring gave and took."""

    values: dict[str, tuple[float | None, str]]
    seconds: float
    cpu_s: float
    decodes: int


def main() -> None:
    """Print the ratio of times at both sizes, and whether the results are equal."""
    import cv2

    cv2.setNumThreads(1)
    metrics = [metric for metric in METRICS if metric.spec.needs]
    with tempfile.TemporaryDirectory() as folder:
        for width, height, wanted in SIZES:
            path = Path(folder) / f"{width}x{height}.mp4"
            write_clip(moving_texture(width, height), path, crf=23)
            _shared(path, metrics)  # what is imported on first use is nobody's time
            shared, separate = _shared(path, metrics), _separate(path, metrics)
            _print(f"{width}×{height}", shared, separate, wanted)


def moving_texture(width: int, height: int) -> Clip:
    """Five seconds of a textured plane that pans and zooms, under a beating tone."""
    import cv2
    import numpy as np

    rng = np.random.default_rng(0)
    coarse_HWC = cv2.resize(rng.integers(0, 256, (height // 12, width // 12, 3), np.uint8), (width, height))
    frames_THWC = np.empty((FRAMES, height, width, 3), np.uint8)
    for frame in range(FRAMES):
        scale = 1 - 0.002 * frame
        view = np.array([[scale, 0, 1.5 * frame], [0, scale, 0.5 * frame]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(coarse_HWC, view, (width, height), frames_THWC[frame], flags, cv2.BORDER_REFLECT)
    time_N = np.arange(RATE_HZ * FRAMES // FPS) / RATE_HZ
    tone_N = 0.3 * np.sin(2 * np.pi * 440 * time_N) * (np.sin(2 * np.pi * 2 * time_N) > 0)
    return Clip(frames_THWC.transpose(0, 3, 1, 2), FPS, tone_N[None].astype(np.float32), RATE_HZ)


def _shared(path: Path, metrics: list[Metric]) -> Timed:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    scored = score_clip(open_clip(path), metrics)
    return Timed(_values(scored.scores), time.perf_counter() - begun, time.process_time() - begun_cpu, scored.decodes)


def _separate(path: Path, metrics: list[Metric]) -> Timed:
    parts = [_shared(path, [metric]) for metric in metrics]
    values = {name: value for part in parts for name, value in part.values.items()}
    return Timed(values, sum(p.seconds for p in parts), sum(p.cpu_s for p in parts), sum(p.decodes for p in parts))


def _values(scores: tuple[Score, ...]) -> dict[str, tuple[float | None, str]]:
    return {score.metric: (score.value, score.status) for score in scores}


def _print(title: str, shared: Timed, separate: Timed, wanted: float) -> None:
    for name, timed in (("shared", shared), ("one by one", separate)):
        print(f"{title} {name}: {timed.seconds:.2f} s ({timed.cpu_s:.2f} s CPU), {timed.decodes} decodes")
    ratio = separate.seconds / shared.seconds
    equal = "equal" if shared.values == separate.values else "NOT EQUAL"
    print(f"{title}: {ratio:.1f} times faster (wanted: {wanted:.0f}); {len(shared.values)} results {equal}")


if __name__ == "__main__":
    main()
