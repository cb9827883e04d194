"""The feature cache: one safetensors file per (clip SHA-256, feature, version, weights SHA-256)."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from eval.feature import Arrays

TEMPORARY = ".tmp-"
"""Begins the name of every file that is still being written; what a killed writer leaves is known by it."""


@dataclass(frozen=True, slots=True)
class FeatureKey:
    """What a cached feature is addressed by. Everything that can change its value is in it."""

    clip_sha256: str
    feature: str
    version: int
    weights_sha256: str = ""

    @property
    def path(self) -> Path:
        weights = f"-{self.weights_sha256[:16]}" if self.weights_sha256 else ""
        return (
            Path(f"{self.feature}-v{self.version}{weights}") / self.clip_sha256[:2] / f"{self.clip_sha256}.safetensors"
        )


class FeatureCache:
    """Arrays by key under one folder. Safe with many writers: files appear whole, under their final name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: FeatureKey) -> Arrays | None:
        """The arrays stored under `key`; None when there are none, or when the file is damaged."""
        path = self.folder / key.path
        try:
            return load_file(path)
        except (FileNotFoundError, SafetensorError):
            return None

    def put(self, key: FeatureKey, arrays: Arrays) -> None:
        """Store `arrays` under `key`. Raises OSError (a full disk) and leaves no partial file."""
        plain: dict[str, npt.NDArray[Any]] = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        write_atomically(self.folder / key.path, save(plain))


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` so that `path` is either absent, old, or whole. Raises OSError and cleans up after itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_beside(path: Path) -> Path:
    """A name in the same folder that no other writer uses; unlike tempfile's files, its file is not private."""
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}")
