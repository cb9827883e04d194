"""Logistic regression with an L2 penalty, for few samples of many numbers. Deterministic.

Shape legend: N samples, D numbers, R = at most min(N, D) dimensions that the standardised samples span.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STEPS = 40
_CLOSE = 1e-7
_CONSTANT = 1e-9
"""Numbers that vary less than this share of their size are constant, and not used."""


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted classifier. weights_D: of standardised numbers, so that their sizes compare."""

    mean_D: Floats
    scale_D: Floats
    weights_D: Floats
    intercept: float

    def probability(self, values_ND: Floats) -> Floats:
        """Probability of the first class, were both classes equally frequent."""
        z_N = (values_ND - self.mean_D) / self.scale_D @ self.weights_D + self.intercept
        return np.asarray(special.expit(z_N), np.float64)


class Trainer:
    """Fits one set of samples to several labellings: standardising and rotating is done once.

    The penalty is a prior: it gives the log odds of a standardised sample a standard deviation of 2 before any data, so
    that it weighs less the more samples there are, and more the more numbers there are per sample.
    """

    def __init__(self, values_ND: Floats) -> None:
        self._mean_D = values_ND.mean(axis=0)
        spread_D = values_ND.std(axis=0)
        self._varies_D = spread_D > _CONSTANT * (1 + np.abs(self._mean_D))
        self._scale_D = np.where(self._varies_D, spread_D, 1.0)
        standard_ND = (values_ND - self._mean_D) / self._scale_D * self._varies_D
        left_NR, size_R, right_RD = np.linalg.svd(standard_ND, full_matrices=False)
        self._rotated_NR, self._axes_RD = left_NR * size_R, right_RD
        self._penalty = max(1.0, float(self._varies_D.sum()) / 4)

    def fit(self, first_N: Flags) -> Model:
        """The classifier of samples where `first_N` against the others, both classes weighted alike."""
        weights_R, intercept = _newton(self._rotated_NR, first_N, self._penalty)
        return Model(self._mean_D, self._scale_D, (weights_R @ self._axes_RD) * self._varies_D, intercept)


def _newton(samples_NR: Floats, first_N: Flags, penalty: float) -> tuple[Floats, float]:
    """Minimise sum of w log(1 + exp(-y z)) + penalty / 2 |weights|² with steps that never go uphill."""
    count, width = samples_NR.shape
    share = float(first_N.mean())
    weight_N = np.where(first_N, 0.5 / max(share, 1 / count), 0.5 / max(1 - share, 1 / count))
    design_NE = np.concatenate([samples_NR, np.ones((count, 1))], axis=1)
    ridge_E = np.append(np.full(width, penalty), 1e-6)
    sign_N = np.where(first_N, 1.0, -1.0)

    def loss(beta_E: Floats) -> float:
        margins_N = sign_N * (design_NE @ beta_E)
        return float((weight_N * np.logaddexp(0, -margins_N)).sum() + 0.5 * (ridge_E * beta_E**2).sum())

    beta_E = np.zeros(width + 1)
    before = loss(beta_E)
    for _ in range(STEPS):
        probability_N = special.expit(design_NE @ beta_E)
        slope_E = design_NE.T @ (weight_N * (probability_N - first_N)) + ridge_E * beta_E
        curve_N = weight_N * probability_N * (1 - probability_N)
        step_E = np.linalg.solve((design_NE * curve_N[:, None]).T @ design_NE + np.diag(ridge_E), slope_E)
        size = 1.0
        while (after := loss(beta_E - size * step_E)) > before and size > _CLOSE:
            size /= 2
        beta_E = beta_E - size * step_E
        if before - after <= _CLOSE * (1 + before):
            break
        before = after
    return beta_E[:-1], float(beta_E[-1])
