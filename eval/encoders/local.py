"""What lies in the weights folder: found for metrics, listed, and verified byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from eval.encoders.folder import weights_folder
from eval.encoders.lock import Lock, LockError, lock_path, read_lock
from eval.encoders.registry import ENCODERS, Encoder
from eval.feature import NotMeasurable
from eval.hashing import file_sha256

State = Literal["present", "missing", "incomplete", "outdated", "damaged"]
FileState = Literal["ok", "missing", "truncated", "wrong hash", "damaged"]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file after hashing it again. detail: what was found and what was expected; empty where all is well."""

    encoder: str
    file: str
    state: FileState
    detail: str = ""


def state(encoder: Encoder, folder: Path) -> State:
    """Whether the weights can be used, by names and sizes alone. outdated: not what the registry asks for (any more).
    damaged: its lock file is. Raises OSError.
    """
    try:
        lock = read_lock(encoder.name, folder)
    except LockError:
        return "damaged"
    if lock is None:
        return "missing"
    if not lock.fits(encoder):
        return "outdated"
    sizes = {name: _size(folder / encoder.name / name) for name in lock.files}
    if all(size is None for size in sizes.values()):
        return "missing"
    return "present" if all(sizes[name] == file.bytes for name, file in lock.files.items()) else "incomplete"


def find(name: str, folder: Path | None = None) -> Path:
    """The folder of the weights called `name`, in the user's weights folder or in `folder`.

    Looks at names and sizes, so that it costs nothing; whoever loads the file hashes it (`pinned`), and
    `moviegen weights verify` does so for all. Raises NotMeasurable with the command that mends it.
    """
    place = weights_folder(folder).path
    encoder = ENCODERS.get(name)
    try:
        found = state(encoder, place)
    except OSError as error:
        raise NotMeasurable(f"the weights of {name} cannot be read: {error}") from None
    if found != "present":
        raise NotMeasurable(f"the weights of {name} are {found}: run `moviegen weights pull {name}`")
    return place / name


def pinned(name: str, folder: Path | None = None) -> Lock:
    """The hashes that the files of `find(name)` must have, and one over all of them. Raises as `find` does."""
    lock = read_lock(name, find(name, folder).parent)
    assert lock is not None
    return lock


def verify(encoder: Encoder, folder: Path) -> list[FileCheck]:
    """Hash every file again. Raises OSError."""
    try:
        lock = read_lock(encoder.name, folder)
    except LockError as error:
        return [FileCheck(encoder.name, lock_path(encoder.name, folder).name, "damaged", str(error))]
    if lock is None:
        return [FileCheck(encoder.name, file.name, "missing", "never pulled") for file in encoder.files]
    return [_check(encoder, lock, name, folder / encoder.name / name) for name in lock.files]


def _check(encoder: Encoder, lock: Lock, name: str, path: Path) -> FileCheck:
    size, pin = _size(path), lock.files[name]
    if size is None:
        return FileCheck(encoder.name, name, "missing", f"no such file in {path.parent}")
    if size < pin.bytes:
        return FileCheck(encoder.name, name, "truncated", f"{size} of {pin.bytes} bytes")
    wanted, found = encoder.known_sha256(name) or pin.sha256, file_sha256(path)
    if found != wanted:
        return FileCheck(encoder.name, name, "wrong hash", f"{found}, not {wanted}")
    return FileCheck(encoder.name, name, "ok")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except FileNotFoundError:
        return None
