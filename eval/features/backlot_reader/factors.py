"""What the reader can name: factors, their classes, and where they can be told. Travels in the weights' header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Level = str | int | bool
Conditions = Mapping[str, tuple[Level, ...]]


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of the Backlot as the reader knows it.

    classes: each is the values that it covers, which captions call by one name (skin tones go by twos).
    where: factor → values that the truth must have for the picture to show this factor: a beard in a wide shot is not
        counted. needs: factor → values that the reading must have for this one to mean anything: a dog has no role.
    """

    name: str
    classes: tuple[tuple[Level, ...], ...]
    where: Conditions = field(default_factory=dict)
    needs: Conditions = field(default_factory=dict)

    def label(self, known: Mapping[str, Any]) -> int:
        """The class of the truth's value. Raises ValueError for a value of no class."""
        value = known[self.name]
        for index, values in enumerate(self.classes):
            if any(type(value) is type(one) and value == one for one in values):
                return index
        raise ValueError(f"{self.name}={value!r} is none of the reader's classes")

    def applies(self, known: Mapping[str, Any]) -> bool:
        """Whether the truth has a value of this factor, in a scene where it shows."""
        return known.get(self.name) is not None and meets(known, self.where) and meets(known, self.needs)


def meets(known: Mapping[str, Any], conditions: Conditions) -> bool:
    """Whether every condition holds."""
    return all(known.get(name) in values for name, values in conditions.items())
