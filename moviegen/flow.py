"""Flow matching on the optimal-transport path: the training target, times, schedules, samplers and guidance.

Time runs from t = 0 (noise) to t = 1 (data), the convention of Movie Gen (arXiv 2410.13720, section 3.1.2); most code
elsewhere runs the other way.

Shape legend: B batch, ... any latent shape after it. Times are float; schedules are float64 from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from eval.errors import UserError

SIGMA_MIN = 1e-5
"""What is left of the noise at t = 1."""

Velocity = Callable[[Tensor, Tensor], Tensor]
"""A velocity field: (x_B..., time_B) -> dx/dt, in the shape of x."""

Method = Literal["euler", "midpoint"]
ScheduleName = Literal["linear", "linear-quadratic"]


def interpolate(data: Tensor, noise: Tensor, time_B: Tensor) -> Tensor:
    """X_t = t X1 + (1 - (1 - sigma_min) t) X0: the point at time t between noise X0 and data X1 (both B...)."""
    t = time_B.reshape(-1, *[1] * (data.ndim - 1)).to(data.dtype)
    return t * data + (1 - (1 - SIGMA_MIN) * t) * noise


def velocity_target(data: Tensor, noise: Tensor) -> Tensor:
    """dX_t/dt = X1 - (1 - sigma_min) X0, what the model learns to predict."""
    return data - (1 - SIGMA_MIN) * noise


class Preconditioning(NamedTuple):
    """v = (keep + shrink G) x_t + out F: what a network with the outputs F and G is left to do; each B, C, then ones.

    unit brings x_t to unit variance in each channel; faint weighs channels by how much of them is data by then.
    """

    unit: Tensor
    faint: Tensor
    keep: Tensor
    shrink: Tensor
    out: Tensor


MOST_SHRINK = 5.0
"""Bound on data over noise in `shrink`: where a channel stands out further, there is next to nothing to take back."""


def precondition(time_B: Tensor, std_C: Tensor, ndim: int) -> Preconditioning:
    """The best linear guess of the velocity from each latent alone, and scales for what a network adds to it.

    For channels of mean 0 and deviation s, the velocity's expectation given x_t is keep x_t with
    keep = (t s^2 - (1 - sigma_min) b) / (t^2 s^2 + b^2), b = 1 - (1 - sigma_min) t; its deviation around it is
    out = s / sqrt(t^2 s^2 + b^2). So F = G = 0 is the optimum for independent Gaussian channels, and F has about unit
    variance in every channel at every time (the argument of EDM, arXiv 2206.00364, section 5, for this path and for
    each channel on its own). Details are no Gaussians: most places have none. G = -1 makes the guess of the data 0,
    wherever a network finds a place flat; so it need not carry noise through its own width in order to remove it.
    ndim: dimensions of x_t, with batch and channels first.
    """
    t = time_B.float()[:, None]
    left = 1 - (1 - SIGMA_MIN) * t
    spread_BC = ((t * std_C) ** 2 + left**2).sqrt()
    keep_BC = (t * std_C**2 - (1 - SIGMA_MIN) * left) / spread_BC**2
    out_BC = std_C / spread_BC
    faint_BC = out_BC / out_BC.square().mean(dim=1, keepdim=True).sqrt()
    shrink_BC = t * out_BC * (std_C / left).clamp(max=MOST_SHRINK) / spread_BC
    ones = [1] * (ndim - 2)
    scales = (1 / spread_BC, faint_BC, keep_BC, shrink_BC, out_BC)
    return Preconditioning(*(scale.reshape(*scale.shape, *ones) for scale in scales))


def logit_normal_times(count: int, generator: torch.Generator) -> Tensor:
    """`count` times in (0, 1), float32, logit-normal(0, 1) and stratified: one in each 1/count of the distribution.

    The batch's times are as even as they can be, which takes most of their variance out of the loss; their order is
    random, so that time does not go with the place in the batch.
    """
    strata = torch.randperm(count, generator=generator) + torch.rand(count, generator=generator, dtype=torch.float64)
    return torch.sigmoid(torch.special.ndtri(strata / count)).float()


def linear_schedule(steps: int) -> Tensor:
    """Evenly spaced times from 0 to 1, steps + 1 of them. Raises ValueError below one step."""
    _check_steps(steps)
    return torch.arange(steps + 1, dtype=torch.float64) / steps


def linear_quadratic_schedule(steps: int, emulated: int = 250) -> Tensor:
    """The schedule of steps + 1 times: half of it as fine as `emulated` linear steps, then quadratically coarser.

    t_i = i/N for i <= L and i/N + (1 - n/N) ((i - L) / (n - L))^2 above, with n = steps, N = emulated, L = n // 2.
    Raises ValueError unless 1 <= steps <= emulated. Source: arXiv 2410.13720, section 3.4.2; the same as Mochi's
    linear_quadratic_schedule(n, threshold_noise=L/N).
    """
    _check_steps(steps)
    if steps > emulated:
        raise ScheduleError(f"{steps} steps cannot emulate {emulated} linear ones: take at most {emulated} steps")
    linear = steps // 2
    index = torch.arange(steps + 1, dtype=torch.float64)
    rise = ((index - linear).clamp(min=0) / (steps - linear)) ** 2
    return index / emulated + (1 - steps / emulated) * rise


def schedule(name: ScheduleName, steps: int, emulated: int = 250) -> Tensor:
    """The named schedule of steps + 1 times."""
    return linear_schedule(steps) if name == "linear" else linear_quadratic_schedule(steps, max(steps, emulated))


def trajectory(velocity: Velocity, noise: Tensor, times: Tensor, method: Method = "euler") -> Iterator[Tensor]:
    """The states after each step of dx/dt = velocity(x, t) from x = noise along `times` (steps + 1, ascending).

    euler: x + h v(x, t), one evaluation a step, error O(h). midpoint: x + h v(x + h/2 v, t + h/2), two, O(h^2).
    """
    x = noise
    for start, end in zip(times.tolist(), times[1:].tolist(), strict=False):
        h = end - start
        v = velocity(x, _everywhere(start, x))
        if method == "midpoint":
            v = velocity(x + h / 2 * v, _everywhere(start + h / 2, x))
        x = x + h * v
        yield x


def sample(velocity: Velocity, noise: Tensor, times: Tensor, method: Method = "euler") -> Tensor:
    """The last state of trajectory(): noise carried to data."""
    x = noise
    for state in trajectory(velocity, noise, times, method):
        x = state
    return x


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Classifier-free guidance: v_uncond + scale (v_cond - v_uncond); 1 is no guidance (arXiv 2207.12598)."""
    return unconditional + scale * (conditional - unconditional)


class ScheduleError(UserError):
    """A schedule that cannot be made."""


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ScheduleError(f"sampling needs at least 1 step; got {steps}")


def _everywhere(time: float, x: Tensor) -> Tensor:
    return torch.full((x.shape[0],), time, dtype=x.dtype, device=x.device)
