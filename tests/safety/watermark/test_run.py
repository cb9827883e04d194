"""Trials: paired over marks, nothing lost, and outcomes with reasons where clips, marks or attacks fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.marks.bits import message_text
from safety.watermark.borrowed_quality import Borrowed
from safety.watermark.figures import Tables, figures
from safety.watermark.plan import NONE, Cell
from safety.watermark.run import Worker, lost
from safety.watermark.trial import blank_message_of, message_of
from safety.watermark.units import Setup, units


def test_every_planned_trial_is_one_row(planned: Callable[..., Setup], worked: Callable[[Setup], Tables]) -> None:
    setup = planned(marks=("cells", "faint"), attacks="blur=3,hflip", clips=3, negatives=2)
    trials = worked(setup).trials
    assert len(trials) == sum(unit.trials for unit in units(setup))
    # marked: 3 cells; unmarked: nothing, and the last attack of either family; other key: 1; twice, for two marks.
    assert trials["kind"].value_counts().to_dict() == {"marked": 18, "unmarked": 18, "other key": 6, "negative": 4}
    assert not trials.duplicated(["kind", "mark", "clip", "seed", "attack", "strength"]).any()
    assert (trials["status"] == "ok").all()
    clean = trials[(trials["mark"] == "cells") & (trials["kind"] == "marked") & (trials["attack"] == NONE)]
    assert (clean["matches"] == 32).all()
    assert clean["mark_db"].between(20, 40).all()


def test_marks_are_paired(planned: Callable[..., Setup], worked: Callable[[Setup], Tables]) -> None:
    """The same message, and the same random attack, whatever the mark."""
    trials = worked(planned(marks=("cells", "faint"), attacks="noise=0.05", clips=2)).trials
    marked = trials[trials["kind"] == "marked"].pivot_table(
        index=["clip", "attack"], columns="mark", values="message", aggfunc="first"
    )
    assert (marked["cells"] == marked["faint"]).all()
    blank = trials[trials["kind"] == "unmarked"].pivot_table(
        index=["clip", "attack"], columns="mark", values="attack_db", aggfunc="first"
    )
    assert (blank["cells"].dropna() == blank["faint"].dropna()).all()


def test_messages_are_fresh_for_each_clip_or_each_trial(planned: Callable[..., Setup]) -> None:
    (first, second, *_) = planned().subjects
    cells = Cell(NONE, 0.0), Cell("blur", 3.0)
    shared = {message_text(message_of(first, cell, 0, 32, "clip")) for cell in cells}
    own = {message_text(message_of(first, cell, 0, 32, "trial")) for cell in cells}
    assert (len(shared), len(own)) == (1, 2)
    assert message_text(message_of(second, cells[0], 0, 32, "clip")) not in shared
    blanks = {message_text(blank_message_of(mark, first, "unmarked", cell, 0, 32)) for mark in "ab" for cell in cells}
    assert len(blanks) == 4


def test_clips_that_cannot_be_marked_or_read_are_rows_with_reasons(
    planned: Callable[..., Setup], worked: Callable[[Setup], Tables]
) -> None:
    setup = planned(attacks="h264=30", clips=1)
    small, broken = (replace(setup.subjects[0], id=f"clip {n}", cluster=f"clip {n}", start=n) for n in (98, 99))
    trials = worked(replace(setup, subjects=(*setup.subjects, small, broken))).trials
    assert len(trials) == 3 * 5
    refused = trials[(trials["clip"] == "clip 98") & (trials["kind"] == "marked")]
    assert set(refused["status"]) == {"skipped"}
    assert refused["reason"].str.contains("needs 64x64").all()
    unread = trials[trials["clip"] == "clip 99"]
    assert set(unread["status"]) == {"failed"}
    assert unread["reason"].str.contains("cut off").all()
    assert unread["matches"].isna().all()
    assert (trials[trials["clip"] == "clip 0"]["status"] == "ok").all()


def test_an_attack_that_raises_costs_its_own_trial(
    planned: Callable[..., Setup], worked: Callable[[Setup], Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    from safety.watermark.attacks.attack import ATTACKS

    def broken(*_: object) -> None:
        raise RuntimeError("no\nsuch thing")

    monkeypatch.setitem(ATTACKS._parts, "blur", replace(ATTACKS.get("blur"), apply=broken))
    trials = worked(planned(attacks="blur=3,grey", clips=1)).trials
    hit = trials[trials["attack"] == "blur"]
    assert set(hit["status"]) == {"failed"}
    assert set(hit["reason"]) == {"RuntimeError: no such thing"}
    assert (trials[trials["attack"] != "blur"]["status"] == "ok").all()


def test_a_worker_that_died_twice_leaves_as_many_rows(planned: Callable[..., Setup]) -> None:
    setup = planned(marks=("cells", "faint"), attacks="blur", clips=1, negatives=1, tax=("sharpness",))
    for unit in units(setup):
        done, dead = Worker(setup).do(unit), lost(setup, unit)
        assert [(t.kind, t.mark, t.attack, t.strength) for t in dead.trials] == [
            (t.kind, t.mark, t.attack, t.strength) for t in done.trials
        ]
        assert len(dead.tax) == len(done.tax)
        assert {t.status for t in dead.trials} <= {"failed"}


def test_schemes_forge_and_remove(planned: Callable[..., Setup], worked: Callable[[Setup], Tables]) -> None:
    """One key and a plain additive mark: copying a residual carries the owner's message onto another clip."""
    trials = worked(planned(clips=6, schemes=("residual-copy", "overwrite", "average-out"))).trials
    forged = trials[trials["kind"] == "forged"]
    assert len(forged) == 6
    assert forged["matches"].mean() > 24
    assert forged["attack_db"].notna().all()
    assert set(trials.loc[trials["kind"] == "removed", "attack"]) == {"overwrite", "average-out"}


def test_queries_stay_within_their_budget(planned: Callable[..., Setup], worked: Callable[[Setup], Tables]) -> None:
    trials = worked(planned(clips=1, schemes=("query-in",), budget=7)).trials
    assert trials.loc[trials["kind"] == "forged", "queries"].tolist() == [7]


def test_the_tax_is_of_twins(planned: Callable[..., Setup], worked: Callable[[Setup], Tables]) -> None:
    tables = worked(planned(marks=("cells",), clips=2, tax=("sharpness", "contrast")))
    assert len(tables.tax) == 4
    contrast = tables.tax[tables.tax["metric"] == "contrast"]
    assert np.isfinite(contrast["marked"] - contrast["unmarked"]).all()


class Difference(torch.nn.Module):
    """A distance that is the mean difference."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).abs().mean(dim=[1, 2, 3])


@pytest.fixture
def borrowed(tmp_path: Path) -> Borrowed:
    path = tmp_path / "distance.pt"
    torch.jit.save(torch.jit.script(Difference()), str(path))
    return Borrowed(lpips=path)


def test_a_measure_of_the_users_own_compares_twins(
    planned: Callable[..., Setup], worked: Callable[[Setup], Tables], borrowed: Borrowed
) -> None:
    setup = replace(planned(marks=("cells",), clips=4, borrowed=borrowed.check()), borrowed=borrowed)
    tables = worked(setup)
    assert tables.tax["metric"].tolist() == ["lpips"] * 4
    assert (tables.tax["unmarked"] == 0).all()
    # Twelve grey levels of 127.5 on either side.
    np.testing.assert_allclose(tables.tax["marked"], 12 / 127.5, rtol=0.02)
    (figure,) = figures(setup.plan, tables).marks[0].tax
    assert (figure.metric, figure.better, figure.scored) == ("lpips", "lower", 4)
    assert setup.plan.sha256 != planned(marks=("cells",), clips=4).plan.sha256


def test_a_measure_that_fails_costs_its_row_alone(
    planned: Callable[..., Setup], worked: Callable[[Setup], Tables], borrowed: Borrowed
) -> None:
    names = borrowed.check()
    assert borrowed.lpips is not None
    borrowed.lpips.write_text("no program any more")
    setup = replace(planned(clips=2, tax=("contrast",), borrowed=names), borrowed=borrowed)
    tax = worked(setup).tax
    assert tax.groupby("metric")["status"].unique().map(list).to_dict() == {"contrast": ["ok"], "lpips": ["failed"]}
    assert tax.loc[tax["metric"] == "lpips", "reason"].str.contains("does not work").all()


def test_clips_that_are_no_twins_are_not_compared(planned: Callable[..., Setup], borrowed: Borrowed) -> None:
    plain = planned(clips=1, borrowed=borrowed.check())
    setup = replace(plain, find=lambda name: replace(plain.find(name), twins=False), borrowed=borrowed)
    worker = Worker(setup)
    (row,) = [row for unit in units(setup) for row in worker.do(unit).tax]
    assert (row.status, row.marked) == ("skipped", None)
    assert "another clip" in row.reason
