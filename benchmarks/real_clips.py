"""The real clips that set metrics compare with: a folder of the user's, or the Backlot's shipped reference set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.clip_files import find_clips
from benchmarks.set_features import StoredFeatures
from benchmarks.suite import RealModel, SuiteError
from eval.distribution.clip_set import ClipSet, Floats
from eval.distribution.spec import SetMetricSpec
from eval.feature import NotMeasurable
from eval.hashing import json_sha256
from eval.video import open_clip

SHIPPED = "backlot"
"""What --real takes besides a folder."""


class RealSet(Protocol):
    """Where the real side of a set metric comes from. sha256: of which clips it is."""

    sha256: str

    def clip_set(self, spec: SetMetricSpec) -> ClipSet:
        """What this metric compares with. Raises NotMeasurable with the reason why there is nothing."""
        ...


class NoRealClips:
    """In place of real clips that cannot be had: every set metric is skipped for this reason."""

    def __init__(self, reason: str, sha256: str = "") -> None:
        self.sha256, self._reason = sha256, reason

    def clip_set(self, spec: SetMetricSpec) -> ClipSet:  # noqa: ARG002 - RealSet's signature
        raise NotMeasurable(self._reason)


class ShippedReal:
    """Clips of the Backlot that no suite asks for, as the numbers of the Backlot encoder that are shipped with it."""

    def __init__(self) -> None:
        self.sha256 = shipped_model().clips_sha256

    def clip_set(self, spec: SetMetricSpec) -> ClipSet:
        from eval.features import backlot_encoder

        if (spec.feature, spec.array) != ("backlot_encoding", "set_D"):
            raise NotMeasurable(f"the shipped real set holds numbers of the Backlot encoder only, not {spec.feature}: "
                                "give real clips with --real FOLDER")  # fmt: skip
        return _each_alone(list(backlot_encoder.reference_set()[:, None]))


class FolderReal:
    """The clips of a folder. Their features go through the same cache as the generated clips'."""

    def __init__(self, paths: Mapping[str, Path], stored: StoredFeatures) -> None:
        """paths: SHA-256 → file, as `clips_below` finds them."""
        self.sha256 = _sha256_of(paths)
        self._paths, self._stored = paths, stored
        self._held: dict[tuple[str, str], ClipSet] = {}

    def clip_set(self, spec: SetMetricSpec) -> ClipSet:
        if (spec.feature, spec.array) in self._held and spec.sample == "clip":
            return self._held[spec.feature, spec.array]
        self._stored.fetch(self._paths, spec.feature)
        reasons = {sha256: self._stored.why_absent(sha256, spec.feature) for sha256 in self._paths}
        usable = [sha256 for sha256, reason in reasons.items() if not reason]
        if not usable:
            raise NotMeasurable(f"no real clip has {spec.feature}: {next(iter(reasons.values()))}")
        found = _each_alone(self._stored.samples(usable, spec.feature, spec.array, spec.sample))
        if spec.sample == "clip":
            self._held[spec.feature, spec.array] = found
        return found


def clips_below(folder: Path) -> dict[str, Path]:
    """SHA-256 → file of every different clip below the folder. Raises SuiteError (none), ClipError (a broken one)."""
    if not folder.is_dir():
        raise SuiteError(f"{folder}: there is no such folder: --real takes a folder of real clips, or {SHIPPED!r}")
    found = {open_clip(path).info.sha256: path for path in find_clips(folder)}
    if not found:
        raise SuiteError(f"{folder}: no clips here that could stand for real ones")
    return found


def folder_model(paths: Mapping[str, Path]) -> RealModel:
    """What a suite says of these clips."""
    return RealModel(source="folder", clips=len(paths), clips_sha256=_sha256_of(paths))


@cache
def shipped_model() -> RealModel:
    """What a suite says of the shipped set, as it is now."""
    from eval.features import backlot_encoder

    set_ND = backlot_encoder.reference_set()
    digest = hashlib.sha256(np.ascontiguousarray(set_ND, np.float32).tobytes()).hexdigest()
    return RealModel(source="backlot", clips=len(set_ND), clips_sha256=digest)


def real_model(text: str) -> RealModel:
    """What `--real TEXT` means: a folder, or the shipped set."""
    return shipped_model() if text == SHIPPED else folder_model(clips_below(Path(text)))


def real_folder(text: str | None) -> str:
    """Where the clips of `--real TEXT` lie, whatever folder the command is given in; empty for no folder."""
    return "" if text is None or text == SHIPPED else str(Path(text).absolute())


def real_set(model: RealModel | None, folder: str, stored: StoredFeatures) -> RealSet:
    """The real clips that a suite names. folder: where the run found them. Never raises for clips that changed since:
    the reason is each row's.
    """
    if model is None:
        return NoRealClips(f"no real clips to compare with: --real FOLDER, or --real {SHIPPED}")
    try:
        real = ShippedReal() if model.source == "backlot" else FolderReal(clips_below(Path(folder)), stored)
    except ValueError as error:
        return NoRealClips(f"the real clips cannot be had: {error}", model.clips_sha256)
    if real.sha256 == model.clips_sha256:
        return real
    shipped = "the shipped real set is not the one that the suite names: write the suite again"
    changed = f"the clips in {folder} changed since the run began: start a new one"
    return NoRealClips(shipped if model.source == "backlot" else changed, model.clips_sha256)


def _sha256_of(clips: Iterable[str]) -> str:
    return json_sha256(sorted(clips))


def _each_alone(samples: Sequence[Floats]) -> ClipSet:
    return ClipSet(samples, range(len(samples)))
