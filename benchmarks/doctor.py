"""`moviegen doctor`: is this installation what it should be?"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

OUR_NAMES = ("eval", "moviegen", "safety", "benchmarks", "dashboards")
HOME = Path(__file__).resolve().parent.parent
DISTRIBUTION = "moviegen-bench"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    state: Literal["ok", "warning", "problem"]
    text: str


def examine() -> Iterator[Check]:
    """Every check, in the order of reading."""
    yield Check("ok" if sys.version_info >= (3, 11) else "problem", f"Python {sys.version.split()[0]}")
    yield from _names()
    yield from _packages()
    yield _browser()
    yield _space()


def _names() -> Iterator[Check]:
    for name in OUR_NAMES:
        found = importlib.util.find_spec(name)
        place = Path(found.origin).resolve() if found and found.origin else None
        if place is None:
            yield Check("problem", f"package {name!r} cannot be imported: run make install")
        elif place.parent.parent != HOME:
            yield Check(
                "problem", f"{name!r} is somebody else's package, at {place}: uninstall it, or use a fresh .venv"
            )
        else:
            yield Check("ok", f"package {name!r} is ours")


def _packages() -> Iterator[Check]:
    for line in metadata.requires(DISTRIBUTION) or []:
        requirement, _, marker = line.partition(";")
        if "extra" in marker:
            continue
        name = requirement.split(">=")[0].split("==")[0].strip()
        try:
            yield Check("ok", f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            yield Check("problem", f"{name} is missing: run make install")


def _browser() -> Check:
    both = shutil.which("chromium") and shutil.which("chromedriver")
    if both:
        return Check("ok", "chromium and chromedriver: browser tests will run")
    return Check("warning", "no chromium or chromedriver: browser tests will be skipped")


def _space() -> Check:
    free_gib = shutil.disk_usage(Path.cwd()).free / 2**30
    return Check("ok" if free_gib > 2 else "warning", f"{free_gib:.1f} GiB free here")
