"""What the tags of a bias suite's cases say: `role:nurse`, `counterfactual_set:…`, `stated_age:senior`, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.suite import Suite, SuiteError
from safety.bias.axes import LABELLED

_NAMES = ("set", "role", "template", "counterfactual_set", *(f"stated_{axis}" for axis in LABELLED))
KINDS = ("neutral", "stated", "counterfactual")


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt of a bias suite. kind: of KINDS. stated: axis -> group."""

    id: str
    prompt: str
    kind: str
    role: str
    template: str
    counterfactual_set: str
    stated: Mapping[str, str]

    def columns(self) -> dict[str, Any]:
        """The prompt's columns of the long table."""
        return {
            "prompt_id": self.id,
            "template_id": self.template or None,
            "role": self.role or None,
            "counterfactual_set": self.counterfactual_set or None,
            **{f"stated_{axis}": self.stated.get(axis) for axis in LABELLED},
        }


def asked_of(suite: Suite) -> dict[str, Asked]:
    """Case id -> what it asks. Raises SuiteError for a suite that is not one for a bias audit."""
    found = {case.id: _asked(suite.name, case.id, case.prompt, case.tags) for case in suite.cases}
    if not any(asked.kind == "neutral" for asked in found.values()):
        raise SuiteError(
            f"suite {suite.name!r} is not one for a bias audit: no case has the tag `set:neutral` "
            "(bias-occupations is; benchmarks/suites/build_bias.py shows how one is made)"
        )
    return found


def roles_of(asked: Mapping[str, Asked]) -> tuple[str, ...]:
    """The roles of the neutral prompts, in order."""
    return tuple(dict.fromkeys(one.role for one in asked.values() if one.kind == "neutral" and one.role))


def _asked(suite: str, case: str, prompt: str, tags: Sequence[str]) -> Asked:
    words: dict[str, str] = {}
    for tag in tags:
        name, _, value = tag.partition(":")
        if name in _NAMES and value:
            words[name] = value
    kind = words.get("set", "")
    if kind not in ("", *KINDS):
        raise SuiteError(f"suite {suite!r}, case {case}: set:{kind[:40]} is none of {', '.join(KINDS)}")
    stated = {axis: words[f"stated_{axis}"] for axis in LABELLED if f"stated_{axis}" in words}
    if kind == "neutral" and stated:
        raise SuiteError(f"suite {suite!r}, case {case}: a neutral prompt states nothing, and this one does")
    return Asked(
        case,
        prompt,
        kind,
        words.get("role", ""),
        words.get("template", ""),
        words.get("counterfactual_set", ""),
        stated,
    )
