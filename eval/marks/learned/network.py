"""What is learned of the mark: how loud each wave is written, and how it is read.

Shape legend: B clips, C channels, F frequencies, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.marks.learned.lattice import REACH, lattice
from eval.marks.learned.residual import CHANNELS

WIDTH = 12
FADING = 13.0
"""Where loudness and weight fade before training, in waves per tile: beyond, x264 leaves little at crf 40."""


class Whitener(nn.Module):
    """Takes the picture out of what a clip has in common over time, and weighs places by how far they can be trusted.

    B,C,H,W -> B,H,W. Starts as: the detail cut at SMALL, everywhere alike.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(CHANNELS, width, 5, padding=2, padding_mode="replicate"),
            nn.LeakyReLU(0.1),
            nn.Conv2d(width, width, 5, padding=2, padding_mode="replicate"),
            nn.LeakyReLU(0.1),
        )
        self.outer = nn.Conv2d(width, 2, 5, padding=2, padding_mode="replicate")
        nn.init.zeros_(self.outer.weight)
        assert self.outer.bias is not None
        nn.init.zeros_(self.outer.bias)

    def forward(self, common_BCHW: Tensor) -> Tensor:
        correction_BHW, trust_BHW = self.outer(self.inner(common_BCHW)).unbind(1)
        whitened_BHW: Tensor = (common_BCHW[:, 0] + correction_BHW) * torch.exp(2.0 * torch.tanh(trust_BHW / 2.0))
        return whitened_BHW


class MarkNetwork(nn.Module):
    """All that is learned. Tables have a row for |ky| and a column for kx, from 0 to REACH waves per tile."""

    def __init__(self) -> None:
        super().__init__()
        side = REACH + 1
        far_YX = torch.hypot(torch.arange(side)[:, None].float(), torch.arange(side)[None, :].float())
        quiet_YX = -((far_YX / FADING) ** 4)
        self.loudness = nn.Parameter(quiet_YX.clone())
        self.weight = nn.Parameter(quiet_YX.clone())
        self.power = nn.Parameter(torch.tensor(-1.5))
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.whitener = Whitener()
        found = lattice()
        self.register_buffer("row_F", torch.from_numpy(abs(found.y_F)), persistent=False)
        self.register_buffer("column_F", torch.from_numpy(found.x_F), persistent=False)
        self.row_F: Tensor
        self.column_F: Tensor

    def amplitudes(self) -> Tensor:
        """How loud each wave is written, against the others; positive, F."""
        return torch.exp(self.loudness[self.row_F, self.column_F])

    def weights(self) -> Tensor:
        """How much each wave counts when it is read; positive, F."""
        return torch.exp(self.weight[self.row_F, self.column_F])

    def soft_bits(self, spectrum_BF: Tensor, phases_F: Tensor, bits_F: Tensor, bits: int) -> Tensor:
        """Evidence for 1 in each bit, B,K, in standard deviations of what no mark gives (see search.evidence)."""
        size_BF = spectrum_BF.abs().clamp_min(1e-9)
        trust_BF = self.weights() * size_BF ** functional.softplus(self.power)
        turned_BF = (spectrum_BF / size_BF * torch.polar(torch.ones_like(phases_F), -phases_F)).real
        sums_BK = spectrum_BF.real.new_zeros(len(spectrum_BF), bits)
        index_BF = bits_F.expand_as(trust_BF)
        agree_BK = sums_BK.scatter_add(1, index_BF, trust_BF * turned_BF)
        variance_BK = sums_BK.scatter_add(1, index_BF, trust_BF.square() / 2)
        return -agree_BK / variance_BK.sqrt()
