"""Where audits lie: RUN/audits/KIND/NAME/ with report.html and figures.json, whatever their kind."""

from __future__ import annotations

from pathlib import Path

AUDITS = "audits"
KINDS = ("bias", "watermark", "deepfake", "provenance")
REPORT = "report.html"


def audit_folder(run_folder: Path, kind: str, name: str) -> Path:
    """The folder of one audit of a run."""
    return run_folder / AUDITS / kind / name


def report_path(root: Path, run: str, kind: str, name: str) -> Path | None:
    """The report of an audit; None where there is none. Never outside the run's folder, whatever the names say."""
    home = root.resolve() / run / AUDITS / kind
    path = (home / name / REPORT).resolve()
    return path if kind in KINDS and path.parent.parent == home and path.is_file() else None
