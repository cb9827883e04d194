"""What the common table of tests knows of the identity metrics: tracks whose faces lie at chosen angles.

Portraits are unit vectors, impostors spread evenly from -0.5 to 0.5, and the threshold lies at 0.5.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eval.case import Case
from eval.faces.packs import PACKS, SHIPPED
from eval.faces.tracks import track_arrays
from eval.features.face_tracks import feature_of
from eval.identity import measures
from eval.identity.impostors import LEVELS_Q, Impostors

_spec = importlib.util.spec_from_file_location("identity_cast", Path(__file__).parent / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_conftest)
cast = _conftest.Cast

FRAMES = 16
ONE = {"portrait": "somebody.png"}
TWO = {"portrait_a": "somebody.png", "portrait_b": "somebody-else.png"}
SEVERAL = {"identity_weakest_person", "identity_assignment", "identity_leakage"}
"""Metrics that mean nothing for one person."""

Features = dict[str, Any]
Face = Any


def patch_portraits(patch: Any) -> None:
    """Portraits and impostors that no file holds."""

    def portraits(case: Case, _pack: str) -> list[Any]:
        return [cast.portrait(k) for k in range(len(case.portraits))]

    even = Impostors("feminine 4-6", 0.5, 1e-3, LEVELS_Q - 0.5)
    patch.setattr(measures, "portraits", portraits)
    patch.setattr(measures, "impostors", lambda _pack, _group: even)


def shown(*people: Sequence[Face | None], frames: int = FRAMES, **rows: Any) -> Features:
    """A clip with one track for each list of faces, as every pack would find it."""
    tracks = [cast.track(list(faces), number, **rows) for number, faces in enumerate(people) if list(faces)]
    arrays = track_arrays(cast.clip(*tracks, frames=frames), 128)
    return {feature_of(pack).name: arrays for pack in PACKS}


def like(cosine: float, missed: int = 0) -> Features:
    """One person this much like the portrait, unseen in the first so many frames."""
    return shown([None] * missed + [cast.like(0, cosine)] * (FRAMES - missed))


def sinking(per_s: float) -> Features:
    return shown([cast.like(0, 0.9 - per_s * frame / 8) for frame in range(FRAMES)])


def exchanged(times: int) -> Features:
    """A track that shows the person and a stranger by turns."""
    return shown([cast.like(0 if frame * (times + 1) // FRAMES % 2 == 0 else 6, 0.9) for frame in range(FRAMES)])


def mixed(share: float) -> Features:
    """Faces that are the portrait's pixels, each with so much of another picture."""
    crops = [cv2.addWeighted(cast.crop(), 1 - share, cast.crop(seed), share, 0) for seed in range(1, FRAMES + 1)]
    return shown([cast.like(0, 0.9)] * FRAMES, crops=np.stack(crops))


def nodding(degrees: float) -> Features:
    """Yaw and pitch that take every value in so many degrees."""
    features = shown([cast.like(0, 0.9)] * FRAMES)
    for arrays in features.values():
        arrays["pose_N3"] = np.tile(np.linspace(0, degrees, FRAMES, dtype=np.float32)[:, None], (1, 3))
    return features


def blended(share: float) -> Features:
    """Two people who have each turned into the other by this share."""
    return shown(*([cast.between(k, 1 - k, share)] * FRAMES for k in (0, 1)))


def second_for(frames: int) -> Features:
    """Two people, of whom the second is there only at first."""
    return shown([cast.like(0, 0.9)] * FRAMES, [cast.like(1, 0.8)] * frames)


def with_strangers(count: int) -> Features:
    return shown([cast.like(0, 0.9)] * FRAMES, *([cast.like(6, 0.9)] * FRAMES for _ in range(count)))


def nobody() -> Features:
    return shown()


Make = Callable[[], Features]
_COSINE = (lambda: like(0.8), 0.8, 1e-6)
_KNOWN: dict[str, list[tuple[Make, float, float]]] = {
    "identity_score": [_COSINE, (lambda: like(0.8, 8), 0.4, 1e-6), (lambda: like(-0.5), 0, 0), (nobody, 0, 0)],
    "identity_mean": [_COSINE, (lambda: like(0.8, 4), 0.6, 1e-6), (lambda: like(-0.5), -0.5, 1e-6), (nobody, 0, 0)],
    "identity_median": [_COSINE, (lambda: like(0.8, 7), 0.8, 1e-6), (lambda: like(0.8, 9), 0, 0), (nobody, 0, 0)],
    "identity_p5": [_COSINE, (lambda: like(0.8, 1), 0.6, 1e-6), (lambda: like(0.8, 2), 0, 0), (nobody, 0, 0)],
    "identity_min": [_COSINE, (lambda: like(0.8, 1), 0, 0), (nobody, 0, 0)],
    "identity_max": [_COSINE, (lambda: like(0.8, 15), 0.8, 1e-6), (nobody, 0, 0)],
    "identity_coverage": [(lambda: like(0.1), 1, 0), (lambda: like(0.8, 12), 0.25, 0), (nobody, 0, 0)],
    "identity_template": [_COSINE, (lambda: like(0.8, 8), 0.8, 1e-6), (nobody, 0, 0)],
    "identity_percentile": [(lambda: like(0.3), 0.8, 1e-6), (lambda: like(0.9, 8), 0.5, 0), (nobody, 0, 0)],
    "identity_verified": [(lambda: like(0.8, 4), 0.75, 0), (lambda: like(0.4), 0, 0), (nobody, 0, 0)],
    "identity_drift": [(lambda: sinking(0.2), 0.2, 1e-6), (lambda: sinking(-0.04), 0, 0)],
    "identity_swaps": [(lambda: exchanged(0), 0, 0), (lambda: exchanged(2), 2 / (15 / 8), 1e-9), (nobody, 0, 0)],
    "identity_copying": [(lambda: mixed(0.0), 1, 1e-9), (lambda: mixed(1.0), 0.3, 0.3)],
    "identity_expression_range": [(lambda: mixed(0.0), 0, 1e-9)],
    "identity_pose_range": [(lambda: nodding(20), 18, 1e-4), (lambda: nodding(0), 0, 1e-6)],
    "identity_weakest_person": [(lambda: blended(0), 1, 1e-6), (lambda: second_for(8), 0.4, 1e-6), (nobody, 0, 0)],
    "identity_assignment": [(lambda: blended(0.3), 1, 0), (lambda: second_for(8), 0.75, 0), (nobody, 0, 0)],
    "identity_leakage": [(lambda: blended(0), 0, 1e-6), (lambda: blended(0.4), math.sin(0.2 * math.pi), 1e-6)],
    "identity_extra_people": [(lambda: with_strangers(3), 3, 0), (lambda: like(0.8), 0, 0), (nobody, 0, 0)],
}
_LESS_ALIKE = (-1, [lambda c=c: like(c) for c in (0.45, 0.3, 0.1, -0.2)])
_LESS_SEEN = (-1, [lambda n=n: like(0.8, n) for n in (0, 4, 8, 12)])
_DAMAGE: dict[str, tuple[int, Sequence[Make]]] = {
    "identity_score": _LESS_SEEN,
    "identity_mean": _LESS_SEEN,
    "identity_median": _LESS_ALIKE,
    "identity_p5": _LESS_ALIKE,
    "identity_min": _LESS_ALIKE,
    "identity_max": _LESS_ALIKE,
    "identity_coverage": _LESS_SEEN,
    "identity_template": _LESS_ALIKE,
    "identity_percentile": _LESS_ALIKE,
    "identity_verified": _LESS_SEEN,
    "identity_drift": (+1, [lambda s=s: sinking(s) for s in (0.05, 0.1, 0.2, 0.4)]),
    "identity_swaps": (+1, [lambda n=n: exchanged(n) for n in (0, 1, 2, 3)]),
    "identity_copying": (+1, [lambda s=s: mixed(s) for s in (0.6, 0.4, 0.2, 0.0)]),
    "identity_expression_range": (-1, [lambda s=s: mixed(s) for s in (0.4, 0.2, 0.1, 0.0)]),
    "identity_pose_range": (-1, [lambda d=d: nodding(d) for d in (40, 20, 10, 0)]),
    "identity_weakest_person": (-1, [lambda n=n: second_for(n) for n in (16, 12, 8, 4)]),
    "identity_assignment": (-1, [lambda n=n: second_for(n) for n in (16, 12, 8, 4)]),
    "identity_leakage": (+1, [lambda s=s: blended(s) for s in (0.0, 0.1, 0.2, 0.4)]),
    "identity_extra_people": (+1, [lambda n=n: with_strangers(n) for n in (0, 1, 2, 3)]),
}


def _of_every_pack(table: dict[str, Any]) -> dict[str, Any]:
    compares = {measure.name for measure in measures.MEASURES if measure.compares}
    others = sorted(set(PACKS) - {SHIPPED})
    return table | {f"{name}_{pack}": row for name, row in table.items() if name in compares for pack in others}


KNOWN = _of_every_pack(_KNOWN)
DAMAGE = _of_every_pack(_DAMAGE)
