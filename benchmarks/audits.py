"""Stored audits of any kind: RUN/audits/KIND/NAME/ with report.html and figures.json. Found, read, never made here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from benchmarks.manifest import StoreError

AUDITS = "audits"
KINDS = ("bias", "watermark", "deepfake", "provenance")
FIGURES, REPORT = "figures.json", "report.html"
MAX_BYTES = 64 * 2**20
"""The largest figures.json that is read; the largest that the commands here write is about 1 MB."""

_LOG = logging.getLogger(__name__)


class Stored(Protocol):
    """An audit as pages need it. created: when, in a form that sorts."""

    @property
    def created(self) -> str: ...


T = TypeVar("T")
S = TypeVar("S", bound=Stored)


def audit_folder(run_folder: Path, kind: str, name: str) -> Path:
    """The folder of one audit of a run."""
    return run_folder / AUDITS / kind / name


def report_path(root: Path, run: str, kind: str, name: str) -> Path | None:
    """The report of an audit; None where there is none. Never outside the run's folder, whatever the names say."""
    home = root.resolve() / run / AUDITS / kind
    path = (home / name / REPORT).resolve()
    return path if kind in KINDS and path.parent.parent == home and path.is_file() else None


def stored_audits(root: Path, kind: str, read: Callable[[Path], S]) -> list[S]:
    """All audits of a kind below a runs folder that can be read, newest first; others are logged and left out."""
    found = []
    for path in sorted(root.glob(f"*/{AUDITS}/{kind}/*/{FIGURES}")):
        try:
            found.append(read(path))
        except StoreError as error:
            _LOG.warning("audit left out: %s", error)
    return sorted(found, key=lambda audit: audit.created, reverse=True)


def read_figures(path: Path, form: str, make: Callable[[str, str, Mapping[str, Any]], T]) -> T:
    """What `make` makes of (run, folder, document); it should look at all that a page will, for a stranger wrote it.

    form: the format that the document must name. Raises StoreError, with the path, for a file that is none.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StoreError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
        document = json.loads(path.read_bytes())
        if document["format"] != form:
            raise StoreError(f"{path}: format {document['format']!r} is not {form}: run the audit again")
        return make(path.parents[3].name, path.parent.name, document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: not the figures of an audit: run it again") from error
