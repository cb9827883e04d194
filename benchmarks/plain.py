"""A stranger's text made safe for a terminal and for one line."""

from __future__ import annotations


def plain_line(text: str, length: int | None = None) -> str:
    """`text` on one line, without control characters (a terminal obeys some of them), cut to `length`."""
    safe = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))
    return safe if length is None else safe[:length]
