"""Who ran what with which code, for the manifest. No host name, no user name."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from benchmarks.manifest import CodeFacts, EnvironmentFacts

DISTRIBUTION = "moviegen-bench"
PACKAGES = ("numpy", "scipy", "opencv-python", "av", "torch", "torchmetrics", "pyloudnorm", "soxr", "duckdb", "pyarrow")
"""Those whose version can change a number."""


def code_facts() -> CodeFacts:
    """The package's version and, in a checkout, its commit."""
    home = Path(__file__).resolve().parent.parent
    commit = _git(home, "rev-parse", "HEAD")
    return CodeFacts(
        version=_version(DISTRIBUTION), commit=commit, dirty=bool(commit and _git(home, "status", "--porcelain"))
    )


def environment_facts() -> EnvironmentFacts:
    """The interpreter, the machine's kind, and the versions of PACKAGES."""
    return EnvironmentFacts(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cpu_count=os.cpu_count() or 1,
        packages={name: _version(name) for name in PACKAGES},
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=20, check=True)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
