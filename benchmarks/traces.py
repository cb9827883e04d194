"""What happens inside a clip, moment by moment, from features that a sweep cached. Nothing is computed anew.

Shape legend: T frames or sound windows, P = T−1 pairs of frames, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from eval.audio.onset_synchrony import LEAST_DB, peaks
from eval.cache import FeatureCache, FeatureKey
from eval.feature import FEATURES, Arrays

Floats = npt.NDArray[np.float64]
Worse = Literal["high", "low", ""]

FRAMES = ("backlot_encoding", "dino_b16_frames", "clip_b32_frames")
"""Features that hold a point for each frame; the first that is cached gives the consistency."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One quantity over a clip's time.

    times_T: seconds. values_T: in `unit`. worse: which end is the worse one; empty where neither is.
    marks: times of single events (sound onsets), seconds.
    """

    name: str
    unit: str
    summary: str
    worse: Worse
    times_T: Floats
    values_T: Floats
    marks: tuple[float, ...] = ()

    def worst(self, most: int, apart_s: float = 0.25) -> list[tuple[float, float]]:
        """(time, value) of the worst moments, worst first, none nearer to another than `apart_s`."""
        if not self.worse:
            return []
        order = np.argsort(-self.values_T if self.worse == "high" else self.values_T, kind="stable")
        found: list[tuple[float, float]] = []
        for place in order:
            time_s, value = float(self.times_T[place]), float(self.values_T[place])
            if len(found) < most and np.isfinite(value) and all(abs(time_s - other) >= apart_s for other, _ in found):
                found.append((time_s, value))
        return found

    def thinned(self, most: int) -> Trace:
        """At most so many points: the worst of each stretch (the highest, where neither end is worse)."""
        if len(self.values_T) <= most:
            return self
        stretches = np.array_split(np.arange(len(self.values_T)), most)
        pick = np.nanargmin if self.worse == "low" else np.nanargmax
        filled_T = np.where(np.isfinite(self.values_T), self.values_T, np.inf if self.worse == "low" else -np.inf)
        kept = [int(stretch[pick(filled_T[stretch])]) for stretch in stretches]
        return Trace(
            self.name, self.unit, self.summary, self.worse, self.times_T[kept], self.values_T[kept], self.marks
        )


def clip_traces(cache_folder: Path, clip_sha256: str) -> list[Trace]:
    """The traces that the feature cache has of a clip, in the order flicker, motion, consistency, sound."""
    cache = FeatureCache(cache_folder)

    def arrays(name: str) -> Arrays | None:
        feature = FEATURES.get(name)
        return cache.get(FeatureKey(clip_sha256, name, feature.version, feature.weights_sha256))

    makers: Sequence[Callable[[Callable[[str], Arrays | None]], Trace | None]] = (
        _flicker,
        _motion,
        _consistency,
        _sound,
    )
    return [trace for make in makers if (trace := make(arrays)) is not None and len(trace.times_T) > 1]


def _flicker(arrays: Callable[[str], Arrays | None]) -> Trace | None:
    if (flow := arrays("flow")) is not None:
        what = "change of the picture that motion does not explain"
        return Trace("flicker", "of 255", what, "high", flow["times_T"][1:], flow["warp_error_P"])
    if (changes := arrays("frame_changes")) is not None:
        what = "change of the picture from frame to frame, motion included"
        return Trace("flicker", "of 255", what, "high", changes["times_T"][1:], changes["mean_abs_P"])
    return None


def _motion(arrays: Callable[[str], Arrays | None]) -> Trace | None:
    flow = arrays("flow")
    if flow is None:
        return None
    steps_P = np.maximum(np.diff(flow["times_T"]), 1e-6)
    what = "mean speed of the picture, in its shorter sides per second"
    return Trace("motion", "sides/s", what, "", flow["times_T"][1:], flow["mean_P"] / steps_P)


def _consistency(arrays: Callable[[str], Arrays | None]) -> Trace | None:
    found = next((each for name in FRAMES if (each := arrays(name)) is not None), None)
    points_TD = None if found is None else found.get("frames_TD", found.get("features_TD"))
    if found is None or points_TD is None or "times_T" not in found or len(points_TD) < 2:
        return None
    lengths_T = np.linalg.norm(points_TD.astype(np.float64), axis=1, keepdims=True)
    unit_TD = points_TD / np.maximum(lengths_T, 1e-12)
    to_first_P, to_before_P = unit_TD[1:] @ unit_TD[0], (unit_TD[1:] * unit_TD[:-1]).sum(axis=1)
    what = "how alike each frame is to the first and to the one before (mean cosine; 1 is the same)"
    return Trace("consistency", "cosine", what, "low", found["times_T"][1:], (to_first_P + to_before_P) / 2)


def _sound(arrays: Callable[[str], Arrays | None]) -> Trace | None:
    spectrum = arrays("spectrum")
    if spectrum is None or len(spectrum["flux_db_K"]) < 2:
        return None
    onsets = tuple(float(time_s) for time_s in peaks(spectrum["flux_db_K"], spectrum["times_K"], LEAST_DB))
    what = "how suddenly the sound grows; the marks are the sudden sounds that synchrony looks at"
    return Trace("sound", "dB", what, "", spectrum["times_K"], spectrum["flux_db_K"], onsets)
