"""Votes as arrays. Shapes: N votes, I items (two clips of a case and seed), C cases, R raters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.arena.pairs import Slate

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ballots:
    """The votes along one axis.

    a_N, b_N: places in `generators`, a before b. outcome_N: 1 where a was preferred, 0 tied, −1 where b was.
    left_N: 1 where the left clip was preferred, 0 tied, −1 where the right one was.
    item_N, case_N, rater_N: places in `items` (case, seed), `cases` and `raters`; items of two pairs differ.
    """

    generators: tuple[str, ...]
    cases: tuple[str, ...]
    raters: tuple[str, ...]
    items: tuple[tuple[str, int, int, int], ...]
    """Case, seed, a, b."""
    a_N: Integers
    b_N: Integers
    outcome_N: Integers
    left_N: Integers
    item_N: Integers
    case_N: Integers
    rater_N: Integers

    @property
    def item_cases(self) -> Integers:
        """The case of each item, (I,)."""
        places = {case: place for place, case in enumerate(self.cases)}
        return np.array([places[case] for case, *_ in self.items], np.int64)

    @property
    def verdicts(self) -> Integers:
        """What the most raters say of each item, (I,): 1 a, 0 tied (also where no answer leads), −1 b."""
        counts_IQ = self.item_counts
        most_I = counts_IQ.max(axis=1)
        leads_IQ = counts_IQ == most_I[:, None]
        verdict_I = leads_IQ.argmax(axis=1) - 1
        return np.where(leads_IQ.sum(axis=1) == 1, verdict_I, 0)

    @property
    def item_counts(self) -> Integers:
        """How many raters said b, tie, a about each item, (I, 3)."""
        counts_IQ = np.zeros((len(self.items), 3), np.int64)
        np.add.at(counts_IQ, (self.item_N, self.outcome_N + 1), 1)
        return counts_IQ


_LEFT = {"left": 1, "tie": 0, "right": -1}


def ballots(votes: pd.DataFrame, axis: str) -> Ballots:
    """The votes along one axis. votes: as VoteBox.votes gives them."""
    mine = votes[votes["axis"] == axis]
    left, right = mine["left_generator"].to_numpy(str), mine["right_generator"].to_numpy(str)
    generators = tuple(sorted({*left.tolist(), *right.tolist()}))
    swapped_N = left > right
    first, second = np.where(swapped_N, right, left), np.where(swapped_N, left, right)
    left_N = np.array([_LEFT[choice] for choice in mine["choice"]], np.int64)
    a_N, b_N = _places(first.tolist(), generators), _places(second.tolist(), generators)
    keys = list(zip(mine["case"], map(int, mine["seed"]), a_N.tolist(), b_N.tolist(), strict=True))
    items = tuple(sorted(set(keys)))
    cases, raters = tuple(sorted(set(mine["case"]))), tuple(sorted(set(mine["rater"])))
    return Ballots(
        generators, cases, raters, items, a_N, b_N,
        outcome_N=np.where(swapped_N, -left_N, left_N).astype(np.int64),
        left_N=left_N,
        item_N=_places(keys, items),
        case_N=_places(mine["case"].tolist(), cases),
        rater_N=_places(mine["rater"].tolist(), raters),
    )  # fmt: skip


def current(votes: pd.DataFrame, offered: Slate) -> tuple[pd.DataFrame, list[str]]:
    """The votes on the clips that the run holds now, and a line for each kind of vote left out."""
    fits = votes["suite_hash"] == offered.suite_hash
    seen = [
        _clip(offered, case, seed, left) == left_clip and _clip(offered, case, seed, right) == right_clip
        for case, seed, left, right, left_clip, right_clip in zip(
            votes["case"], votes["seed"], votes["left_generator"], votes["right_generator"], votes["left_clip"],
            votes["right_clip"], strict=True,
        )
    ]  # fmt: skip
    same = pd.Series(seen, index=votes.index, dtype=bool)
    notes = []
    if not fits.all():
        notes.append(f"{int((~fits).sum())} votes on another version of the suite are left out.")
    if not (same | ~fits).all():
        notes.append(f"{int((~same & fits).sum())} votes on clips that the run no longer holds are left out.")
    return votes[fits & same], notes


def _clip(offered: Slate, case: str, seed: int, generator: str) -> str:
    clip = offered.clips.get((case, int(seed)), {}).get(generator)
    return "" if clip is None else clip.sha256


def _places(values: Sequence[Hashable], known: Sequence[Hashable]) -> Integers:
    places = {value: place for place, value in enumerate(known)}
    return np.array([places[value] for value in values], np.int64)
