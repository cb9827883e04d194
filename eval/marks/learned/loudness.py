"""How loud the waves of a key are in what frames have in common: linear, where reading compares phases.

Shape legend: C channels, H W pixels, K bits, F frequencies.
"""

from __future__ import annotations

import numpy as np

from eval.marks.learned.alignment import Alignment
from eval.marks.learned.lattice import Floats, Secret, lattice, spectrum
from eval.marks.learned.statistic import Reader
from eval.marks.mark import Bits


def loudness(detail_HW: Floats, secret: Secret, message_K: Bits, amplitude_F: Floats, lies: Alignment) -> float:
    """The matched filter for this message, in units of its own: a ratio of two such numbers is a ratio of strengths.

    Its mean is 0 where no such waves are; the picture's own detail is the noise.
    """
    reader = Reader(secret, len(message_K), amplitude_F, 1.0)
    turned_F = reader.turned(spectrum(detail_HW, lies.tiles_y, lies.tiles_x), mirrored=lies.mirrored)
    waves = lattice()
    back_F = np.exp(-2j * np.pi * (waves.y_F * lies.shift_y + waves.x_F * lies.shift_x))
    signs_F = 1.0 - 2.0 * message_K[secret.bits_F]
    return float(np.sum(signs_F * np.real(turned_F * back_F)))
