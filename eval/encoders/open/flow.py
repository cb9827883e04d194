"""RAFT, as VBench's dynamic_degree uses it: how far the strongest twentieth of a picture moves.

The program is exported by the user (see the registry's `raft-things`): program(before, after) → flow, where before and
after are float N,3,H,W in 0-255 with H and W multiples of 8, and flow is float N,2,H,W in pixels, after 20 iterations.

Shape legend: N pairs, C channels, H height, W width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from eval.encoders.open.padding import pad
from eval.encoders.open.programs import answer
from eval.encoders.open.weights import load_program

if TYPE_CHECKING:
    from eval.encoders.runner import Encode

MULTIPLE = 8
SHARE = 0.05


def raft(name: str, device: torch.device) -> Encode:
    """uint8 N,2,C,H,W → float N: the mean length, in pixels, of the longest 5 % of the flow, padding included."""
    program = load_program(name).to(device)

    def encode(pairs_N2CHW: torch.Tensor) -> torch.Tensor:
        before_NCHW, after_NCHW = (pad(frames.float(), MULTIPLE) for frames in pairs_N2CHW.unbind(dim=1))
        shape = (len(before_NCHW), 2, *before_NCHW.shape[-2:])
        return strongest(answer(name, program, shape, before_NCHW, after_NCHW))

    return encode


def strongest(flow_N2HW: torch.Tensor) -> torch.Tensor:
    """The mean length of the longest 5 % of all pixels, rounded down: float64 N (VBench, dynamic_degree.get_score)."""
    length_NP = flow_N2HW.float().square().sum(dim=1).sqrt().flatten(1)
    count = int(length_NP.shape[1] * SHARE)
    return _largest(length_NP, count).double().mean(dim=1)


def _largest(values_NP: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` largest of each row, in any order; NaN is larger than everything."""
    if values_NP.device.type == "cpu":  # NumPy needs a tenth of torch's time
        return torch.from_numpy(np.partition(values_NP.numpy(), -count, axis=1)[:, -count:])
    return values_NP.topk(count, dim=1).values
