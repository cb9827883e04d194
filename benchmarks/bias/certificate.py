"""The certification of the bias figures: run, stored, printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import safety.bias
from safety.bias.certify import Certification, Check, certify
from safety.bias.figures import figures
from safety.bias.worlds import worlds

SEED = 20261123
FILE = Path(safety.bias.__file__).parent / "certification.json"
MEANT_TO_FAIL = ("as read",)
"""How names of figures end that are here to show that they fail: a reader's answers taken for the truth."""


def run_certification(repetitions: int, progress: Callable[[str], None] = lambda _: None) -> Certification:
    """Audit every world at every dose so many times. Deterministic."""
    return certify(figures(), worlds(), repetitions, SEED, progress=progress)


@cache
def shipped_certification() -> Certification | None:
    """What the shipped certification found; None where there is none that can be read."""
    try:
        return Certification.from_json(json.loads(FILE.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def unlisted(certification: Certification) -> dict[str, str]:
    """Figures that reports would show and that failed: name -> the first check that did."""
    failed = {figure: certification.failures(figure) for figure in certification.figures}
    return {
        figure: _why(checks[0]) for figure, checks in failed.items() if checks and not figure.endswith(MEANT_TO_FAIL)
    }


def certification_rows(certification: Certification) -> list[tuple[str, ...]]:
    """The table as it is printed."""
    return [
        (
            f"{check.figure}: {check.probe}",
            check.kind,
            check.world,
            f"{check.value:.3f} [{check.low:.3f}, {check.high:.3f}]",
            check.wanted,
            str(check.audits),
            "passed" if check.passed else "FAILED",
        )
        for check in certification.checks
    ]


def _why(check: Check) -> str:
    return f"{check.probe}, {check.kind} in world {check.world!r} is {check.value:.3f}, wanted {check.wanted}"
