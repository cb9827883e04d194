"""The exponential moving average that is not exponential: weights fall off as a power of time (EDM2, arXiv 2312.02696).

With beta_t = (1 - 1/t)^(gamma + 1) the average after t steps weighs step s by (s/t)^gamma: its width is a fixed share
of the run, so that short runs are not held back by their first steps and long ones are smoothed more.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor


def gamma_of(relative_width: float) -> float:
    """The exponent whose average has this standard deviation, as a share of the run.

    sigma^2 = (gamma + 1) / ((gamma + 2)^2 (gamma + 3)), which falls from 0.083 at gamma = 0; solved by bisection.
    Raises ValueError unless 0 < relative_width < 0.288.
    """
    if not 0 < relative_width < 0.288:
        raise ValueError(
            f"the width of the average is a share of the run above 0 and below 0.288; got {relative_width}"
        )
    low, high = 0.0, 2 / relative_width
    for _ in range(100):
        middle = (low + high) / 2
        wide = (middle + 1) / ((middle + 2) ** 2 * (middle + 3)) > relative_width**2
        low, high = (middle, high) if wide else (low, middle)
    return low


@torch.no_grad()
def update(average: nn.Module, model: nn.Module, step: int, gamma: float) -> None:
    """Take the model after step `step` (from 1) into the average. At step 1 the average becomes the model."""
    share = 1 - (1 - 1 / step) ** (gamma + 1)
    torch._foreach_lerp_(_own_parts(average), _own_parts(model), share)


def _own_parts(model: nn.Module) -> list[Tensor]:
    """The parameters, or this device's parts of them where they are shared over devices: equally in both models."""
    return [p.to_local() if isinstance(p, DTensor) else p for p in model.parameters()]
