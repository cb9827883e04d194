"""Reading the waves of a key where a lattice may lie in an image, and looking for where it lies.

What the evidence is worth is in eval/marks/chance.py.

Shape legend: K bits, F frequencies, Y X a table of frequencies, S shifts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from eval.marks.chance import phase_evidence
from eval.marks.learned.lattice import REACH, Complex, Floats, Lattice, Secret, lattice

Evidence = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A key, and how much each frequency counts. weight_F: learned; power: of a frequency's size in its weight."""

    secret: Secret
    bits: int
    weight_F: Floats
    power: float

    def turned(self, table_YX: Complex, *, mirrored: bool = False) -> Complex:
        """Each frequency's weight turned by how its phase differs from the key's, F."""
        found_F = _of(lattice(), table_YX, mirrored)
        size_F = np.maximum(np.abs(found_F), 1e-9)
        weight_F = self.weight_F * size_F**self.power
        turned_F: Complex = (weight_F * found_F / size_F * np.exp(-1j * self.secret.phases_F)).astype(np.complex64)
        return turned_F

    def evidence(self, table_YX: Complex, shift_y: float, shift_x: float, *, mirrored: bool = False) -> Evidence:
        """Evidence for 1 in each bit, K, in standard deviations of what no mark gives."""
        return self._at(self.turned(table_YX, mirrored=mirrored), shift_y, shift_x)

    def polished(
        self, table_YX: Complex, shift_y: float, shift_x: float, side: int, *, mirrored: bool
    ) -> tuple[float, float]:
        """The best shift within half a step of a grid with `side` steps."""
        turned_F = self.turned(table_YX, mirrored=mirrored)
        steps = np.array([-0.5, -0.25, 0.0, 0.25, 0.5]) / side
        around = [(shift_y + dy, shift_x + dx) for dy in steps for dx in steps]
        return max(around, key=lambda at: float(np.square(self._at(turned_F, *at)).sum()))

    def shifts(self, table_YX: Complex, side: int, reach: int, *, mirrored: bool = False) -> Floats:
        """The sum of squared evidence at side × side shifts of the lattice, from frequencies up to `reach`: S, S."""
        ours = lattice()
        turned_F = self.turned(table_YX, mirrored=mirrored)
        near_F = np.hypot(ours.y_F, ours.x_F) <= reach
        bits_F, near = self.secret.bits_F[near_F], turned_F[near_F]
        spread_K = np.sqrt(np.bincount(bits_F, np.square(np.abs(near)) / 2, self.bits))
        table = np.zeros((self.bits, side, side // 2 + 1), np.complex64)
        # irfft2 counts column 0 once and the others with their mirror images.
        table[bits_F, ours.y_F[near_F] % side, ours.x_F[near_F]] = near.conj() * np.where(ours.x_F[near_F] == 0, 2, 1)
        found_KSS = fft.irfft2(table, s=(side, side)) * np.float32(side * side / 2)
        summed: Floats = np.einsum("kyx,kyx,k->yx", found_KSS, found_KSS, (1.0 / spread_K**2).astype(np.float32))
        return summed

    def _at(self, turned_F: Complex, shift_y: float, shift_x: float) -> Evidence:
        ours = lattice()
        back_F = np.exp(-2j * np.pi * (ours.y_F * shift_y + ours.x_F * shift_x))
        return phase_evidence(turned_F * back_F, self.secret.bits_F, self.bits)


def _of(ours: Lattice, table_YX: Complex, mirrored: bool) -> Complex:
    """The lattice's entries of a table of frequencies; of the mirrored image, but for a shift."""
    if not mirrored:
        return table_YX[ours.rows, ours.x_F]
    flipped_F: Complex = np.where(
        ours.x_F == 0, table_YX[ours.rows, ours.x_F], table_YX[REACH - ours.y_F, ours.x_F].conj()
    )
    return flipped_F
