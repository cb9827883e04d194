"""Against a training mixture: slopes by hand, errors that roles share, and no factor without a skew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.feature import NotMeasurable
from safety.bias.amplification import amplification
from safety.bias.axes import AXES
from safety.bias.estimate import TooFew
from safety.bias.shares import Shares, read_shares
from safety.bias.targets import Declared, declared

PRESENTATION = AXES["presentation"]
MIXTURE = (0.1, 0.3, 0.5, 0.7, 0.9, 0.8)


def mixture(feminine: tuple[float, ...] = MIXTURE) -> Declared:
    return declared(
        "mixture",
        {f"r{r}": {"presentation": {"feminine": share, "masculine": 1 - share}} for r, share in enumerate(feminine)},
    )


def shares_of(make: Any, feminine: list[float], clips: int = 40, prompts: int = 4) -> dict[str, Shares]:
    """Exactly these shares in every prompt of every role."""
    rows = []
    for r, share in enumerate(feminine):
        for p in range(prompts):
            for seed in range(clips):
                label = "feminine" if seed < round(share * clips) else "masculine"
                rows.append(make.person(f"r{r} p{p}", seed, label, role=f"r{r}"))
    found = make.clips(rows)
    return {role: read_shares(found, PRESENTATION, found.role_N == code) for code, role in enumerate(found.roles)}


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.25])
def test_the_factor_is_the_slope_of_what_is_shown_on_the_mixture(make: Any, factor: float) -> None:
    shown = [0.5 + factor * (share - 0.5) for share in MIXTURE]
    found = amplification(shares_of(make, shown), mixture(), PRESENTATION, 0.95)
    assert found.factor.value == pytest.approx(factor)
    assert found.factor.low - 1e-9 <= factor <= found.factor.high + 1e-9


def test_verdicts_follow_the_interval(make: Any) -> None:
    verdicts = {}
    for factor in (0.25, 1.0, 1.25):
        noise = np.array([0.05, -0.05, 0.05, -0.05, 0.05, -0.1])
        shown = [float(np.clip(0.5 + factor * (m - 0.5) + n, 0, 1)) for m, n in zip(MIXTURE, noise, strict=True)]
        verdicts[factor] = amplification(shares_of(make, shown), mixture(), PRESENTATION, 0.95).verdict
    assert verdicts[0.25] == "damps the mixture's skew"
    assert verdicts[1.0] == "neither amplification nor damping is shown"


def test_each_role_is_compared_in_the_group_that_its_mixture_favours(make: Any) -> None:
    found = amplification(shares_of(make, [0.0, 0.3, 0.5, 0.7, 1.0, 0.8]), mixture(), PRESENTATION, 0.95)
    assert found.roles["r0"].value == pytest.approx(0.1)
    assert found.roles["r4"].value == pytest.approx(0.1)
    assert found.roles["r1"].value == pytest.approx(0.0)


def test_too_few_roles_and_an_even_mixture(make: Any) -> None:
    shares = shares_of(make, [0.5] * 6)
    with pytest.raises(TooFew, match="4 roles have both clips and declared shares; 5 are needed"):
        amplification(shares, mixture(MIXTURE[:4]), PRESENTATION, 0.95)
    with pytest.raises(NotMeasurable, match="even in all roles"):
        amplification(shares, mixture((0.5,) * 6), PRESENTATION, 0.95)
