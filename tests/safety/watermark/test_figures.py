"""Figures against what is known: who survives, who cannot be decided, what is paired, what is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from benchmarks.export import to_json
from safety.watermark.figures import Tables, WatermarkFigures, claimed, figures
from safety.watermark.findings import findings, headline_rows, limits, rate_text
from safety.watermark.page import audit_page
from safety.watermark.report import About
from safety.watermark.units import Setup

ABOUT = About(
    "clips <b>", "today", 1.0, "0", {"numpy": "2"}, "moviegen audit watermark --mark cells", ("A note & more",)
)


@pytest.fixture(scope="module")
def audit(request: pytest.FixtureRequest) -> tuple[Setup, Tables, WatermarkFigures]:
    """Three marks, of which one is faint and one short; attacks that keep, spoil and destroy them."""
    planned, worked = request.getfixturevalue("planned"), request.getfixturevalue("worked")
    setup = planned(
        marks=("cells", "faint", "short"),
        attacks="grey,rotate=90,noise=0.05+0.2,reshare=1+2,crop=0.5",
        clips=8,
        negatives=20,
        tax=("contrast",),
        schemes=("residual-copy",),
        attack_db=5.0,  # clips of noise: what is put on them is large
    )
    tables = worked(setup)
    return setup, tables, figures(setup.plan, tables)


def test_a_strong_mark_is_read_and_a_faint_one_is_not(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    strong, faint, _ = audit[2].marks
    clean = strong.cells[0]
    assert clean.accuracy.value == 1.0
    assert clean.detected["1e-06"].count == clean.detected["1e-06"].of == 8
    assert clean.capacity.value == 32.0
    assert faint.cells[0].accuracy.value < 0.99
    turned = next(cell for cell in strong.cells if cell.attack == "rotate")
    assert turned.accuracy.value == pytest.approx(0.5, abs=0.12)
    assert turned.detected["1e-03"].count == 0


def test_sixteen_bits_decide_nothing_at_one_in_a_million(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    setup, _, found = audit
    short = found.marks[2]
    assert [one.matches for one in short.decidable] == [14, 15, None]
    assert short.level == 1e-3
    assert found.common_level == 1e-3
    lines = findings(setup.plan, found)
    assert any("cannot be decided with 16 bits" in line for line in lines)


def test_attacks_that_a_clip_cannot_bear_are_in_the_ledger(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    _, tables, found = audit
    assert {(loss.attack, loss.status) for loss in found.losses} == {("crop", "skipped")}
    assert sum(loss.count for loss in found.losses) == (tables.trials["status"] != "ok").sum()
    crop = next(cell for cell in found.marks[0].cells if cell.attack == "crop")
    assert (crop.trials, crop.skipped, crop.accuracy.value) == (0, 8, None)


def test_unmarked_clips_raise_the_alarms_that_they_should(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    for mark in audit[2].marks:
        null = mark.null
        assert null.clusters == 28
        assert null.uniformity.p > 0.01
        assert sum(null.histogram) == null.trials
        first = null.alarms[0]
        assert first.presence.of == null.trials
        assert first.bound_clusters >= first.bound
        assert first.needed == 299
        assert null.dispersion.clips == 28
        assert null.other_key.value == pytest.approx(0.5, abs=0.12)


def test_marks_are_compared_on_the_same_trials(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    rows = {(one.mark, one.other, one.family): one for one in audit[2].comparisons}
    pooled = rows["cells", "faint", "all attacks"]
    assert pooled.accuracy.value > 0
    assert pooled.clusters == 8
    assert pooled.accuracy_p == pytest.approx(2 / 2**8)
    assert pooled.accuracy_q >= pooled.accuracy_p
    assert ("cells", "short", "photometric") in rows


def test_lives_end_and_half_lives_follow(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    curve = audit[2].marks[0].survival["reshare"]
    assert curve.clips == 8
    shares = [step.share for step in curve.steps]
    assert shares == sorted(shares, reverse=True)


def test_removal_and_forgery_are_held_against_quality(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    found = audit[2].marks[0].frontier
    goals = {point.goal for point in found.points}
    assert goals == {"removal", "forgery"}
    forged = [best.gained for best in found.forgery]
    assert forged == sorted(forged, reverse=True)
    assert forged[0] > 0.5


def test_a_forged_clip_counts_by_either_test(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    trials = audit[1].trials.head(2).assign(kind=["forged", "marked"], p=0.5, p_presence=1e-9)
    assert claimed(trials)["p"].tolist() == pytest.approx([2e-9, 0.5])


def test_all_figures_are_plain_json(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    document = json.loads(to_json(audit[2].to_json()))
    assert [mark["facts"]["name"] for mark in document["marks"]] == ["cells", "faint", "short"]


def test_the_page_is_whole_safe_and_says_what_it_cannot(audit: tuple[Setup, Tables, WatermarkFigures]) -> None:
    setup, tables, found = audit
    page = audit_page(setup.plan, ABOUT, found, tables)
    for part in (
        "scope",
        "attacks",
        "roc",
        "honesty",
        "cost",
        "life",
        "frontier",
        "compare",
        "groups",
        "ledger",
        "limits",
    ):
        assert f'id="{part}"' in page
    assert "impossible with 16 bits" in page
    assert "clips &lt;b&gt;" in page
    assert "A note &amp; more" in page
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert setup.plan.sha256 in page
    assert all(line in page.replace("&#39;", "'").replace("&lt;", "<") for line in limits(setup.plan, found))


def test_the_page_of_an_audit_in_which_nothing_worked(
    planned: Callable[..., Setup], worked: Callable[[Setup], Tables]
) -> None:
    setup = planned(attacks="blur=3,reshare=1", clips=1)
    broken = replace(setup, subjects=(replace(setup.subjects[0], start=99),))
    tables = worked(broken)
    found = figures(setup.plan, tables)
    assert "no clip could be marked and read" in findings(setup.plan, found)[0]
    assert "cut off" in audit_page(setup.plan, ABOUT, found, tables)
    assert headline_rows(found)[1][0][0] == "cells"


def test_rates_are_written_as_powers() -> None:
    assert [rate_text(rate) for rate in (1e-2, 1e-6, 0.05, None)] == ["10⁻²", "10⁻⁶", "0.05", "–"]
