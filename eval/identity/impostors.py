"""Impostors: how like a portrait other people of the same group are, by pack.

A cosine means nothing by itself, and impostors within a group are more alike than across groups: thresholds and
percentiles come from people of the portrait's own group, measured with the pack that is used.

Shape legend: P people, D numbers of an embedding, F pictures of one person, Q levels of a distribution.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.cache import write_atomically
from eval.encoders.folder import weights_folder
from eval.faces.packs import SHIPPED, weights_sha256
from eval.feature import NotMeasurable
from eval.identity.portraits import presentation_of
from eval.weights import FOLDER

Floats = npt.NDArray[np.floating]

FORMAT = "moviegen-impostors-1"
FAR = 1e-3
"""False-accept rate of the threshold, where the pairs are enough for it."""
LEAST_ACCEPTED = 30
"""Pairs that must lie above a threshold before its rate is known to about 30% ("rule of 30", Doddington 1998)."""
LEAST_PEOPLE = 10
"""A group with fewer people is not calibrated."""
EVERYBODY = "everybody"
"""The group of all people, for portraits of whose group too little is known."""
DRAWS = 500

_PARTS = ((100, 0), (1000, 990), (10_000, 9990))
LEVELS_Q = np.unique([round(n / parts, 4) for parts, first in _PARTS for n in range(first, parts + 1)])
"""Of the stored quantiles: percents, and finer where thresholds lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """One person of a calibration: group as eval.identity.portraits reads it, the portrait's embedding and those of
    other pictures, all of unit length.
    """

    group: str
    portrait_D: Floats
    pictures_FD: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Impostors:
    """What impostors of one group reach.

    threshold: cosine above which an impostor's picture lies with rate `far`. cosines_Q: quantiles of the impostors'
    cosines at LEVELS_Q.
    """

    group: str
    threshold: float
    far: float
    cosines_Q: npt.NDArray[np.float64]

    @property
    def usual(self) -> float:
        """The cosine that one impostor in twenty exceeds: faces below it are strangers'."""
        return float(np.interp(0.95, LEVELS_Q, self.cosines_Q))


def calibration_path(pack: str) -> Path:
    """Where the calibration of a pack lies: beside the shipped weights, or in the user's weights folder."""
    return (FOLDER if pack == SHIPPED else weights_folder().path) / f"{pack}-impostors.json"


def impostors(pack: str, group: str) -> Impostors:
    """Impostors of a group ("feminine 4-6"), else of its presentation, else of everybody.

    Raises NotMeasurable in one line with the command that makes a calibration: there is none, it is damaged, or it was
    made with other weights.
    """
    path = calibration_path(pack)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        raise NotMeasurable(f"{pack} has no calibration on impostors: {_remedy(pack)}") from None
    groups = _read(path, stamp, pack, weights_sha256(pack))
    if isinstance(groups, str):
        raise NotMeasurable(groups)
    return next(groups[name] for name in (group, presentation_of(group), EVERYBODY) if name in groups)


def _remedy(pack: str) -> str:
    if pack == SHIPPED:
        return "make it with `python -m moviegen.training.faces_impostors`"
    return f"make one with `python -m eval.identity.calibrate {pack} FOLDER`"


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int, pack: str, sha256: str) -> Mapping[str, Impostors] | str:
    """Group → impostors, or why they cannot be used."""
    try:
        stored = json.loads(path.read_bytes())
        if stored["format"] != FORMAT or stored["pack_sha256"] != sha256:
            return f"{path.name} was made with other weights of {pack}: {_remedy(pack)}"
        groups = {name: _group(name, facts, stored["levels"]) for name, facts in stored["groups"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{path.name} is damaged ({type(error).__name__}): {_remedy(pack)}"
    return groups if EVERYBODY in groups else f"{path.name} is damaged (nobody in it): {_remedy(pack)}"


def _group(name: str, facts: Mapping[str, Any], levels: Sequence[float]) -> Impostors:
    cosines_Q = np.array(facts["cosines"], np.float64)
    if len(levels) != len(LEVELS_Q) or cosines_Q.shape != LEVELS_Q.shape or not np.isfinite(cosines_Q).all():
        raise ValueError("not the levels of this version")
    return Impostors(name, float(facts["threshold"]), float(facts["far"]), cosines_Q)


def calibration(people: Sequence[Known], pack: str, made_by: str, seed: int = 0) -> dict[str, Any]:
    """What is stored of these people: thresholds, rates and quantiles of every group of at least LEAST_PEOPLE.

    Impostor pairs are one's portrait and another's picture, both of one group; of groups with only the presentation,
    and of everybody, the pairs are those of all their people. Raises NotMeasurable for fewer than LEAST_PEOPLE.
    """
    if len(people) < LEAST_PEOPLE:
        raise NotMeasurable(f"{len(people)} people with a portrait and another picture: {LEAST_PEOPLE} are needed")
    names = sorted({name for known in people for name in (known.group, presentation_of(known.group)) if name})
    members = {name: [p for p in people if name in (p.group, presentation_of(p.group))] for name in names}
    members = {name: them for name, them in members.items() if len(them) >= LEAST_PEOPLE} | {EVERYBODY: list(people)}
    random = np.random.default_rng(seed)
    return {
        "format": FORMAT,
        "pack": pack,
        "pack_sha256": weights_sha256(pack),
        "made_by": made_by,
        "people": len(people),
        "levels": [round(float(level), 6) for level in LEVELS_Q],
        "groups": {name: _facts(them, random) for name, them in members.items()},
        "columns": "pairs: one's portrait and another's picture. threshold: cosine that pairs exceed with rate far, "
        f"which is {FAR:g} or what {LEAST_ACCEPTED} pairs above it support. far_interval: 95%, people resampled. tar: "
        "genuine pairs above the threshold. cosines: quantiles of impostors' cosines at `levels`",
    }


def write_calibration(content: Mapping[str, Any], path: Path) -> None:
    """Write a calibration where `impostors` finds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(content, ensure_ascii=False) + "\n").encode())


def _facts(people: Sequence[Known], random: np.random.Generator) -> dict[str, Any]:
    # The portrait of one person with every picture of every other, by pair of people.
    cosines = [[known.pictures_FD @ other.portrait_D for known in people] for other in people]
    false_N = np.concatenate([c for i, row in enumerate(cosines) for j, c in enumerate(row) if i != j])
    true_N = np.concatenate([cosines[i][i] for i in range(len(people))])
    far = max(FAR, LEAST_ACCEPTED / len(false_N))
    threshold = float(np.quantile(false_N, 1 - far, method="higher"))
    accepted_PP = np.array([[np.count_nonzero(c > threshold) for c in row] for row in cosines], np.float64)
    counts_P = np.array([len(known.pictures_FD) for known in people], np.float64)
    low, high = _far_interval(accepted_PP, counts_P, random)
    return {
        "people": len(people),
        "pairs": len(false_N),
        "far": round(far, 6),
        "far_interval": [round(low, 6), round(high, 6)],
        "threshold": round(threshold, 4),
        "tar": round(float((true_N > threshold).mean()), 4),
        "cosine": {"same": round(float(true_N.mean()), 4), "others": round(float(false_N.mean()), 4)},
        "cosines": [round(float(value), 4) for value in np.quantile(false_N, LEVELS_Q)],
    }


def _far_interval(accepted_PP: Floats, counts_P: Floats, random: np.random.Generator) -> tuple[float, float]:
    """95% interval of the false-accept rate: people are drawn anew, since pairs share them."""
    others_PP = 1.0 - np.eye(len(counts_P))
    rates = []
    for _ in range(DRAWS):
        times_P = np.bincount(random.integers(0, len(counts_P), len(counts_P)), minlength=len(counts_P))
        weights_PP = np.outer(times_P, times_P) * others_PP
        pairs = float((weights_PP * counts_P[None]).sum())
        rates.append(float((weights_PP * accepted_PP).sum()) / pairs if pairs else 0.0)
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)
