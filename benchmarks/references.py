"""Reference files of a run: copies of the portraits and source clips that its cases refer to.

A run is whole without the suite's folder: it can be resumed, moved and shown.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.manifest import StoreError
from benchmarks.suite import Suite
from eval.cache import write_atomically
from eval.hashing import file_sha256

REFERENCES = "references"


def keep_references(suite: Suite, suite_folder: Path, run_folder: Path) -> None:
    """Copy the suite's reference files into the run. Raises StoreError where one has changed since, and OSError."""
    for path in suite.reference_files:
        write_atomically(run_folder / REFERENCES / path, (suite_folder / path).read_bytes())
    check_references(suite, run_folder)


def check_references(suite: Suite, run_folder: Path) -> None:
    """Raises StoreError unless the run holds the files that the suite's hash stands for."""
    for path, sha256 in suite.reference_files.items():
        file = run_folder / REFERENCES / path
        if not file.is_file():
            raise StoreError(f"run {run_folder.name}: {REFERENCES}/{path} is missing: start a new run")
        if file_sha256(file) != sha256:
            raise StoreError(f"run {run_folder.name}: {REFERENCES}/{path} was changed: start a new run")
