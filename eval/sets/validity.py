"""Which sets of features can be measured at all.

Shape legend: N samples, D dimensions.
"""

from __future__ import annotations

import torch

from eval.errors import UserError
from eval.feature import NotMeasurable


class UnmeasurableSet(NotMeasurable, UserError):
    """A set that has no such number. The message is one line: which set, why, and what to do where something helps."""


BLOCK = 2048
"""Samples that are made float64 at once."""

SAME = 1e-20
"""Squared distance over squared length below which vectors are copies: 1e-10, a thousandth of float32's step."""


def check_features(features_ND: torch.Tensor, dimensions: int, which: str) -> None:
    """Refuse features of another width, and NaN or infinite ones. `which`: "real" or "generated"."""
    if features_ND.ndim != 2 or not features_ND.is_floating_point():
        raise ValueError(f"features must be floating point N,D; got {features_ND.dtype} {tuple(features_ND.shape)}")
    if features_ND.shape[1] != dimensions:
        raise UnmeasurableSet(
            f"{which} features have {features_ND.shape[1]} dimensions, not {dimensions}: use one encoder for both sets"
        )
    broken = sum(int((~torch.isfinite(rows_ND)).any(dim=1).sum()) for rows_ND in torch.split(features_ND, BLOCK))
    if broken:
        raise UnmeasurableSet(
            f"{broken} of {len(features_ND)} {which} features are NaN or infinite: find these clips, mend or drop them"
        )


def check_count(count: int, fewest: int, which: str, purpose: str) -> None:
    """Refuse a set of fewer than `fewest` samples."""
    if count < fewest:
        held = "is empty" if count == 0 else f"holds {count} clip{'s' if count > 1 else ''}"
        raise UnmeasurableSet(f"the {which} set {held}: {purpose} needs at least {fewest}")


def check_differ(squared_distance: float, squared_length: float, count: int, which: str) -> None:
    """Refuse `count` copies of one clip, by how far apart their features are and how long."""
    if squared_distance <= SAME * squared_length:
        raise UnmeasurableSet(
            f"all {count} {which} clips have the same features: is one clip copied, or its seed ignored?"
        )


def check_sets(real_ND: torch.Tensor, generated_MD: torch.Tensor, fewest: int, purpose: str) -> None:
    """All of the above, for two sets whose features are at hand."""
    for features_ND, which in ((real_ND, "real"), (generated_MD, "generated")):
        check_features(features_ND, real_ND.shape[-1], which)
        check_count(len(features_ND), fewest, which, purpose)
        first_D = features_ND[0].to(torch.float64)
        check_differ(furthest(features_ND, first_D), float(first_D.square().sum()), len(features_ND), which)


def furthest(features_ND: torch.Tensor, centre_D: torch.Tensor) -> float:
    """Largest squared distance from the centre, without a float64 copy of the set."""
    blocks = torch.split(features_ND, BLOCK)
    return max(float((rows_ND.to(torch.float64) - centre_D).square().sum(dim=1).amax()) for rows_ND in blocks)
