"""The sizes at which a detector looks at pictures: chosen here, as insightface's own choice is 128 and 640 for any."""

from __future__ import annotations

from dataclasses import dataclass

STEP = 32
"""Sides of what a detector sees divide by its largest stride."""
_TWICE = 2.0
"""A picture that is seen more than so many times as large as need be is looked at small, too."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DetSizes:
    """Pictures are enlarged until their short side is `smallest`, and shrunk until their long side is `largest`."""

    smallest: int
    largest: int

    def of(self, width: int, height: int) -> tuple[Size, ...]:
        """Widths and heights, whole steps of 32, at which a picture of a size is looked at.

        One, for faces of all sizes; in large pictures a second one, for faces that fill more than a detector can see at
        once; none for pictures too narrow to show a face.
        """
        short, long = min(width, height), max(width, height)
        scale = min(max(1.0, self.smallest / short), self.largest / long)
        if short * scale < STEP / 4:
            return ()
        sizes = [(_steps(width * scale), _steps(height * scale))]
        if short * scale > _TWICE * self.smallest:
            small = self.smallest / short
            sizes.append((_steps(width * small), _steps(height * small)))
        return tuple(sizes)


def _steps(side: float) -> int:
    return STEP * max(1, -int(-side // STEP))
