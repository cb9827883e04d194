"""AMT-S, as VBench's motion_smoothness uses it: how well the frame between two others can be guessed.

The program is exported by the user (see the registry's `amt-s`): program(before, after) → between, all float N,3,H,W in
0-1 with H and W multiples of 16, the time being one half.

Shape legend: N triples, C channels, H height, W width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from eval.encoders.open.padding import pad, unpad
from eval.encoders.open.programs import answer
from eval.encoders.open.weights import load_program

if TYPE_CHECKING:
    from eval.encoders.runner import Encode

MULTIPLE = 16
STRIP = 32
"""Rows that are compared at a time: they stay in the processor's cache, which takes a quarter of the time."""


def amt(name: str, device: torch.device) -> Encode:
    """uint8 N,3,C,H,W of consecutive frames → float N: mean |guess − frame| / 255 of the middle ones, 0-1.

    The guess is cut, not rounded, to whole grey levels, as VBench's tensor2img does.
    """
    program = load_program(name).to(device)

    def encode(triples_N3CHW: torch.Tensor) -> torch.Tensor:
        before_NCHW, middle_NCHW, after_NCHW = triples_N3CHW.unbind(dim=1)
        padded = [pad(frames_NCHW.float().div_(255), MULTIPLE) for frames_NCHW in (before_NCHW, after_NCHW)]
        guess_NCHW = answer(name, program, tuple(padded[0].shape), *padded)
        height, width = middle_NCHW.shape[-2:]
        return difference(unpad(guess_NCHW, height, width), middle_NCHW)

    return encode


def difference(guess_NCHW: torch.Tensor, frames_NCHW: torch.Tensor) -> torch.Tensor:
    """Guesses in 0-1 against uint8 frames: float64 N (VBench, motion_smoothness.vfi_score over 255)."""
    strips = (slice(top, top + STRIP) for top in range(0, frames_NCHW.shape[2], STRIP))
    apart_N = torch.stack([_apart(guess_NCHW[:, :, rows], frames_NCHW[:, :, rows]) for rows in strips]).sum(dim=0)
    return apart_N / frames_NCHW[0].numel() / 255


def _apart(guess_NCHW: torch.Tensor, frames_NCHW: torch.Tensor) -> torch.Tensor:
    """The sum over pixels of the distance in grey levels: whole numbers, float64 N."""
    # NaN must stay NaN here, so that the row fails: no integers
    apart_NCHW = (guess_NCHW.float() * 255).clamp_(0, 255).trunc_().sub_(frames_NCHW.float()).abs_()
    return apart_NCHW.sum(dim=(1, 3)).double().sum(dim=1)  # rows are under 2²⁴: exact in float32
