"""Plans: their hash, their cells, and one line for everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from eval.errors import UserError
from safety.watermark.attacks.attack import ATTACKS
from safety.watermark.plan import Cell, Form, WatermarkError, choose_attacks
from safety.watermark.quick import QUICK, QUICK_SCHEMES
from safety.watermark.schemes import SCHEMES
from safety.watermark.units import Setup


def test_the_hash_changes_with_everything_that_is_asked(planned: Callable[..., Setup]) -> None:
    plan = planned(attacks="blur").plan
    others = [
        replace(plan, seeds=(1,)),
        replace(plan, keys=(1,)),
        replace(plan, messages="trial"),
        replace(plan, form=Form(9)),
        replace(plan, attacks=choose_attacks("blur=3")),
        replace(plan, clips=plan.clips[:-1]),
        replace(plan, rates=(1e-2,)),
    ]
    hashes = {one.sha256 for one in [plan, *others]}
    assert len(hashes) == 1 + len(others)
    assert replace(plan).sha256 == plan.sha256


def test_a_mark_meets_the_attacks_on_its_stream_only(planned: Callable[..., Setup]) -> None:
    plan = planned(attacks="blur=3,sound-aac=64,reshare=1").plan
    assert plan.cells("picture") == (Cell("none", 0.0), Cell("blur", 3.0), Cell("reshare", 1.0))
    assert plan.cells("sound") == (Cell("none", 0.0), Cell("sound-aac", 64.0), Cell("reshare", 1.0))
    families = planned(attacks="blur,noise").plan.unmarked_cells("picture")
    assert [cell.attack for cell in families] == ["none", "noise"]


def test_attacks_by_name_family_and_strength() -> None:
    assert {ladder.name for ladder in choose_attacks("all")} == set(ATTACKS.names())
    assert {ladder.family for ladder in choose_attacks("codec,spatial")} == {"codec", "spatial"}
    (crop,) = choose_attacks("crop=0.9+0.5")
    assert crop.strengths == (0.9, 0.5)
    assert choose_attacks("none") == ()


def test_quick_names_attacks_and_schemes_that_exist() -> None:
    assert {ladder.name for ladder in choose_attacks("", QUICK)} == {name for name, _ in QUICK}
    assert all(name in SCHEMES for name in QUICK_SCHEMES)


@pytest.mark.parametrize(
    ("text", "said"), [("h265x", "did you mean"), ("crop=big", "strengths are"), ("crop=1+1", "different")]
)
def test_attacks_that_are_none(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        choose_attacks(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"marks": ()}, "which mark"),
        ({"clips": ()}, "no clips"),
        ({"keys": (1, 2)}, "2 keys for 1 seeds"),
        ({"rates": (0.7,)}, "below 0.5"),
        ({"confidence": 1.0}, "confidence"),
        ({"form": Form(0)}, "at least 1 frame"),
    ],
)
def test_plans_that_cannot_be_carried_out(planned: Callable[..., Setup], change: dict[str, object], said: str) -> None:
    with pytest.raises(WatermarkError, match=said) as caught:
        replace(planned().plan, **change)
    assert "\n" not in str(caught.value)


def test_a_mark_named_twice(planned: Callable[..., Setup]) -> None:
    with pytest.raises(WatermarkError, match="named twice"):
        planned(marks=("cells", "cells"))
