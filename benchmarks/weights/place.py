"""What `pull` asks of wherever weights come from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from eval.encoders.registry import Encoder, WeightFile


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file. read: at most so many bytes, none at the end; raises PullError. length: in bytes, where known."""

    read: Callable[[int], bytes]
    length: int | None


class Place(Protocol):
    """Somewhere that has files."""

    @property
    def text(self) -> str:
        """As a user may read it, and as the lock file keeps it: without secrets."""

    def files(self, encoder: Encoder) -> tuple[WeightFile, ...]:
        """The encoder's files here, patterns replaced by names. Raises PullError."""

    def open(self, name: str) -> AbstractContextManager[Opened]:
        """Open one file. Raises PullError."""


def is_the_file(name: str, encoder: Encoder) -> bool:
    """Whether `name` can be the one file of `encoder`, whatever it is called there."""
    only = encoder.files[0].name
    return len(encoder.files) == 1 and "*" not in only and Path(name).suffix == Path(only).suffix
