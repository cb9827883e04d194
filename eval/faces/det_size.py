"""The size at which a detector looks at pictures: chosen here, as insightface's own choice merges two of them."""

from __future__ import annotations

from dataclasses import dataclass

STEP = 32
"""Sides of what a detector sees divide by its largest stride."""


@dataclass(frozen=True, slots=True)
class DetSizes:
    """Pictures are enlarged until their short side is `smallest`, and shrunk until their long side is `largest`."""

    smallest: int
    largest: int

    def of(self, width: int, height: int) -> tuple[int, int] | None:
        """Width and height, whole steps of 32, for pictures of a size; None for those too narrow to show a face."""
        scale = max(1.0, self.smallest / min(width, height))
        scale = min(scale, self.largest / max(width, height))
        if min(width, height) * scale < STEP / 4:
            return None
        return _steps(width * scale), _steps(height * scale)


def _steps(side: float) -> int:
    return STEP * max(1, -int(-side // STEP))
