"""Face tracks against the detector alone: finding, describing and linking over bare inference, on default clips."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eval.clip import Clip
    from eval.faces.pack import FacePack

CLIPS, ROUNDS = 8, 5
WANTED = 4.0
"""At most so many times the detector's bare inference."""


def main() -> None:
    """Print the ratio for default clips of one person, and for ones of nobody."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and OpenCV start their threads
    import cv2

    from eval.faces.packs import SHIPPED, open_pack
    from moviegen.backlot import render, sample_scene

    cv2.setNumThreads(1)
    pack = open_pack(SHIPPED)
    for what, subject in (("one person", "person"), ("nobody", "dog")):
        clips = [render(sample_scene(seed, subject=subject), sound=False) for seed in range(CLIPS)]
        bare_s, whole_s = _fastest(partial(_bare, pack, clips)), _fastest(partial(_tracks, pack, clips))
        frames = sum(len(clip.frames_TCHW) for clip in clips)
        print(
            f"{what}: detector alone {1e3 * bare_s / frames:.2f} ms a frame, tracks {1e3 * whole_s / frames:.2f} ms: "
            f"{whole_s / bare_s:.2f} times (wanted: at most {WANTED:.0f}); {CLIPS} clips of 32 frames, 64x64"
        )


def _fastest(work: Callable[[], float]) -> float:
    """The least of some rounds: what other programs take is nobody's time."""
    return min(work() for _ in range(ROUNDS + 1))


def _bare(pack: FacePack, clips: list[Clip]) -> float:
    """Seconds on this core of the detector's network, its input ready."""
    import numpy as np

    network = pack.networks["detection"]
    ((width, height),) = pack.spec.sizes.of(64, 64)
    pictures = np.random.default_rng(0).standard_normal((1, 3, height, width)).astype(np.float32)
    begun = time.process_time()
    for clip in clips:
        for _ in clip.frames_TCHW:
            network.session.run(network.output_names, {network.input_name: pictures})
    return time.process_time() - begun


def _tracks(pack: FacePack, clips: list[Clip]) -> float:
    """Seconds on this core of the whole feature, frames decoded."""
    from eval.clip import MemorySource, Window
    from eval.features.face_tracks import FaceTracking

    sources = [MemorySource(clip) for clip in clips]
    begun = time.process_time()
    for source in sources:
        tracking = FaceTracking(pack, source.info)
        for item in source.stream(sound=False):
            if isinstance(item, Window):
                tracking.update(item)
        tracking.finish()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
