"""What several figures of one audit share: the view of the clips, and the correction of each axis's reader."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from safety.bias.axes import Axis, find_axis
from safety.bias.clips import Clips, clips_of
from safety.bias.correction import Correction, from_annotators, from_card
from safety.bias.table import AuditTable
from safety.bias.targets import Declared

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """One system's clips, ready for figures. cards_XX: per axis, a confusion measured on other clips (true by said, K
    groups and everything else), used where the table has no labels. What several figures need is made once.
    """

    clips: Clips
    confidence: float = 0.95
    minimum_labels: int = 10
    mixture: Declared | None = None
    seed: int = 0
    cards: Mapping[str, Floats] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: AuditTable, **settings: object) -> Study:
        """A study of a table that holds one system."""
        return cls(clips_of(table), **settings)  # type: ignore[arg-type]

    def axis(self, name: str) -> Axis:
        """An axis that the table's reader reads. Raises NotMeasurable for one it does not."""
        axis = find_axis(name)
        if not self.clips.reads(axis):
            raise NotMeasurable(f"{axis.title} was not read")
        return axis

    def correction(self, name: str) -> Correction:
        """How to undo the reader's errors on an axis. Raises NotMeasurable, with the reason, where that cannot be."""
        made: Correction = self.once(("correction", name), lambda: self._correction(self.axis(name)))
        return made

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives, or raises as NotMeasurable, computed when first asked for under this key."""
        if key not in self._made:
            try:
                self._made[key] = make()
            except NotMeasurable as why:
                self._made[key] = why
        made = self._made[key]
        if isinstance(made, NotMeasurable):
            raise made
        return made

    def generator(self) -> np.random.Generator:
        """The same random numbers for every figure, whatever was computed before."""
        return np.random.default_rng(self.seed)

    def _correction(self, axis: Axis) -> Correction:
        labelled = bool((self.clips.annotated_R[axis.name] >= 0).any())
        if axis.name in self.cards and not labelled:
            sizes = len(self.clips.clusters), len(self.clips.strata)
            return from_card(axis, self.cards[axis.name], *sizes, self.minimum_labels)
        return from_annotators(self.clips, axis, self.minimum_labels)
