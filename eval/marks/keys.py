"""What a key stands for: a stream of numbers that is the same in every version of every library.

Marks must be readable for years, so nothing here depends on a library's random generator.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.marks.mark import MarkError

PUBLIC_KEY = 20_231_017
"""The key that generation marks with by default, so that anybody can detect it. Anybody can also forge it: a mark under
a key of one's own is evidence of more.
"""


def key_bytes(key: int, purpose: str, count: int) -> bytes:
    """`count` bytes for this key and purpose: SHA-256 in counter mode."""
    blocks = (hashlib.sha256(f"{purpose}\0{key}\0{block}".encode()).digest() for block in range(-(-count // 32)))
    return b"".join(blocks)[:count]


def uniforms(key: int, purpose: str, count: int) -> npt.NDArray[np.float64]:
    """Numbers from 0 (included) to 1 (not), evenly spread."""
    return np.frombuffer(key_bytes(key, purpose, 4 * count), "<u4") / 2.0**32


def signs(key: int, purpose: str, count: int) -> npt.NDArray[np.float32]:
    """Numbers that are -1 or 1."""
    bits = np.unpackbits(np.frombuffer(key_bytes(key, purpose, -(-count // 8)), np.uint8))[:count]
    return bits.astype(np.float32) * 2 - 1


def read_key_file(path: Path) -> tuple[int, list[str]]:
    """The integer in a file, and warnings in plain words: others than the owner can read it.

    Raises MarkError in one line for a file that is missing or holds anything but one integer.
    """
    try:
        text = path.read_text(encoding="ascii").strip()
        key = int(text, 0)
        mode = path.stat().st_mode
    except OSError as error:
        raise MarkError(f"{path}: {error.strerror or error}: a key file holds one integer") from None
    except ValueError:
        raise MarkError(f"{path}: not a key: a key file holds one integer, such as 7919 or 0x1eef") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        return key, [f"{path}: others can read this key, and with it read and forge the mark: chmod 600 {path}"]
    return key, []
