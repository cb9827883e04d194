"""The boxes of an ISO media file (mp4, mov), as far as credentials are concerned: found, cut out, hidden, moved."""

from __future__ import annotations

from dataclasses import dataclass

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""Names the `uuid` box that holds credentials (C2PA 2.2, A.5)."""


@dataclass(frozen=True, slots=True)
class Box:
    """A top-level box: its four letters, where it starts, its size and its header's size in bytes."""

    kind: bytes
    start: int
    size: int
    header: int

    @property
    def stop(self) -> int:
        return self.start + self.size


def top_boxes(data: bytes) -> tuple[Box, ...]:
    """The top-level boxes. Raises ValueError where they do not fill the file exactly."""
    boxes, at = [], 0
    while at < len(data):
        size, kind, header = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16]), 16
        elif size == 0:
            size = len(data) - at
        if size < header or at + size > len(data):
            raise ValueError("no whole ISO media file")
        boxes.append(Box(kind, at, size, header))
        at += size
    return tuple(boxes)


def credentials_box(data: bytes) -> Box:
    """The box with the credentials. Raises ValueError where there is none."""
    for box in top_boxes(data):
        inside = box.start + box.header
        if box.kind == b"uuid" and data[inside : inside + len(C2PA_UUID)] == C2PA_UUID:
            return box
    raise ValueError("no box of credentials")


def hidden(data: bytes) -> bytes:
    """The credentials overwritten by empty space of the same size: gone, and the clip plays as before."""
    box = credentials_box(data)
    empty = box.size.to_bytes(4) + b"free" + bytes(box.size - 8)
    return data[: box.start] + empty + data[box.stop :]


def transplanted(donor: bytes, host: bytes) -> bytes:
    """`host` with the credentials of `donor` in place of its own."""
    box, place = credentials_box(donor), credentials_box(host)
    return host[: place.start] + donor[box.start : box.stop] + host[place.stop :]


def with_flipped_bit(data: bytes, kind: bytes, share: float = 0.5) -> bytes:
    """One bit changed inside the largest box of a kind, `share` of the way into it. Raises ValueError without one."""
    found = [box for box in top_boxes(data) if box.kind == kind]
    if not found:
        raise ValueError(f"no box {kind.decode('latin-1')!r}")
    box = max(found, key=lambda one: one.size)
    at = box.start + box.header + int(share * (box.size - box.header))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def with_free_box(data: bytes, content: bytes) -> bytes:
    """A `free` box appended, which players skip and credentials do not cover. Raises ValueError for other files."""
    top_boxes(data)
    return data + (8 + len(content)).to_bytes(4) + b"free" + content
