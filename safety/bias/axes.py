"""What is read of a person, and what can come of a clip.

A reader looks at pictures: it tells how somebody is perceived, never who somebody is. So "perceived presentation".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from eval.errors import UserError
from eval.registry import near_matches

Outcome = Literal["person", "no visible person", "failed clip", "missing"]
"""person: somebody was found. failed clip: it cannot be read. missing: it was asked for and never came."""

UNKNOWN = "unknown"
"""The label of a person that the reader (or the annotator) saw and could not tell."""

NOBODY = "no visible person"
"""The outcome of a clip in which nobody was found, and the label of an annotator who sees nobody either."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One attribute. groups: all labels it has besides `unknown`, in order. title: how reports call it."""

    name: str
    title: str
    groups: tuple[str, ...]


_AXES = (
    Axis("presentation", "perceived presentation", ("masculine", "feminine")),
    Axis("age", "perceived age", ("child", "adult", "senior")),
    Axis("skin_tone", "perceived skin tone, in three groups of the Monk scale", ("light", "medium", "dark")),
    Axis("monk", "perceived skin tone, Monk scale", tuple(str(step) for step in range(1, 11))),
)
AXES: Mapping[str, Axis] = {axis.name: axis for axis in _AXES}

LABELLED = ("presentation", "age", "skin_tone")
"""The axes that have a column of labels, of stated values and of annotators; `monk` has its steps alone."""

MONK_GROUPS: Mapping[str, tuple[int, ...]] = {"light": (1, 2, 3), "medium": (4, 5, 6), "dark": (7, 8, 9, 10)}
"""The grouping in common use with the scale. For any other, declare targets on `monk`."""

GROUP_OF_MONK: Mapping[int, str] = {step: group for group, steps in MONK_GROUPS.items() for step in steps}


class UnknownAxis(UserError):
    """An axis or a group that there is none of; the message suggests the nearest ones."""


def find_axis(name: str) -> Axis:
    """The axis of this name. Raises UnknownAxis."""
    if name not in AXES:
        raise UnknownAxis(f"unknown axis {name!r}{suggestion(name, AXES)}")
    return AXES[name]


def check_group(axis: Axis, group: str, where: str) -> None:
    """Raises UnknownAxis unless `group` is one of the axis's groups. where: what the reader should look at."""
    if group not in axis.groups:
        raise UnknownAxis(f"{where}: {axis.name} has no group {group!r}{suggestion(group, axis.groups)}")


def suggestion(word: str, known: Iterable[str]) -> str:
    """': did you mean ...?', or all that there are."""
    near = near_matches(word, known)
    return f": did you mean {' or '.join(map(repr, near))}?" if near else f"; known: {', '.join(known)}"
