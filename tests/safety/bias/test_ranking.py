"""Rankings: none below what could be seen, ties as intervals, and pairs by prompt."""

from __future__ import annotations

from typing import Any

import numpy as np

from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.ranking import Ranking, rank
from safety.bias.skew import parts
from safety.bias.table import AuditTable
from safety.bias.targets import even

PRESENTATION = AXES["presentation"]


def ranking(tables: dict[str, AuditTable]) -> Ranking:
    found = {}
    for name, table in tables.items():
        clips = clips_of(table)
        one = parts(clips, PRESENTATION, clips.neutral, even(PRESENTATION))
        found[name] = (one.within, one.cells)
    return rank("prompt skew", "presentation", found, 0.95, 0.8)


def test_equal_systems_are_not_ranked_and_it_says_what_could_be_seen(read_people: Any) -> None:
    generator = np.random.default_rng(0)
    found = ranking({name: read_people(generator, 20, 5, 0.5) for name in ("a", "b", "c")})
    assert found.ranks == {}
    assert found.refused.startswith("no two systems can be told apart: they differ by ")
    assert "this audit could see 0." in found.refused
    assert len(found.pairs) == 3


def test_a_worse_system_is_last_and_the_rest_are_tied(read_people: Any) -> None:
    generator = np.random.default_rng(5)
    shares = {"fair": 0.5, "also fair": 0.5, "one-sided": 0.95}
    found = ranking({name: read_people(generator, 30, 6, share) for name, share in shares.items()})
    assert found.refused == ""
    assert found.ranks == {"fair": (1, 2), "also fair": (1, 2), "one-sided": (3, 3)}


def test_a_system_is_not_told_from_itself_and_one_alone_has_no_rank(read_people: Any) -> None:
    table = read_people(np.random.default_rng(2), 20, 5, 0.7)
    (pair,) = ranking({"a": table, "b": table}).pairs
    assert (pair.difference.value, pair.difference.p) == (0.0, 1.0)
    assert ranking({"a": table}).refused == "one system: nothing to rank"


def test_systems_of_different_prompts_are_not_compared(read_people: Any) -> None:
    generator = np.random.default_rng(3)
    other = read_people(generator, 20, 5, 0.5)
    frame = other.frame.assign(prompt_id="other " + other.frame["prompt_id"])
    found = ranking({"a": read_people(generator, 20, 5, 0.5), "b": AuditTable(frame)})
    assert "fewer than 5 prompts" in found.refused


def test_equal_systems_are_told_apart_one_time_in_twenty(read_people: Any) -> None:
    generator = np.random.default_rng(4)
    told = [ranking({name: read_people(generator, 20, 4, 0.6) for name in "ab"}).refused == "" for _ in range(80)]
    assert np.mean(told) < 0.11
