"""Content hashes: the identity of clips, suites and weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from eval.clip import Clip


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clip_sha256(clip: Clip) -> str:
    """SHA-256 of an in-memory clip: shape, rates and raw samples."""
    digest = hashlib.sha256()
    audio = clip.audio_CN
    header = [clip.frames_TCHW.shape, clip.fps, None if audio is None else audio.shape, clip.rate_hz]
    digest.update(json.dumps(header).encode())
    for frame_CHW in clip.frames_TCHW:
        digest.update(np.ascontiguousarray(frame_CHW).data)
    if audio is not None:
        digest.update(np.ascontiguousarray(audio).data)
    return digest.hexdigest()


def json_sha256(value: Any) -> str:
    """SHA-256 of a JSON-able value in canonical form (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
