"""Small long tables with known contents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from safety.bias.clips import Clips, clips_of
from safety.bias.table import AuditTable, audit_table
from safety.bias.worlds import Design, Reader, Shown, Simulated

Row = dict[str, Any]


def person(prompt: str, seed: int, presentation: str | None = "feminine", track: int = 0, **more: Any) -> Row:
    """One person in one clip."""
    row = {"system": "s", "version": "1", "prompt_id": prompt, "seed": seed, "outcome": "person", "track_id": track}
    return {**row, "presentation": presentation, **more}


def without_person(prompt: str, seed: int, outcome: str = "no visible person", **more: Any) -> Row:
    """One clip in which nobody is seen."""
    return {"system": "s", "version": "1", "prompt_id": prompt, "seed": seed, "outcome": outcome, **more}


def shown(counts: list[tuple[int, int]]) -> list[Row]:
    """One prompt per entry: so many feminine and so many masculine people, one to a clip."""
    rows = []
    for number, (feminine, masculine) in enumerate(counts):
        labels = ["feminine"] * feminine + ["masculine"] * masculine
        rows += [person(f"p{number}", seed, label) for seed, label in enumerate(labels)]
    return rows


def clips(rows: list[Row]) -> Clips:
    return clips_of(audit_table(pd.DataFrame(rows)))


@pytest.fixture
def make() -> Any:
    """The builders above, for tests that may not import from here."""

    class Make:
        person = staticmethod(person)
        without_person = staticmethod(without_person)
        shown = staticmethod(shown)
        clips = staticmethod(clips)

    return Make


@pytest.fixture
def read_people() -> Callable[..., AuditTable]:
    """read_people(generator, prompts, clips, share, correlation, sensitivity, specificity, labelled) -> a table.

    A share of people is feminine, of whom a reader tells `sensitivity`; of masculine ones it tells `specificity`. One
    role and one person to a clip; nothing is lost.
    """

    def sample(
        generator: np.random.Generator,
        prompts: int,
        clips: int,
        share: float,
        correlation: float = 0.0,
        sensitivity: float = 1.0,
        specificity: float = 1.0,
        labelled: float = 0.0,
    ) -> AuditTable:
        said = np.array([[specificity, 1 - specificity, 0], [1 - sensitivity, sensitivity, 0]])
        reader = Reader(np.stack([said, said]), missed_K=(0.0, 0.0, 0.0))
        shown_share, thirds = np.full(prompts, share), np.full(prompts, 1 / 3)
        people = Shown(shown_share, thirds, correlation, nobody=0.0, failed=0.0, missing=0.0, crowd=0.0)
        design = Design(roles=1, templates=prompts, seeds=clips, sets=0, labelled=labelled)
        return Simulated("test", "", (0.0,), lambda *_: (people, reader, None), design).sample(0.0, generator).table

    return sample
