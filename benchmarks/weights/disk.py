"""Weights that a user has already: a folder, or the one file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.weights.errors import PullError
from benchmarks.weights.place import Opened
from eval.encoders.registry import Encoder, WeightFile

PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".ckpt"})
_PLAIN = re.compile(r"\w[\w.-]{0,99}")  # the names that a lock file takes


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """A folder, or the one file itself."""

    path: Path

    @property
    def text(self) -> str:
        return str(self.path)

    def files(self, encoder: Encoder) -> tuple[WeightFile, ...]:
        if self.path.is_file():
            return encoder.files
        try:
            here = sorted(path.name for path in self.path.iterdir())
        except OSError as error:
            raise PullError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        return tuple(file for wanted in encoder.files for file in self._fitting(wanted, encoder, here))

    def _fitting(self, wanted: WeightFile, encoder: Encoder, here: list[str]) -> list[WeightFile]:
        if "*" not in wanted.name:
            found = [wanted] if wanted.name in here else []
        else:
            found = [WeightFile(name) for name in here if fnmatchcase(name, wanted.name) and _PLAIN.fullmatch(name)]
        if found:
            return found
        pickles = [name for name in here if Path(name).suffix in PICKLES]
        if pickles and encoder.format != "torchscript":
            raise PullError(
                f"{self.path}: holds {pickles[0]}, a pickle, which may run code when it is loaded: save it again as "
                f"safetensors ({wanted.name})"
            )
        raise PullError(f"{self.path}: no {wanted.name} here, which {encoder.name} needs")

    @contextmanager
    def open(self, name: str) -> Iterator[Opened]:
        path = self.path if self.path.is_file() else self.path / name
        try:
            stream = path.open("rb")
        except OSError as error:
            raise PullError(f"{path}: cannot be read: {error.strerror or error}") from None
        with stream:
            yield Opened(stream.read, path.stat().st_size)
