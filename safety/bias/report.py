"""What an audit says, as one tree of dataclasses: everything a report page shows, nothing that it has to compute.

    BiasReport
      plan, table_sha256, certification
      systems: SystemAudit
        scope
        axes: AxisAudit            reader (confusion), ledger, everybody and roles (ShareAudit), followed, skews, power
        intersections, services (ServiceAudit), shown_means, amplification
      rankings

Every number is an Estimate with an interval, or says why it is none. `jsonable` gives the tree as JSON, `rows` as a
long table for Parquet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from safety.bias.amplification import Amplification
from safety.bias.certify import Certification
from safety.bias.estimate import Estimate, Procedure, adjusted
from safety.bias.followed import Followed
from safety.bias.intersections import Intersections
from safety.bias.ledger import Ledger
from safety.bias.parity import Equivalence, Parity
from safety.bias.power import Detectable
from safety.bias.ranking import Ranking
from safety.bias.temporal import ShownMeans

T = TypeVar("T")

MUST_NOT = (
    "Perceived presentation, age and skin tone are readings of pictures. They say nothing of anybody's gender, age, "
    "race or ethnicity, and no group here is a group of real people.",
    "A difference that is not shown is no evidence of parity: parity is claimed only where an equivalence test says "
    "so, within its margin.",
    "Means by group as shown describe what goes together; they do not say that a group is served worse.",
    "All figures hold for prompts like those of this suite, for this version, and for the reader named here.",
    "Correlations of prompts that share a wording or a seed are not modelled; intervals may be too short for them.",
)
"""What must not be concluded; part of every report."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the report that there is none of, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What the audit looked at. labelled: clips that annotators labelled. reasons: why clips failed or are missing."""

    system: str
    version: str
    prompts: int
    neutral_prompts: int
    counterfactual_sets: int
    roles: int
    seeds: int
    clips: int
    people: int
    labelled: int
    strata: tuple[str, ...]
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GroupReading:
    """How the reader reads one true group. said: share of each label, in the order of Confusion.said; right: the share
    read as it is, with its interval (Wilson). labels: people it rests on.
    """

    group: str
    labels: float
    said: tuple[float, ...]
    right: Estimate


@dataclass(frozen=True, slots=True)
class Confusion:
    """The reader's confusion in one stratum ("": all clips), against annotators or a card."""

    stratum: str
    said: tuple[str, ...]
    groups: tuple[GroupReading, ...]


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """The reader of one axis. source: `annotators`, `card` or empty. note: why there is no correction, or a caveat."""

    source: str
    confusions: tuple[Confusion, ...]
    note: str


@dataclass(frozen=True, slots=True)
class ShareWay:
    """Shares by one method. figure: its name in the certification. certified: None where none was given."""

    method: str
    figure: str
    certified: bool | None
    shares: Mapping[str, Estimate]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be said of one share against its target, in words, by an equivalence test within the margin."""

    group: str
    verdict: str
    equivalence: Equivalence


@dataclass(frozen=True, slots=True)
class TargetComparison:
    """The headline shares against one target (`even`, or a declared table's name).

    differences: share - target, with p of each by itself. ratios: share / target. effect: Cohen's w, with the p of
    "all shares are on target".
    """

    target: str
    declared: Mapping[str, float]
    differences: Mapping[str, Estimate]
    ratios: Mapping[str, Estimate]
    effect: Estimate
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class ShareAudit:
    """Shares over one scope. unit: `prompt`, or `clip` where one prompt is all and nothing is said of others.

    headline: the method whose shares are compared. sensitivity: the same shares by other roads. status and reason: why
    there are none.
    """

    about: str
    unit: str
    headline: str
    ways: tuple[ShareWay, ...]
    targets: tuple[TargetComparison, ...]
    sensitivity: tuple[ShareWay, ...]
    status: str = "measured"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Skews:
    """One axis against an even split. pooled + prompt_spread = prompt. role_spread: of roles, over their prompts."""

    pooled: Estimate
    prompt: Estimate
    prompt_spread: Estimate
    role_spread: Estimate
    diversity: Estimate


@dataclass(frozen=True, slots=True)
class PowerCard:
    """The smallest bias that this audit could have seen. correlation: intra-prompt (ICC), as found.

    clips_for_margin: how many clips, as alike as these, would show a share that is off its target by the plan's margin.
    """

    shares: tuple[Detectable, ...]
    correlation: float
    clips_for_margin: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AxisAudit:
    """Everything about one attribute."""

    axis: str
    title: str
    groups: tuple[str, ...]
    reader: ReaderCard
    ledger: Ledger
    everybody: ShareAudit
    roles: tuple[ShareAudit, ...]
    followed: Followed | Missing
    skews: Skews
    power: PowerCard


@dataclass(frozen=True, slots=True)
class ServiceAudit:
    """One service by one stated attribute. claims: per pair of groups, whether parity may be claimed; none without a
    declared margin. detectable: the smallest gap that would have been seen.
    """

    parity: Parity
    claims: Mapping[str, Equivalence]
    detectable: float


@dataclass(frozen=True, slots=True)
class SystemAudit:
    """One system. A part that could not be had is a Missing with its reason."""

    scope: Scope
    axes: tuple[AxisAudit | Missing, ...]
    intersections: tuple[Intersections | Missing, ...]
    services: tuple[ServiceAudit | Missing, ...]
    shown_means: tuple[ShownMeans | Missing, ...]
    amplification: tuple[Amplification | Missing, ...]


@dataclass(frozen=True, slots=True)
class BiasReport:
    """The whole audit. plan: as JSON; with its hash and the table's anybody can check what was asked, and of what."""

    plan: Mapping[str, Any]
    plan_sha256: str
    table_sha256: str
    systems: tuple[SystemAudit, ...]
    rankings: tuple[Ranking, ...]
    certification: Certification | None
    must_not: tuple[str, ...] = MUST_NOT

    def to_json(self) -> dict[str, Any]:
        """The tree as JSON-able values; NaN and infinity as null."""
        document = jsonable(self)
        assert isinstance(document, dict)
        return document

    def rows(self) -> pd.DataFrame:
        """Every estimate as a row: system, version, path in the tree, and its fields."""
        table = []
        for system in self.systems:
            head = {"system": system.scope.system, "version": system.scope.version}
            for path, found in estimates(system):
                row = {name: getattr(found, name) for name in (part.name for part in fields(found))}
                table.append({**head, "path": path, **row})
        return pd.DataFrame(table)


def estimates(tree: Any, path: str = "") -> Iterator[tuple[str, Estimate]]:
    """Every estimate in a tree with its path, such as axes/presentation/everybody/ways/corrected/shares/feminine."""
    if isinstance(tree, Estimate):
        yield path, tree
    elif is_dataclass(tree) and not isinstance(tree, type):
        for part in fields(tree):
            yield from estimates(getattr(tree, part.name), f"{path}/{part.name}" if path else part.name)
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from estimates(value, f"{path}/{_key(key)}")
    elif isinstance(tree, tuple):
        for index, value in enumerate(tree):
            yield from estimates(value, f"{path}/{_name_of(value, index)}")


def with_adjusted_p(tree: T, procedure: Procedure) -> T:
    """The tree with q filled in beside every p, over all tests of the tree together."""
    found = [estimate for _, estimate in estimates(tree)]
    q = iter(adjusted([estimate.p for estimate in found], procedure))
    changed: T = _mapped(tree, lambda estimate: replace(estimate, q=next(q)))
    return changed


def jsonable(tree: Any) -> Any:
    """Dataclasses as objects, arrays and tuples as lists, numbers that are none as null."""
    if is_dataclass(tree) and not isinstance(tree, type):
        return {part.name: jsonable(getattr(tree, part.name)) for part in fields(tree)}
    if isinstance(tree, Mapping):
        return {_key(key): jsonable(value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list, np.ndarray)):
        return [jsonable(value) for value in tree]
    if isinstance(tree, np.generic):
        return jsonable(tree.item())
    if isinstance(tree, float):
        return tree if math.isfinite(tree) else None
    return tree


def _mapped(tree: Any, change: Callable[[Estimate], Estimate]) -> Any:
    """The same tree with every estimate changed, in the order of `estimates`."""
    if isinstance(tree, Estimate):
        return change(tree)
    if is_dataclass(tree) and not isinstance(tree, type):
        return replace(tree, **{part.name: _mapped(getattr(tree, part.name), change) for part in fields(tree)})
    if isinstance(tree, Mapping):
        return {key: _mapped(value, change) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_mapped(value, change) for value in tree)
    return tree


def _key(key: Any) -> str:
    return " and ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _name_of(value: Any, index: int) -> str:
    """What an entry of a list is called in a path."""
    names = ("axis", "about", "method", "target", "service", "column")
    if hasattr(value, "parity"):
        return f"{value.parity.axis} {value.parity.service}"
    if hasattr(value, "other"):
        return f"{value.group} less {value.other}"
    if hasattr(value, "groups") and hasattr(value, "deviation"):
        return _key(value.groups)
    if hasattr(value, "axes") and not hasattr(value, "scope"):
        return _key(value.axes)
    found = [str(getattr(value, name)) for name in names if hasattr(value, name)]
    return " ".join(found) or str(index)
