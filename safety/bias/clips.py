"""The canonical view of one system's table: clips, their prompts, and what was read of the people in them.

The unit is the clip, clustered by prompt. A clip with several people counts once: each of its people has an equal part
of it, so that a crowd is one clip and not forty.

Shapes: R rows (a person in a clip, or a clip without one), N clips, G clusters, S strata, X what a reader may say of an
axis (its K groups, then everything else: unknown or nobody), M columns that are summed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from safety.bias.axes import AXES, LABELLED, NOBODY, UNKNOWN, Axis
from safety.bias.columns import CLIP_KEY, COLUMNS
from safety.bias.table import AuditTable

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NUMBERS = tuple(column.name for column in COLUMNS.values() if column.kind == "number")
OUTCOMES = COLUMNS["outcome"].values
_TEXT = tuple(column.name for column in COLUMNS.values() if column.kind == "text")


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Integer codes index the tuples beside them; -1: none.

    cluster_N: the prompt, or for counterfactual prompts their set: what of one cluster is correlated.
    stated_N: per axis, the group that the prompt states. labels_R: per axis, the group read; K: unknown; -1: nobody
    there or not read. annotated_R: per axis, the annotator's; K: unknown or nobody; -1: no label.
    numbers_R: per number column, NaN where empty. share_R: the row's part of its clip, 1 / people in it.
    """

    clip_R: Integers
    share_R: Floats
    labels_R: Mapping[str, Integers]
    annotated_R: Mapping[str, Integers]
    numbers_R: Mapping[str, Floats]
    outcome_N: Integers
    cluster_N: Integers
    prompt_N: Integers
    role_N: Integers
    set_N: Integers
    seed_N: Integers
    stratum_N: Integers
    stated_N: Mapping[str, Integers]
    clusters: tuple[str, ...]
    prompts: tuple[str, ...]
    roles: tuple[str, ...]
    sets: tuple[str, ...]
    strata: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.outcome_N)

    @property
    def seen(self) -> Flags:
        """Clips with a visible person: bool N."""
        return np.asarray(self.outcome_N == OUTCOMES.index("person"))

    @property
    def made(self) -> Flags:
        """Clips that can be looked at, with a person or without: bool N."""
        return self.outcome_N <= OUTCOMES.index("no visible person")

    @property
    def neutral(self) -> Flags:
        """Clips whose prompt states no attribute at all: bool N."""
        stated = np.stack(list(self.stated_N.values())) >= 0
        return np.asarray(~stated.any(axis=0))

    def reads(self, axis: Axis) -> bool:
        """Whether this axis was read at all."""
        return bool((self.labels_R[axis.name] >= 0).any())


def clips_of(table: AuditTable) -> Clips:
    """The view of a table that holds one system. Raises ValueError for several: audit them one by one."""
    text = {name: table.frame[name].to_numpy(dtype=object) for name in _TEXT}
    systems = set(zip(text["system"], text["version"], strict=True))
    if len(systems) != 1:
        raise ValueError(f"a view is of one system, not of {len(systems)}: take table.of(system, version)")
    keys = zip(*(table.frame[name].to_numpy(dtype=object) for name in CLIP_KEY), strict=True)
    clip_R, _ = _numbered(keys)
    first_N = np.unique(clip_R, return_index=True)[1]
    head = {name: values[first_N] for name, values in text.items()}
    prompt_N, prompts = _numbered(head["prompt_id"])
    set_N, sets = _numbered(head["counterfactual_set"])
    role_N, roles = _numbered(head["role"])
    stratum_N, strata = _numbered("" if pd.isna(name) else name for name in head["stratum"])
    cluster_N, clusters = _clusters(prompt_N, prompts, set_N, sets)
    monk_R = table.frame["monk"].to_numpy(dtype="float64", na_value=np.nan)
    labels_R = {axis: _among(text[axis], (*AXES[axis].groups, UNKNOWN)) for axis in LABELLED}
    return Clips(
        clip_R=clip_R,
        share_R=1.0 / np.bincount(clip_R)[clip_R],
        labels_R={**labels_R, "monk": _steps(monk_R, text["outcome"] == "person")},
        annotated_R=_annotations(text, table.frame["in_validation"].to_numpy()),
        numbers_R={name: table.frame[name].to_numpy() for name in NUMBERS},
        outcome_N=_among(head["outcome"], OUTCOMES),
        cluster_N=cluster_N,
        prompt_N=prompt_N,
        role_N=role_N,
        set_N=set_N,
        seed_N=table.frame["seed"].to_numpy(dtype=np.int64)[first_N],
        stratum_N=stratum_N,
        stated_N={axis: _among(head[f"stated_{axis}"], AXES[axis].groups) for axis in LABELLED},
        clusters=clusters,
        prompts=prompts,
        roles=roles,
        sets=sets,
        strata=strata,
    )


def by_clip(clips: Clips, keep_N: Flags) -> Clips:
    """The same with every kept clip a cluster of its own: for claims about one prompt, over its seeds."""
    cluster_N = clips.cluster_N.copy()
    kept = np.flatnonzero(keep_N)
    cluster_N[kept] = len(clips.clusters) + np.arange(len(kept))
    names = tuple(f"{clips.prompts[clips.prompt_N[n]]}, seed {clips.seed_N[n]}" for n in kept)
    return replace(clips, cluster_N=cluster_N, clusters=(*clips.clusters, *names))


def readings(clips: Clips, axis: Axis) -> Floats:
    """What was read of each clip, readings_NX: its people by label; rows sum to 1, or to 0 where no clip was made."""
    said_R = said(clips, axis)
    x = len(axis.groups) + 1
    flat = np.bincount(clips.clip_R * x + said_R, weights=clips.share_R, minlength=len(clips) * x)
    return np.where(clips.made[:, None], flat.reshape(len(clips), x), 0.0)


def said(clips: Clips, axis: Axis) -> Integers:
    """What the reader says of each row, said_R: a group, or K for everything else."""
    labels_R = clips.labels_R[axis.name]
    return np.where(labels_R < 0, len(axis.groups), labels_R)


def sums(clips: Clips, values_NM: Floats, keep_N: Flags) -> Floats:
    """Sums of values over the kept clips by cluster and stratum, sums_GSM."""
    shape = (len(clips.clusters), len(clips.strata), values_NM.shape[1])
    place_N = clips.cluster_N * shape[1] + clips.stratum_N
    flat = np.zeros((shape[0] * shape[1], shape[2]))
    np.add.at(flat, place_N[keep_N], values_NM[keep_N])
    return flat.reshape(shape)


def numbers(clips: Clips, column: str) -> Floats:
    """A number column by clip, numbers_N: the mean over the clip's people who have one, NaN where nobody has."""
    values_R = clips.numbers_R[column]
    known_R = ~np.isnan(values_R)
    count_N = np.bincount(clips.clip_R[known_R], minlength=len(clips))
    total_N = np.bincount(clips.clip_R[known_R], weights=values_R[known_R], minlength=len(clips))
    return np.where(count_N > 0, total_N / np.maximum(count_N, 1), np.nan)


def _numbered(values: Iterable[Any]) -> tuple[Integers, tuple[str, ...]]:
    """Values numbered as they first appear, and what they are; -1: empty."""
    seen: dict[Any, int] = {}
    codes = [-1 if value is pd.NA else seen.setdefault(value, len(seen)) for value in values]
    return np.array(codes, np.int64), tuple(map(str, seen))


def _among(values: npt.NDArray[Any], names: tuple[str, ...]) -> Integers:
    """The place of each value in names; -1: empty."""
    place = {name: code for code, name in enumerate(names)}
    return np.array([place.get(value, -1) for value in values], np.int64)


def _steps(monk_R: Floats, person_R: npt.NDArray[np.bool_]) -> Integers:
    """Codes of Monk steps; K for a person without one, -1 where nobody is there or the scale was not read."""
    read_R = person_R.astype(np.bool_) & bool((~np.isnan(monk_R)).any())
    return np.where(np.isnan(monk_R), np.where(read_R, 10, -1), np.nan_to_num(monk_R) - 1).astype(np.int64)


def _annotations(text: Mapping[str, npt.NDArray[Any]], drawn_R: Flags) -> dict[str, Integers]:
    """Codes of the annotators' labels: K for unknown and nobody alike. Only rows drawn for validation count."""
    codes = {"monk": np.full(len(drawn_R), -1, np.int64)}
    for axis in LABELLED:
        found_R = _among(text[f"annotator_{axis}"], (*AXES[axis].groups, UNKNOWN, NOBODY))
        codes[axis] = np.where(drawn_R, np.minimum(found_R, len(AXES[axis].groups)), -1)
    return codes


def _clusters(
    prompt_N: Integers, prompts: tuple[str, ...], set_N: Integers, sets: tuple[str, ...]
) -> tuple[Integers, tuple[str, ...]]:
    raw_N = np.where(set_N >= 0, len(prompts) + set_N, prompt_N)
    used, cluster_N = np.unique(raw_N, return_inverse=True)
    names = (*prompts, *(f"set {name}" for name in sets))
    return cluster_N.astype(np.int64), tuple(names[code] for code in used)
