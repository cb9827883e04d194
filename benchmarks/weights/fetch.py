"""One file from a place to a path, hashed on the way."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.weights.errors import PullError
from benchmarks.weights.place import Place
from eval.encoders.lock import PinnedFile

CHUNK = 1 << 20
LIMIT = 32 << 30
"""No encoder comes near it; a server that never ends must not fill the disk."""

Watch = Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]]
"""Told a file's name and length in bytes, where known; then how many bytes are here."""


def fetch(place: Place, name: str, target: Path, size: int | None, watch: Watch) -> PinnedFile:
    """Write the file called `name` to `target`; what it is. size: the bytes that it must have, where known.

    Raises PullError (the place's faults, a file cut short, a full disk foreseen), OSError (the disk's).
    """
    most = LIMIT if size is None else size
    digest, done = hashlib.sha256(), 0
    with place.open(name) as opened, watch(name, opened.length) as report, target.open("xb") as stream:
        if opened.length is not None and opened.length > shutil.disk_usage(target.parent).free:
            raise PullError(f"{name}: {opened.length} bytes, and the disk has less: free some space, or --folder")
        while chunk := opened.read(CHUNK):
            done += len(chunk)
            if done > most:
                raise PullError(f"{name} from {place.text}: longer than the {most} bytes that it may have")
            digest.update(chunk)
            stream.write(chunk)
            report(done)
    whole = opened.length if size is None else size
    if whole is not None and done != whole:
        raise PullError(f"{name} from {place.text}: cut short, {done} of {whole} bytes: try again")
    return PinnedFile(sha256=digest.hexdigest(), bytes=done)
