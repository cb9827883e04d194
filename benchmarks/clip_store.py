"""The clips of a run: files named by their SHA-256, in one folder."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from eval.cache import TEMPORARY, temporary_beside

CLIPS = "clips"
CLIP_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,5}")


def adopt_clip(run_folder: Path, path: Path, sha256: str) -> str:
    """Copy a clip into the run under its hash, unless it is there already; returns its name for UnitResult.file.

    Safe with many workers: two may bring the same clip at once (two generators can give the same answer).
    Raises OSError for a full disk, and leaves no partial file.
    """
    name = f"{sha256}{path.suffix.lower()}"
    if not CLIP_NAME.fullmatch(name):
        name = f"{sha256}.clip"  # an ending that no server would give a meaning to
    target = run_folder / CLIPS / name
    if target.exists():
        return name
    temporary = temporary_beside(target)
    try:
        shutil.copyfile(path, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return name


__all__ = ["CLIPS", "CLIP_NAME", "TEMPORARY", "adopt_clip"]
