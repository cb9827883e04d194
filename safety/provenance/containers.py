"""Which files can carry credentials, by the suffix they were given."""

from __future__ import annotations

from pathlib import Path

from safety.provenance.errors import ProvenanceError

MIME = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".avi": "video/avi",
    ".gif": "image/gif",
}
"""Measured with c2pa-rs 0.91: each signs and reads back. The reader looks at the content, whatever the suffix says."""

CANNOT = {".webm": "WebM", ".mkv": "Matroska"}
"""Containers of clips for which C2PA defines no place to put credentials in."""


def mime_of(path: Path) -> str:
    """The media type by which `path` is signed. Raises ProvenanceError for a container that cannot be signed."""
    suffix = path.suffix.lower()
    if suffix in MIME:
        return MIME[suffix]
    kind = CANNOT.get(suffix, f"a file ending in {suffix}" if suffix else "a folder or a file without a suffix")
    raise ProvenanceError(f"{path.name}: {kind} cannot be signed: C2PA has no place in it; use {', '.join(MIME)}")
