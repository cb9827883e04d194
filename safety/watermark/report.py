"""What a report says about the audit itself, beside its plan and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """title: whose clips. seconds: of the last attempt. rerun: the command. notes: what a reader should know first."""

    title: str
    created: str
    seconds: float
    code: str
    packages: Mapping[str, str]
    rerun: str
    notes: tuple[str, ...] = ()
