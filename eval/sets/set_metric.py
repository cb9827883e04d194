"""The two kinds of set metric, as torchmetrics.Metric: one keeps moments, the other the features.

Shape legend: N samples, D dimensions, E = D + 1, G groups of samples, W processes.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torchmetrics import Metric as TorchMetric
from torchmetrics.utilities import rank_zero_warn
from torchmetrics.utilities.data import dim_zero_cat

from eval.sets import moments
from eval.sets.estimate import SetEstimate
from eval.sets.groups import group_of
from eval.sets.validity import UnmeasurableSet, check_features


class SetMetric(TorchMetric):
    """A number about all that was seen, synchronised across processes.

    `estimate()` gives the number, its interval and whether it may be ranked, or raises UnmeasurableSet with the reason.
    `compute()` is for a training loop's log: the number as float64, or NaN with a warning where it must not be ranked.
    """

    full_state_update = False
    is_differentiable = False

    @abstractmethod
    def measure(self) -> SetEstimate:
        """The estimate from the states as they are; raises UnmeasurableSet."""

    def estimate(self) -> SetEstimate:
        """The number with its interval, over all processes; every process must call it. Raises UnmeasurableSet."""
        with self.sync_context(
            dist_sync_fn=self.dist_sync_fn, should_sync=self._to_sync, should_unsync=self._should_unsync
        ):
            outcome = self._outcome()
        if isinstance(outcome, UnmeasurableSet):
            raise outcome
        return outcome

    def compute(self) -> torch.Tensor:
        """The number where it may be ranked, NaN otherwise."""
        outcome = self._outcome()
        if isinstance(outcome, SetEstimate) and outcome.ranks:
            return torch.tensor(outcome.value, dtype=torch.float64, device=self.device)
        rank_zero_warn(f"{type(self).__name__}: {outcome}", UserWarning)
        return torch.tensor(torch.nan, dtype=torch.float64, device=self.device)

    def _outcome(self) -> SetEstimate | UnmeasurableSet:
        """Raising nothing: an exception inside sync_context would leave the states of all processes in this one."""
        try:
            return self.measure()
        except UnmeasurableSet as reason:
            return reason


class MomentMetric(SetMetric):
    """Keeps the moments of both sets, in groups: 2 G (D + 1)² float64 whatever N (94 MB for 10 groups of 768).

    dimensions: of the features, known beforehand so that all processes hold states of one shape.
    groups: what an interval leaves out, one at a time. seed: of the hash that deals samples out to groups.
    """

    real_GEE: torch.Tensor
    generated_GEE: torch.Tensor

    def __init__(self, dimensions: int, groups: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dimensions, self.groups, self.seed = dimensions, groups, seed
        for name in ("real_GEE", "generated_GEE"):
            empty_GEE = moments.no_moments(dimensions).expand(groups, -1, -1).clone()
            self.add_state(name, empty_GEE, dist_reduce_fx=_merge_processes)

    def update(self, features_ND: torch.Tensor, real: bool, cases_N: torch.Tensor | None = None) -> None:
        """Add samples of the real or the generated set.

        cases_N: integers; samples of one case share a prompt and are left out together. Without, each stands alone.
        Raises UnmeasurableSet for NaN, infinity or another width, before anything is added.
        """
        check_features(features_ND, self.dimensions, "real" if real else "generated")
        state_GEE = self.real_GEE if real else self.generated_GEE
        group_N = group_of(features_ND, self.groups, self.seed, cases_N)
        for group in sorted(set(group_N.tolist())):
            moments.absorb(state_GEE[group], features_ND[group_N == group].to(state_GEE.device))


class FeatureMetric(SetMetric):
    """Keeps the features of both sets in float32, for measures that need all pairs: 4 N (D + 1) bytes for each.

    The arguments are those of MomentMetric.
    """

    real: list[torch.Tensor] | torch.Tensor
    generated: list[torch.Tensor] | torch.Tensor

    def __init__(self, dimensions: int, groups: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dimensions, self.groups, self.seed = dimensions, groups, seed
        self.add_state("real", [], dist_reduce_fx="cat")
        self.add_state("generated", [], dist_reduce_fx="cat")

    def update(self, features_ND: torch.Tensor, real: bool, cases_N: torch.Tensor | None = None) -> None:
        """As MomentMetric's."""
        check_features(features_ND, self.dimensions, "real" if real else "generated")
        group_N1 = group_of(features_ND, self.groups, self.seed, cases_N)[:, None]
        rows_NE = torch.cat([group_N1.to(features_ND.device, torch.float32), features_ND.to(torch.float32)], dim=1)
        state = self.real if real else self.generated
        assert isinstance(state, list)
        # Flat: torchmetrics fills in a flat tensor for a process that has seen nothing, and gathers one rank of tensor.
        state.append(rows_NE.to(self.device).flatten())

    def features(self, real: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """(features_ND float32, groups_N int64) of one of the sets."""
        state = self.real if real else self.generated
        flat = dim_zero_cat(state) if len(state) else torch.zeros(0, device=self.device)
        rows_NE = flat.view(-1, self.dimensions + 1)
        return rows_NE[:, 1:], rows_NE[:, 0].to(torch.int64)


def _merge_processes(moments_WGEE: torch.Tensor) -> torch.Tensor:
    return torch.stack([moments.merged(moments_WEE) for moments_WEE in moments_WGEE.unbind(dim=1)])
