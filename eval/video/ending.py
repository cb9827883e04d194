"""Does a file end where its own container says that it ends? Decoders stop quietly where a download stopped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_EBML_SEGMENT = b"\x18\x53\x80\x67"
_GIF_TRAILER = b"\x3b"


def missing_bytes(path: Path) -> int:
    """How many bytes of the file are missing at its end, as far as mp4, mkv, webm, avi and gif can tell; else 0.

    A GIF has no length, only a last byte: 1 is returned when that is not the trailer.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _beyond_boxes(file, size)
        if head[:4] == _EBML_MAGIC:
            return _beyond_segment(file, size)
        if head[:4] == b"RIFF":
            return max(0, int.from_bytes(head[4:8], "little") + 8 - size)
        if head[:3] == b"GIF":
            file.seek(max(0, size - 4096))
            return 0 if _GIF_TRAILER in file.read()[-4:] else 1
    return 0


def _beyond_boxes(file: BinaryIO, size: int) -> int:
    """ISO/IEC 14496-12 section 4.2: a file is a row of boxes, each led by its length."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length = int.from_bytes(file.read(4), "big")
        kind = file.read(4)
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        elif length == 0:
            return 0  # the last box runs to the end of the file, whatever that is
        if length < 8 or not kind.isascii():
            return 0  # not a box: leave the verdict to the demuxer
        position += length
    return max(0, position - size)


def _beyond_segment(file: BinaryIO, size: int) -> int:
    """RFC 8794 and RFC 9559: an EBML header, then one segment, each led by an identifier and a length."""
    file.seek(4)
    header = _vint(file)
    if header is None:
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _EBML_SEGMENT:
        return 0
    segment = _vint(file)
    return 0 if segment is None else max(0, file.tell() + segment - size)


def _vint(file: BinaryIO) -> int | None:
    """A variable-length integer; None for 'unknown length', as live streams write it."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & ((1 << (7 - more)) - 1)]) + file.read(more), "big")
    return None if value == (1 << (7 * (more + 1))) - 1 else value
