"""Pull an encoder's weights: fetched aside, hashed, looked into, and only then put where metrics find them."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.weights.errors import PullError
from benchmarks.weights.fetch import Watch, fetch
from benchmarks.weights.place import Place
from eval.cache import temporary_beside, write_atomically
from eval.encoders.content import ContentError, check_contents
from eval.encoders.local import state, verify
from eval.encoders.lock import Lock, PinnedFile, lock_path, read_lock
from eval.encoders.registry import Encoder

_DISK = {
    errno.ENOSPC: "the disk is full: free some space, or give another --folder",
    errno.EDQUOT: "your share of the disk is full: free some space, or give another --folder",
    errno.EACCES: "no permission here: give another --folder",
    errno.EPERM: "no permission here: give another --folder",
    errno.EROFS: "this disk cannot be written to: give another --folder",
}


def check_consent(encoder: Encoder, accepted: str, *, trust_code: bool) -> None:
    """Raise PullError where the user has yet to accept the licence by name, or to trust a program by a flag."""
    licence = encoder.licence
    if not licence.commercial and accepted.casefold() != licence.name.casefold():
        raise PullError(
            f"{encoder.name}: its licence is {licence.name} ({licence.note}): if it lets you do what you are going to "
            f"do, add --accept-licence {licence.name}"
        )
    unknown = encoder.format == "torchscript" and not all(file.sha256 for file in encoder.files)
    if unknown and not trust_code:
        raise PullError(
            f"{encoder.name}: a TorchScript file is a program that runs when it is loaded, and the hash of the right "
            "one is not recorded here: if you trust where it comes from, add --trust-code"
        )


def is_whole(encoder: Encoder, folder: Path) -> bool:
    """Whether the weights are here already, every byte of them. Raises PullError."""
    with _disk_errors(folder):
        return state(encoder, folder) == "present" and all(check.state == "ok" for check in verify(encoder, folder))


def pull(encoder: Encoder, place: Place, folder: Path, watch: Watch) -> Lock:
    """Fetch the weights from `place` into `folder`; the lock that pins them.

    A file must have the hash that the registry knows, or else the one that the first pull pinned. Raises PullError in
    one line, and LockError; then, and when it is interrupted, what lay in `folder` before is untouched.
    """
    with _disk_errors(folder):
        old = read_lock(encoder.name, folder)
        pins = old.files if old is not None and old.fits(encoder) else {}
        folder.mkdir(parents=True, exist_ok=True)
        aside = temporary_beside(folder / encoder.name)
        try:
            new = aside / "new"
            new.mkdir(parents=True)
            lock = Lock(
                encoder=encoder.name,
                version=encoder.version,
                source=place.text,
                licence=encoder.licence.name,
                files=dict(_fetch_all(encoder, place, pins, new, watch)),
            )
            _check(encoder, place, new)
            _settle(aside, folder / encoder.name, lock_path(encoder.name, folder), lock)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return lock


def _fetch_all(
    encoder: Encoder, place: Place, pins: dict[str, PinnedFile], new: Path, watch: Watch
) -> Iterator[tuple[str, PinnedFile]]:
    files = place.files(encoder)
    if gone := set(pins) - {file.name for file in files}:
        raise PullError(f"{encoder.name} from {place.text}: lacks {min(gone)}, which the first pull had")
    for file in files:
        pin = pins.get(file.name)
        got = fetch(place, file.name, new / file.name, file.bytes, watch)
        wanted = file.sha256 or (pin.sha256 if pin else None)
        if wanted not in {None, got.sha256}:
            remedy = "take it from elsewhere, with --from"
            if not file.sha256:
                remedy += f", or, to trust the new one, delete {encoder.name}.lock.json in the weights folder first"
            says = "is recorded" if file.sha256 else "the first pull pinned"
            raise PullError(
                f"{encoder.name}: wrong hash: {file.name} from {place.text} has {got.sha256}, and {wanted} {says}: "
                f"{remedy}"
            )
        yield file.name, got


def _check(encoder: Encoder, place: Place, new: Path) -> None:
    try:
        check_contents(encoder, new)
    except ContentError as error:
        raise PullError(f"{encoder.name} from {place.text}: {error}") from None


def _settle(aside: Path, home: Path, lock_file: Path, lock: Lock) -> None:
    """Put the new folder in place of the old. The lock goes first: weights without their pins would be trusted."""
    before = lock_file.read_bytes() if lock_file.exists() else None
    write_atomically(lock_file, (lock.model_dump_json(indent=2) + "\n").encode())
    old = aside / "old"
    try:
        if home.exists():
            home.rename(old)
        (aside / "new").rename(home)
    except BaseException:
        if old.exists():
            old.rename(home)
        if before is None:
            lock_file.unlink()
        else:
            write_atomically(lock_file, before)
        raise


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = _DISK.get(error.errno or 0, error.strerror or str(error))
        raise PullError(f"{error.filename or folder}: {reason}") from None
