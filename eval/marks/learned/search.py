"""Finding the lattice in a frame: first where it lies if nobody cut, then in cuts of any size and place, mirrored too.

Shape legend: H W pixels, K bits.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from eval.marks.chance import surprise
from eval.marks.learned.alignment import Alignment, untouched
from eval.marks.learned.lattice import MOST_TILES, REACH, Floats, across, rows_of, spectrum
from eval.marks.learned.statistic import Evidence, Reader

FEWEST_TILES = 0.9
"""A cut that leaves less than so many tiles along an axis is not searched."""
COARSE_REACH, COARSE_SIDE = 12, 32
"""The first look takes the lower frequencies, at so many shifts each way."""
FINE_SIDE = 64
COARSE_STEP = 0.05
"""Between numbers of tiles: half of it turns a wave at COARSE_REACH by less than 75 degrees at the frame's edge."""
FINE_STEPS = (-0.017, 0.0, 0.017)
LOOKED_AT = 4
"""How many of the first look's finds are looked at closely."""
SURE = 9.0
"""An untouched lattice that is as surely there as 10^-SURE is not searched for elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Where the lattice most likely lies, the bits' evidence there, K, and how surely: -log10 of the bound on chance,
    over all that was tried.
    """

    alignment: Alignment
    evidence_K: Evidence
    surprise: float


def find(image_HW: Floats, reader: Reader) -> Found:
    """The likeliest alignment of a key's lattice in a whitened image."""
    at_rest = _at_rest(image_HW, reader)
    if at_rest.surprise > SURE:
        return at_rest
    moved = _searched(image_HW, reader)
    return max(at_rest, moved, key=lambda found: found.surprise)


def _at_rest(image_HW: Floats, reader: Reader) -> Found:
    lies = untouched(*image_HW.shape)
    found = []
    for one in lies:
        evidence_K = reader.evidence(spectrum(image_HW, one.tiles_y, one.tiles_x), 0.0, 0.0)
        # Twice: half of the chance of a false alarm is left to the search.
        found.append(Found(one, evidence_K, surprise(float(np.square(evidence_K).sum()), reader.bits, 2.0 * len(lies))))
    return max(found, key=lambda one: one.surprise)


@lru_cache(maxsize=16)
def grid(height: int, width: int) -> tuple[tuple[float, float], ...]:
    """Numbers of tiles down and across that a cut can leave: the same share of both axes, or a share of one."""
    pairs: set[tuple[float, float]] = set()
    for one in untouched(height, width):
        for share in np.arange(1.0, FEWEST_TILES / MOST_TILES, -COARSE_STEP / MOST_TILES):
            for high, wide in ((share, share), (share, 1.0), (1.0, share)):
                pair = (round(float(one.tiles_y * high), 4), round(float(one.tiles_x * wide), 4))
                if min(pair) >= min(FEWEST_TILES, one.tiles_y, one.tiles_x):
                    pairs.add(pair)
    return tuple(sorted(pairs, reverse=True))


def tries(height: int, width: int) -> float:
    """How many alignments the search chooses among: all that a close look could see, were it cast everywhere."""
    return 2.0 * len(grid(height, width)) * len(FINE_STEPS) ** 2 * FINE_SIDE**2


def _searched(image_HW: Floats, reader: Reader) -> Found:
    finds: list[tuple[float, tuple[float, float], bool]] = []
    rows = {down: rows_of(image_HW, down) for down in {pair[0] for pair in grid(*image_HW.shape)}}
    for pair in grid(*image_HW.shape):
        table_YX = across(rows[pair[0]], pair[1])
        for mirrored in (False, True):
            best = float(reader.shifts(table_YX, COARSE_SIDE, COARSE_REACH, mirrored=mirrored).max())
            finds.append((best, pair, mirrored))
    close = [_closely(image_HW, reader, pair, mirrored) for _, pair, mirrored in heapq.nlargest(LOOKED_AT, finds)]
    squares, alignment = max(close, key=lambda one: one[0])
    table_YX = spectrum(image_HW, alignment.tiles_y, alignment.tiles_x)
    at = reader.polished(
        table_YX, alignment.shift_y, alignment.shift_x, FINE_SIDE, mirrored=alignment.mirrored
    )  # the message is read there; how surely the mark is there was settled on the grid
    evidence_K = reader.evidence(table_YX, *at, mirrored=alignment.mirrored)
    settled = Alignment(alignment.tiles_y, alignment.tiles_x, *at, alignment.mirrored)
    return Found(settled, evidence_K, surprise(squares, reader.bits, 2.0 * tries(*image_HW.shape)))


def _closely(image_HW: Floats, reader: Reader, pair: tuple[float, float], mirrored: bool) -> tuple[float, Alignment]:
    """The best alignment near a number of tiles, at full resolution, with its sum of squares."""
    best, where = -1.0, Alignment(*pair, mirrored=mirrored)
    for step_y in FINE_STEPS:
        rows_YW = rows_of(image_HW, pair[0] + step_y)
        for step_x in FINE_STEPS:
            near = (pair[0] + step_y, pair[1] + step_x)
            squares_SS = reader.shifts(across(rows_YW, near[1]), FINE_SIDE, REACH, mirrored=mirrored)
            at = int(squares_SS.argmax())
            if squares_SS.flat[at] > best:
                row, column = divmod(at, FINE_SIDE)
                best = float(squares_SS.flat[at])
                where = Alignment(*near, row / FINE_SIDE, column / FINE_SIDE, mirrored)
    return best, where
