"""The power-function average against its closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from moviegen.training.ema import gamma_of, update


@pytest.mark.parametrize(("width", "gamma"), [(0.05, 16.97), (0.10, 6.94)])
def test_published_exponents(width: float, gamma: float) -> None:
    assert gamma_of(width) == pytest.approx(gamma, abs=0.01)


def test_widths_that_no_exponent_has_are_refused() -> None:
    for width in (0.0, 0.29, 1.0):
        with pytest.raises(ValueError, match="a share of the run"):
            gamma_of(width)


def test_weights_fall_off_as_a_power_of_time() -> None:
    """The average of w_t = t approaches T (gamma + 1) / (gamma + 2)."""
    gamma, steps = 6.94, 2000
    model, average = nn.Linear(1, 1).double(), nn.Linear(1, 1).double().requires_grad_(False)
    for step in range(1, steps + 1):
        nn.init.constant_(model.weight, step)
        update(average, model, step, gamma)
    assert average.weight.item() == pytest.approx(steps * (gamma + 1) / (gamma + 2), rel=1e-3)


def test_the_first_step_is_the_model() -> None:
    model, average = nn.Linear(3, 3), nn.Linear(3, 3).requires_grad_(False)
    update(average, model, 1, 6.94)
    assert torch.equal(average.weight, model.weight)
