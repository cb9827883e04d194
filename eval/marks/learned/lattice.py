"""The carriers: waves on a lattice of frequencies, whose phases and owners are the key's secret.

A tile of waves is repeated over the frame, `n` times along an axis. Wave (ky, kx) runs ky times down a tile and kx
times across; each belongs to one bit of the message, which turns its phase by 180 degrees. As a frame is a sum of waves
at known frequencies, it is written and read at any size by two small matrix products, without resampling.

Shape legend: K bits, F frequencies, H W pixels, Y X rows and columns of the table of frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from eval.marks.keys import uniforms
from eval.marks.mark import Bits

Floats = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]
Integers = npt.NDArray[np.int64]

TILE_PIXELS = 64
"""A tile's side, until four of them fit; in larger frames tiles grow, so that resizing keeps their number."""
MOST_TILES = 4.0
LOW, HIGH = 3.5, 18.0
"""Distance from zero of the frequencies used, in waves per tile."""
REACH = int(HIGH)


@dataclass(frozen=True, slots=True)
class Lattice:
    """The frequencies that carry marks: half a ring, as the other half are its mirror images.

    y_F: -REACH…REACH, x_F: 0…REACH, in waves per tile; nearest to zero first.
    """

    y_F: Integers
    x_F: Integers

    @property
    def rows(self) -> Integers:
        """Rows in a table whose first row is frequency -REACH."""
        return self.y_F + REACH


@lru_cache(maxsize=1)
def lattice() -> Lattice:
    """The one lattice of this version of the mark."""
    y_YX, x_YX = np.mgrid[-REACH : REACH + 1, 0 : REACH + 1]
    far_YX = np.hypot(y_YX, x_YX)
    ours = (far_YX >= LOW) & (far_YX <= HIGH) & ((x_YX > 0) | (y_YX > 0))
    order = np.lexsort((x_YX[ours], y_YX[ours], far_YX[ours]))
    return Lattice(y_YX[ours][order], x_YX[ours][order])


@dataclass(frozen=True, slots=True)
class Secret:
    """What a key decides. phases_F: radians, evenly spread. bits_F: the bit that a frequency carries."""

    phases_F: Floats
    bits_F: Integers


@lru_cache(maxsize=64)
def secret_of(key: int, bits: int) -> Secret:
    """The key's phases and owners. Every bit gets one of each `bits` neighbouring frequencies, so all get high and low
    ones alike.
    """
    count = len(lattice().y_F)
    phases_F = (2 * np.pi * uniforms(key, "learned/phases", count)).astype(np.float32)
    drawn_F = uniforms(key, "learned/owners", count)
    bits_F = np.concatenate([np.argsort(drawn_F[at : at + bits]) for at in range(0, count, bits)])
    return Secret(phases_F, bits_F.astype(np.int64) % bits)


def tiles(pixels: int) -> float:
    """How many tiles a side of so many pixels gets when it is marked."""
    return min(MOST_TILES, pixels / TILE_PIXELS)


@lru_cache(maxsize=512)
def waves(pixels: int, count: float, low: int) -> Complex:
    """exp(2 pi i k n (p + 1/2) / pixels): a row for each frequency k from `low` to REACH, a column for each pixel p."""
    place_P = (np.arange(pixels) + 0.5) * count / pixels
    turns_KP = np.arange(low, REACH + 1)[:, None] * place_P
    return np.asarray(np.exp(2j * np.pi * turns_KP), np.complex64)


def pattern(secret: Secret, message_K: Bits, amplitude_F: Floats, height: int, width: int) -> Floats:
    """The sum of waves that says `message_K` in a frame of this size, H, W; root mean square near 1."""
    turned_F = secret.phases_F + np.pi * message_K[secret.bits_F]
    table_YX = np.zeros((2 * REACH + 1, REACH + 1), np.complex64)
    table_YX[lattice().rows, lattice().x_F] = amplitude_F * np.exp(1j * turned_F)
    rows_HX = waves(height, tiles(height), -REACH).T @ table_YX
    scale = np.float32(np.sqrt(2.0 / np.sum(np.square(amplitude_F))))
    return np.ascontiguousarray(np.real(rows_HX @ waves(width, tiles(width), 0)) * scale)


def rows_of(image_HW: Floats, tiles_y: float) -> Complex:
    """The image's content at the frequencies down it, for each column, if so many tiles lie down it: Y, W."""
    return np.asarray(waves(len(image_HW), tiles_y, -REACH).conj() @ image_HW, np.complex64)


def spectrum(image_HW: Floats, tiles_y: float, tiles_x: float) -> Complex:
    """The image's content at all frequencies of the table, Y, X, if so many tiles lie along its axes."""
    return across(rows_of(image_HW, tiles_y), tiles_x)


def across(rows_YW: Complex, tiles_x: float) -> Complex:
    """The second half of `spectrum`."""
    width = rows_YW.shape[1]
    return np.asarray(rows_YW @ waves(width, tiles_x, 0).conj().T, np.complex64)
