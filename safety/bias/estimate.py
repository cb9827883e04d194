"""One number of an audit with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from scipy import stats

from eval.feature import NotMeasurable

Status = Literal["measured", "too few", "not measured"]
Procedure = Literal["bh", "by"]
T = TypeVar("T")


class TooFew(NotMeasurable):
    """Fewer clips, prompts or labels than the claim needs."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure. Without a value it never pretends to be one: status and reason say why.

    value, low, high: in the figure's unit, the interval at the plan's confidence. p: of the figure's null hypothesis,
    two-sided unless the figure says otherwise; None: no test. q: p adjusted over all questions of the audit.
    clips, prompts: what it rests on. caveat: what a reader must know beside the interval.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None = None
    q: float | None = None
    clips: int = 0
    prompts: int = 0
    status: Status = "measured"
    reason: str = ""
    caveat: str = ""

    @property
    def measured(self) -> bool:
        return self.status == "measured"

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.status}: {self.reason}"
        interval = "" if self.low is None or self.high is None else f" [{self.low:.3g}, {self.high:.3g}]"
        return f"{self.value:.3g}{interval}"


@dataclass(frozen=True, slots=True)
class Gap:
    """How much more `group` has of something than `other`, in its unit."""

    group: str
    other: str
    estimate: Estimate

    @property
    def reversed(self) -> Gap:
        """The same gap, of `other` less `group`."""
        found = self.estimate
        if found.value is None or found.low is None or found.high is None:
            return Gap(self.other, self.group, found)
        return Gap(self.other, self.group, replace(found, value=-found.value, low=-found.high, high=-found.low))


def unmeasured(why: NotMeasurable) -> Estimate:
    """The outcome of a figure that could not be had."""
    return Estimate(None, None, None, status="too few" if isinstance(why, TooFew) else "not measured", reason=str(why))


def attempt(measure: Callable[[], Estimate]) -> Estimate:
    """The figure, or why there is none."""
    try:
        return measure()
    except NotMeasurable as why:
        return unmeasured(why)


def available(measure: Callable[[], T]) -> T | None:
    """What there is, or None where it is not measurable; for parts of a figure that has another way to say why."""
    try:
        return measure()
    except NotMeasurable:
        return None


def require_clips(clips: int, prompts: int, minimum_clips: int, minimum_prompts: int, what: str) -> None:
    """Raises TooFew where a claim rests on too little. One prompt alone is its own claim, over its seeds."""
    if clips < minimum_clips or prompts < minimum_prompts:
        raise TooFew(
            f"{what}: {_count(clips, 'clip')} of {_count(prompts, 'prompt')}; "
            f"a claim needs {minimum_clips} of {minimum_prompts}"
        )


def adjusted(p: Sequence[float | None], procedure: Procedure) -> list[float | None]:
    """False-discovery adjusted p (Benjamini and Hochberg 1995, or Benjamini and Yekutieli 2001); untested stay None."""
    tested = [index for index, value in enumerate(p) if value is not None]
    result: list[float | None] = [None] * len(p)
    if tested:
        known = np.array([p[index] for index in tested], np.float64)
        for index, value in zip(tested, stats.false_discovery_control(known, method=procedure), strict=True):
            result[index] = float(value)
    return result


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
