"""How the lattice lies in a frame that may have been cropped, resized or mirrored since it was marked."""

from __future__ import annotations

from dataclasses import dataclass

from eval.marks.learned.lattice import MOST_TILES, tiles


@dataclass(frozen=True, slots=True)
class Alignment:
    """tiles_y, tiles_x: how many tiles lie along the frame's axes. shift_y, shift_x: how far into a tile its first row
    and column lie, in tiles, 0 to 1. mirrored: left and right are swapped.
    """

    tiles_y: float
    tiles_x: float
    shift_y: float = 0.0
    shift_x: float = 0.0
    mirrored: bool = False


def untouched(height: int, width: int) -> tuple[Alignment, ...]:
    """How the lattice lies in a frame of this size that nobody cut: as it is marked at this size, or at any larger one
    from four tiles up.
    """
    as_marked = Alignment(tiles(height), tiles(width))
    as_larger = Alignment(MOST_TILES, MOST_TILES)
    return (as_marked,) if as_marked == as_larger else (as_marked, as_larger)
