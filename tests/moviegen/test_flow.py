"""Flow matching against fields and Gaussians whose answers are known in closed form."""

from __future__ import annotations

import math

import pytest
import torch

from moviegen.flow import (
    SIGMA_MIN,
    guided,
    interpolate,
    linear_quadratic_schedule,
    linear_schedule,
    logit_normal_times,
    precondition,
    sample,
    schedule,
    trajectory,
    velocity_target,
)

MEAN, STD = 2.0, 0.5
"""The data of the Gaussian-to-Gaussian tests: N(2, 0.25)."""


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _optimum(x: torch.Tensor, time_B: torch.Tensor) -> torch.Tensor:
    """E[X1 - (1 - sigma_min) X0 | X_t = x] for X0 ~ N(0, 1), X1 ~ N(MEAN, STD^2)."""
    t = time_B.reshape(-1, *[1] * (x.ndim - 1))
    left = 1 - (1 - SIGMA_MIN) * t
    variance = t**2 * STD**2 + left**2
    return MEAN + (t * STD**2 - (1 - SIGMA_MIN) * left) / variance * (x - t * MEAN)


def test_the_path_starts_in_noise_and_ends_in_data() -> None:
    data, noise = torch.randn(2, 3, 4, 5, 6, generator=_generator()), torch.randn(2, 3, 4, 5, 6)
    assert torch.equal(interpolate(data, noise, torch.zeros(2)), noise)
    torch.testing.assert_close(interpolate(data, noise, torch.ones(2)), data + SIGMA_MIN * noise)


def test_the_target_is_the_derivative_of_the_path() -> None:
    data, noise = torch.randn(4, 7, dtype=torch.float64), torch.randn(4, 7, dtype=torch.float64)
    t = torch.rand(4, dtype=torch.float64)
    _, derivative = torch.func.jvp(lambda t: interpolate(data, noise, t), (t,), (torch.ones_like(t),))
    torch.testing.assert_close(derivative, velocity_target(data, noise))


def _scaled(std_C: torch.Tensor, time_B: torch.Tensor, ndim: int) -> torch.Tensor:
    data = torch.randn(len(time_B), len(std_C), *[256] * (ndim - 2), generator=_generator(1))
    return data * std_C.reshape(-1, *[1] * (ndim - 2))


def test_what_a_preconditioned_network_leaves_out_is_the_optimum_for_gaussian_channels() -> None:
    std_C, time_B = torch.tensor([3.0, 1.0, 0.02]), torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
    scales = precondition(time_B, std_C, 3)
    x = torch.randn(5, 3, 7, generator=_generator())
    for channel, std in enumerate(std_C):
        t, left = time_B[:, None], 1 - (1 - SIGMA_MIN) * time_B[:, None]
        best = (t * std**2 - (1 - SIGMA_MIN) * left) / (t**2 * std**2 + left**2) * x[:, channel]
        torch.testing.assert_close((scales.keep * x)[:, channel], best)


def test_a_preconditioned_network_sees_and_gives_unit_variance_at_every_time() -> None:
    std_C, time_B = torch.tensor([3.0, 1.0, 0.05]), torch.tensor([0.0, 0.05, 0.3, 0.7, 0.95, 1.0])
    data = _scaled(std_C, time_B, 4)
    noise = torch.randn(data.shape, generator=_generator(2))
    x = interpolate(data, noise, time_B)
    scales = precondition(time_B, std_C, 4)
    left = (velocity_target(data, noise) - scales.keep * x) / scales.out
    for values in (scales.unit * x, left):
        torch.testing.assert_close(values.square().mean(dim=(2, 3)), torch.ones(6, 3), atol=0.05, rtol=0)
    torch.testing.assert_close(scales.faint.square().mean(dim=(1, 2, 3)), torch.ones(6))


def test_channels_that_are_noise_still_are_faint_to_the_network() -> None:
    faint_C = precondition(torch.tensor([0.1]), torch.tensor([3.0, 0.05]), 2).faint[0]
    assert faint_C[0] > 1.3
    assert faint_C[1] < 0.3


def test_taking_all_back_leaves_the_velocity_towards_zero() -> None:
    std_C, time_B = torch.tensor([1.2, 1.0, 0.1]), torch.tensor([0.0, 0.2, 0.5, 0.7])
    x = torch.randn(4, 3, 7, generator=_generator())
    scales = precondition(time_B, std_C, 3)
    towards_zero = -(1 - SIGMA_MIN) * x / (1 - (1 - SIGMA_MIN) * time_B)[:, None, None]
    torch.testing.assert_close((scales.keep - scales.shrink) * x, towards_zero, atol=1e-3, rtol=1e-4)
    assert precondition(torch.tensor([1.0]), std_C, 3).shrink.isfinite().all()


def test_times_are_logit_normal_and_stratified() -> None:
    times = logit_normal_times(4096, _generator())
    logits = torch.logit(times.double())
    assert logits.mean().item() == pytest.approx(0, abs=1e-3)
    assert logits.std().item() == pytest.approx(1, abs=5e-3)
    quantiles = torch.special.ndtr(logits) * 4096
    assert torch.equal(quantiles.sort().values.floor().clamp(max=4095).long().unique(), torch.arange(4096))
    assert not torch.equal(times, times.sort().values)


def test_times_are_the_generators_alone() -> None:
    assert torch.equal(logit_normal_times(16, _generator(3)), logit_normal_times(16, _generator(3)))
    assert not torch.equal(logit_normal_times(16, _generator(3)), logit_normal_times(16, _generator(4)))


@pytest.mark.parametrize(
    ("emulated", "values"), [(1000, {25: 0.025, 40: 0.382, 49: 0.925}), (250, {25: 0.100, 40: 0.448, 49: 0.933})]
)
def test_the_linear_quadratic_schedule_has_its_published_values(emulated: int, values: dict[int, float]) -> None:
    times = linear_quadratic_schedule(50, emulated)
    for i, value in values.items():
        assert times[i].item() == pytest.approx(value, abs=5e-4)
    assert times[0] == 0
    assert times[50].item() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("steps", [1, 2, 3, 25, 50])
def test_the_linear_quadratic_schedule_is_mochis(steps: int) -> None:
    """Against Mochi's form of it (Apache-2.0): sigma = 1 - t from a quadratic with matched value and slope."""
    emulated, linear = 250, steps // 2
    quadratic_steps = steps - linear
    threshold = linear / emulated
    slope = (linear - threshold * steps) / (linear * quadratic_steps**2) if linear else None
    times = linear_quadratic_schedule(steps, emulated)
    for i in range(linear, steps + 1):
        if slope is not None:
            per_step = threshold / linear - 2 * slope * linear
            constant = slope * linear**2
            assert times[i].item() == pytest.approx(slope * i**2 + per_step * i + constant, abs=1e-12)
    assert (times.diff() > 0).all()


def test_emulating_as_many_steps_is_linear() -> None:
    torch.testing.assert_close(linear_quadratic_schedule(50, 50), linear_schedule(50))
    torch.testing.assert_close(schedule("linear-quadratic", 300), linear_schedule(300))
    assert torch.equal(schedule("linear", 4), torch.tensor([0, 0.25, 0.5, 0.75, 1], dtype=torch.float64))


def test_schedules_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        linear_schedule(0)
    with pytest.raises(ValueError, match="at most 10 steps"):
        linear_quadratic_schedule(20, 10)


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("midpoint", 2)])
def test_samplers_converge_at_their_order(method: str, order: int) -> None:
    """dx/dt = x cos(2 t): x(1) = x(0) exp(sin(2) / 2)."""
    x0 = torch.tensor([[1.0], [-2.0]], dtype=torch.float64)
    exact = x0 * math.exp(math.sin(2) / 2)
    errors = []
    for steps in (40, 80):
        end = sample(lambda x, t: x * torch.cos(2 * t)[:, None], x0, linear_schedule(steps), method)  # type: ignore[arg-type]
        errors.append((end - exact).abs().max().item())
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("method", ["euler", "midpoint"])
def test_a_straight_field_needs_one_step(method: str) -> None:
    data, noise = torch.randn(3, 5), torch.randn(3, 5)
    end = sample(lambda x, t: data - noise, noise, linear_schedule(1), method)  # type: ignore[arg-type]
    torch.testing.assert_close(end, data)


def test_the_trajectory_shows_every_step() -> None:
    states = list(trajectory(lambda x, t: torch.ones_like(x), torch.zeros(1, 1), linear_schedule(4)))
    assert [s.item() for s in states] == pytest.approx([0.25, 0.5, 0.75, 1])


def test_the_best_gaussian_model_is_the_regression_of_the_target() -> None:
    """At each time, least squares of the target on X_t finds the closed-form optimum."""
    generator = _generator(1)
    noise = torch.randn(200_000, generator=generator, dtype=torch.float64)
    data = MEAN + STD * torch.randn(200_000, generator=generator, dtype=torch.float64)
    for t in (0.1, 0.5, 0.9):
        x = interpolate(data, noise, torch.tensor([t]))
        target = velocity_target(data, noise)
        slope = torch.cov(torch.stack([x, target]))[0, 1] / x.var()
        line = target.mean() + slope * (torch.tensor([-1.0, 3.0], dtype=torch.float64) - x.mean())
        best = _optimum(torch.tensor([[-1.0], [3.0]], dtype=torch.float64), torch.full((2,), t, dtype=torch.float64))
        torch.testing.assert_close(line, best[:, 0], atol=0.02, rtol=0)


@pytest.mark.parametrize("name", ["linear", "linear-quadratic"])
def test_the_best_gaussian_model_samples_the_data(name: str) -> None:
    """The exact flow of the optimum is x0 -> t m + x0 sqrt(variance(t)): at t = 1, m + x0 sqrt(s^2 + sigma_min^2)."""
    x0 = torch.linspace(-3, 3, 13, dtype=torch.float64)[:, None]
    end = sample(_optimum, x0, schedule(name, 200), "midpoint")  # type: ignore[arg-type]
    torch.testing.assert_close(end, MEAN + STD * x0, atol=2e-3, rtol=0)


def test_guidance_extrapolates() -> None:
    conditional, unconditional = torch.tensor([2.0]), torch.tensor([1.0])
    assert guided(conditional, unconditional, 1) == conditional
    assert guided(conditional, unconditional, 0) == unconditional
    assert guided(conditional, unconditional, 3).item() == 4
