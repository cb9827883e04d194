"""How fast the Backlot renders: clips a second on one core, at the default size with sound."""

from __future__ import annotations

import os
import time

WARM_UP, CLIPS = 60, 200


def main() -> None:
    """Print clips a second per core over a sample of scenes, and the slowest and fastest of them."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and OpenCV start their threads
    import cv2

    from moviegen.backlot import render, sample_scene

    cv2.setNumThreads(1)
    scenes = [sample_scene(seed) for seed in range(CLIPS)]
    for scene in scenes[:WARM_UP]:
        render(scene)
    seconds = []
    for scene in scenes:
        # Time on this core, not on the wall: a busy machine changes the second, hardly the first.
        start = time.process_time()
        render(scene)
        seconds.append(time.process_time() - start)
    seconds.sort()
    mean = sum(seconds) / CLIPS
    print(
        f"Backlot: {1 / mean:.1f} clips/s per core (64x64, 32 frames, 16 kHz sound; mean of {CLIPS} scenes "
        f"{1e3 * mean:.1f} ms, fastest {1e3 * seconds[0]:.1f}, median {1e3 * seconds[CLIPS // 2]:.1f}, "
        f"slowest {1e3 * seconds[-1]:.1f}); bar: at least 40"
    )


if __name__ == "__main__":
    main()
