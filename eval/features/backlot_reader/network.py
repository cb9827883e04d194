"""The reader: a small network that names what a clip shows. A few frames tell what is there, all of them how it moves.

    looks   4 frames ──2D convolutions──▶ where? ──▶ means over subject, second subject, background ─┐
    moves   flow of all frames ──3D convolutions──▶ first step, mean of all ────────────────────────┴──▶ heads

Shape legend: B clips, T frames, L frames looked at closely, N = B·L, C channels, H height, W width, D features,
S places (subject, second subject, background), P parts of the subject, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.features.backlot_reader.motion import CHANNELS, motion

SIZE = 64
LOOKS = 4
CELLS = 16
"""Places are told on a grid of so many cells a side."""
PARTS = 4
"""Learned parts of the subject (as hat, chest and legs) that are described one by one."""
STRIDE = 4
"""Frames per step of the moves: shorter clips hold their last frame."""


class Read(NamedTuple):
    """What the network says: logits of each factor, B,K, and log-probabilities of each cell's place, B,L,S,H,W."""

    logits: dict[str, Tensor]
    places_BLSHW: Tensor


class Reader(nn.Module):
    """Logits of every factor's classes for clips of T frames at 8 fps, SIZE pixels a side."""

    def __init__(self, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.looks = Looks()
        self.moves = Moves()
        self.joined = nn.Sequential(nn.Linear(self.looks.features + self.moves.features, 384), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(384, count) for name, count in classes.items()})

    def forward(self, frames_BTCHW: Tensor, looks: Sequence[int] | None = None) -> Read:
        """uint8 frames → Read. looks: the frames to look at closely; evenly spread where not given."""
        total = frames_BTCHW.shape[1]
        chosen = list(looks) if looks is not None else [k * total // LOOKS for k in range(LOOKS)]
        mean_BCHW = frames_BTCHW[:, ::STRIDE].float().mean(dim=1, keepdim=True) / 127.5 - 1.0
        seen_BLCHW = frames_BTCHW[:, chosen].float() / 127.5 - 1.0
        seen_BD, places_BLSHW = self.looks(torch.cat([seen_BLCHW, 2 * (seen_BLCHW - mean_BCHW)], dim=2))
        joined_BD = self.joined(torch.cat([seen_BD, self.moves(frames_BTCHW)], dim=1))
        return Read({name: head(joined_BD) for name, head in self.heads.items()}, places_BLSHW)


class Looks(nn.Module):
    """What single frames show, given beside how they differ from the clip's mean: B,L,6,64,64 in [-1, 1].

    → B,D, the mean over frames, and log-probabilities of places, B,L,S,CELLS,CELLS.
    """

    features = 320

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(2), _block2d(24, 32), nn.MaxPool2d(2), _block2d(32, 64), Residual(_block2d(64, 64))
        )
        self.coarse = nn.Sequential(nn.MaxPool2d(2), _block2d(64, 128), Residual(_block2d(128, 128)))
        self.fused = _block2d(64 + 128, 112, size=1)
        self.place = nn.Conv2d(112, 3, 1)
        self.part = nn.Conv2d(112, PARTS, 1)
        self.out = nn.Sequential(nn.Linear((PARTS + 3) * 112 + 2 * (2 * CELLS), self.features), nn.ReLU())

    def forward(self, frames_BLCHW: Tensor) -> tuple[Tensor, Tensor]:
        fine_NCHW = self.fine(frames_BLCHW.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        coarse_NCHW = functional.interpolate(self.coarse(fine_NCHW), scale_factor=2.0, mode="nearest")
        fused_NCHW = self.fused(torch.cat([fine_NCHW, coarse_NCHW], dim=1))
        places_NSHW = self.place(fused_NCHW).log_softmax(dim=1)
        shares_NSHW = places_NSHW.exp()
        parts_NPHW = self.part(fused_NCHW).softmax(dim=1) * shares_NSHW[:, :1]
        weights_NPHW = torch.cat([parts_NPHW, shares_NSHW[:, 1:]], dim=1)
        means_NPC = _weighted_means(fused_NCHW, weights_NPHW)
        both_NSHW = shares_NSHW[:, :2]
        outlines_ND = torch.cat([both_NSHW.mean(dim=2), both_NSHW.mean(dim=3)], dim=2).flatten(1)
        all_ND = torch.cat([means_NPC.flatten(1), fused_NCHW.amax(dim=(2, 3)), outlines_ND], dim=1)
        batch = frames_BLCHW.shape[:2]
        return self.out(all_ND).unflatten(0, batch).mean(dim=1), places_NSHW.unflatten(0, batch)


def _weighted_means(features_NCHW: Tensor, weights_NPHW: Tensor) -> Tensor:
    """Means of features under each weight, N,P,C; of nearly nothing, nearly 0."""
    weights_NPX = weights_NPHW.flatten(2)
    return weights_NPX @ features_NCHW.flatten(2).mT / (weights_NPX.sum(dim=2, keepdim=True) + 0.5)


class Moves(nn.Module):
    """How things move: uint8 B,T,3,64,64 → B,D, the first step of 4 frames beside the mean over all steps."""

    features = 256

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _block3d(CHANNELS, 24, stride=(2, 1, 1)),
            _block3d(24, 48, stride=(2, 2, 2)),
            Residual(_block3d(48, 48)),
            _block3d(48, 80, stride=(1, 2, 2)),
            Residual(_block3d(80, 80)),
        )
        self.narrow = _block3d(80, 16, size=1)
        self.out = nn.Sequential(nn.Linear(2 * (80 + 80 + 16 * 16), self.features), nn.ReLU())

    def forward(self, frames_BTCHW: Tensor) -> Tensor:
        moved_BCTHW = motion(frames_BTCHW)
        missing = -moved_BCTHW.shape[2] % STRIDE
        whole_BCTHW = torch.cat([moved_BCTHW, moved_BCTHW[:, :, -1:].expand(-1, -1, missing, -1, -1)], dim=2)
        steps_BCTHW = self.trunk(whole_BCTHW)
        cells_BTD = self.narrow(steps_BCTHW).transpose(1, 2).flatten(2)
        pooled_BTD = torch.cat([steps_BCTHW.mean(dim=(3, 4)).mT, steps_BCTHW.amax(dim=(3, 4)).mT, cells_BTD], dim=2)
        described: Tensor = self.out(torch.cat([pooled_BTD[:, 0], pooled_BTD.mean(dim=1)], dim=1))
        return described


class Residual(nn.Module):
    """What a block makes of its input, added to it."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.block(x)
        return x + added


def _block2d(inputs: int, outputs: int, size: int = 3) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _block3d(inputs: int, outputs: int, size: int = 3, stride: tuple[int, int, int] = (1, 1, 1)) -> nn.Module:
    convolution = nn.Conv3d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True))
