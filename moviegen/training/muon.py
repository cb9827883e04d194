"""Muon: momentum whose update is made orthogonal, for every weight that is a matrix or a convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearly U V^T of the matrix's U S V^T: singular values come out between about 0.7 and 1.2.

    Newton-Schulz iteration of Jordan et al. 2024 (kellerjordan.github.io/posts/muon), in the matrix's own precision.
    """
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    x: Tensor = wide / (wide.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(Optimizer):
    """Matrices and convolutions (flattened to out x the rest) by Muon, everything else by AdamW, in one optimiser.

    Parameter groups say which: `muon` true or false. torch's own Muon takes matrices only, and works in bfloat16, which
    is about 75 times slower than float32 on common CPUs.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], weight_decay: float = 0.0) -> None:
        super().__init__(groups, {"lr": 1e-3, "weight_decay": weight_decay, "momentum": 0.95, "betas": (0.9, 0.95)})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._muon if group["muon"] else self._adamw
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                    update(parameter, parameter.grad, group)
        return loss

    def _muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        momentum: Tensor = state["momentum"]
        momentum.lerp_(gradient, 1.0 - group["momentum"])
        looking_ahead = gradient.lerp(momentum, group["momentum"])
        matrix = orthogonalised(looking_ahead.flatten(1))
        # An update of RMS 0.2, as AdamW's typically is, whatever the shape (arXiv 2502.16982, equation 4).
        scale = 0.2 * max(matrix.shape) ** 0.5
        parameter.add_(matrix.view_as(parameter), alpha=-group["lr"] * scale)

    def _adamw(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["first"], state["second"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
        state["step"] += 1
        first_decay, second_decay = group["betas"]
        state["first"].lerp_(gradient, 1.0 - first_decay)
        state["second"].lerp_(gradient.square(), 1.0 - second_decay)
        first = state["first"] / (1.0 - first_decay ** state["step"])
        second = state["second"] / (1.0 - second_decay ** state["step"])
        parameter.addcdiv_(first, second.sqrt() + 1e-8, value=-group["lr"])


def parameter_groups(network: nn.Module, lr: float, code: nn.Module, code_lr: float) -> list[dict[str, Any]]:
    """Matrices and convolutions for Muon; biases and norms, and the whole of `code` at a rate of its own, for AdamW."""
    fixed = {id(parameter) for parameter in code.parameters()}
    parameters = [p for p in network.parameters() if p.requires_grad and id(p) not in fixed]
    return [
        {"params": [p for p in parameters if p.ndim >= 2], "lr": lr, "muon": True},
        {"params": [p for p in parameters if p.ndim < 2], "lr": lr, "muon": False, "weight_decay": 0.0},
        {"params": list(code.parameters()), "lr": code_lr, "muon": False, "weight_decay": 0.0},
    ]
