"""Features: what is computed once per clip and shared by every metric that needs it.

A feature is a name, a version, the view of the clip that it wants, and a factory of accumulators. An
accumulator is fed windows in order and ends in a few small arrays, which are cached and handed to the metrics.
Its result must not depend on how the clip was cut into windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, SoundChunk, Window
from eval.registry import Registry

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Sampling:
    """The view of the picture that a feature wants.

    fps: frames on a regular grid at this rate (nearest frame at or before each grid time; a slower clip keeps its
        own frames); None: every frame.
    short_side: frames are shrunk (area averaging) to this short side, never enlarged; None: native size.
    """

    fps: float | None = None
    short_side: int | None = None


class Pending(Protocol):
    """Arrays that a network shared by several clips still has to compute: it may wait for more clips to fill a batch.

    `result()` computes what is left, and raises what an accumulator may raise.
    """

    def result(self) -> Arrays: ...


class PictureAccumulator(Protocol):
    def update(self, window: Window) -> None: ...
    def finish(self) -> Arrays | Pending: ...


class SoundAccumulator(Protocol):
    def update(self, chunk: SoundChunk) -> None: ...
    def finish(self) -> Arrays | Pending: ...


def no_weights() -> str:
    """The hash of the weights of a feature that no network computes."""
    return ""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    stream: whether its accumulator eats picture Windows or SoundChunks.
    start: makes a fresh accumulator for one clip.
    encoder: name of the network that computes it, if one does; in every row.
    weights: gives the hash of its weights as they lie on the disk now, empty where there are none; part of the cache
        key and of every row. Must not raise: `start` says what is missing.
    """

    name: str
    version: int
    stream: Literal["picture", "sound"]
    start: Callable[[ClipInfo], PictureAccumulator] | Callable[[ClipInfo], SoundAccumulator]
    sampling: Sampling = Sampling()
    encoder: str = ""
    weights: Callable[[], str] = no_weights

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights behind it, empty for none."""
        return self.weights()


FEATURES: Registry[Feature] = Registry("feature", ("eval.features",))


class NotMeasurable(Exception):
    """A feature or metric does not apply to this clip (one frame, no sound, …). Becomes `skipped`, with this reason."""


def empty() -> npt.NDArray[np.float64]:
    """An empty float64 vector, for clips too short to have the quantity."""
    return np.zeros(0, np.float64)
