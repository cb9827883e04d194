"""The leaderboard page without a browser: what it shows, filters, links to, and says when there is nothing."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards.serve

PAGE = Path(dashboards.serve.APP_SCRIPT).parent / "pages" / "leaderboard.py"


def open_page(runs, **query):
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.secrets["moviegen"] = {"runs": str(runs)}
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def board(app):
    return app.dataframe[0].value


def texts(app):
    return [element.value for element in app.text]


@pytest.fixture(scope="module")
def page(small_runs):
    return open_page(small_runs)


def test_the_table_ranks_and_counts(page, small_generators):
    table = board(page)
    assert set(table["Generator"]) == set(small_generators)
    assert table["Generator"].iloc[0] == "oracle"
    ranked = table[table["Rank"] != "–"]
    assert ranked["Total"].is_monotonic_decreasing
    assert dict(zip(table["Generator"], table["Rank"], strict=True))["noise"] == "5"
    cedar = table[table["Generator"] == "cedar-mini"].iloc[0]
    assert cedar["Rank"] == "–"
    assert cedar["Coverage"] == pytest.approx(87.5)
    assert cedar["Cases"] == 7
    assert any("cedar-mini" in text and "coverage" in text for text in texts(page))


def test_the_tied_are_shown_as_tied(page):
    ranks = dict(zip(board(page)["Generator"], board(page)["Rank"], strict=True))
    assert ranks["aurora-xl"] == ranks["brook"]
    assert "–" in ranks["brook"]


def test_failures_are_counted_with_their_reasons(page):
    label = page.expander[-1].label
    assert "2 of 384 rows failed" in label
    assert "8 of 384 rows have no clip" in label
    reasons = page.dataframe[-1].value
    assert "the decoder stopped at frame 7 of 24" in set(reasons["reason"])
    assert reasons["rows"].sum() == 10


def test_every_metric_is_explained(page):
    meanings = page.dataframe[-2].value
    assert list(meanings["Metric"]) == ["steadiness", "motion_amount", "blockiness", "onset_synchrony"]
    assert list(meanings["Better"]) == ["↑ higher", "↔ near the reference", "↓ lower", "↑ higher"]
    assert meanings["Range"].iloc[1] == "0 to ∞ 1/s"
    assert set(meanings["Blind to"]) == {"Everything else."}
    assert set(meanings["Source"]) == {"Written for tests."}


def test_filter_by_name_bracket_and_family(small_runs):
    app = open_page(small_runs)
    app.text_input(key="name").set_value("AURORA").run()
    assert list(board(app)["Generator"]) == ["aurora-xl"]
    app.text_input(key="name").set_value("").run()
    app.multiselect(key="families").set_value(["motion"]).run()
    assert "motion" in board(app).columns
    assert "picture" not in board(app).columns
    app.get_by_key("brackets").set_value(["▼ floor"]).run()
    assert list(board(app)["Generator"]) == ["noise"]


def test_a_filter_that_matches_nothing_says_so(small_runs):
    app = open_page(small_runs, name="zzz")
    assert "No generator matches" in app.info[0].value
    assert not app.exception


def test_a_link_opens_what_it_names(small_runs):
    app = open_page(small_runs, run="tiny-run", name="brook", case="case-4", seed="1", show="noise")
    assert list(board(app)["Generator"]) == ["brook"]
    assert app.selectbox(key="case").value == "case-4"
    assert app.selectbox(key="seed").value == 1
    assert app.multiselect(key="show").value == ["noise"]
    assert list(app.dataframe[1].value.columns) == ["Metric", "Better", "Unit", "noise"]


def test_the_run_always_stands_in_the_address(small_runs):
    assert open_page(small_runs).query_params["run"] == "tiny-run"


def test_a_link_to_a_run_that_is_gone_is_said(small_runs):
    app = open_page(small_runs, run="**gone**")
    assert "not here" in app.warning[0].value
    assert "**gone**" in texts(app)
    assert app.query_params["run"] == "tiny-run"


def test_ticked_rows_are_the_clips_shown(small_runs):
    app = open_page(small_runs)
    names = list(board(app)["Generator"])
    app.session_state["/".join(["board", "tiny-run", *names])] = {
        "selection": {"rows": [4, 1], "columns": [], "cells": []}
    }
    app.run()
    scores = app.dataframe[1].value
    assert set(scores.columns[3:]) == {names[4], names[1]}
    app.text_input(key="name").set_value("oracle").run()
    assert set(app.multiselect(key="show").value) == {names[4], names[1]}


def test_the_next_case_and_back(small_runs):
    app = open_page(small_runs)
    assert app.selectbox(key="case").value == "case-1"
    app.button[0].click().run()
    assert app.selectbox(key="case").value == "case-8"
    app.button[1].click().run()
    assert app.selectbox(key="case").value == "case-1"


def test_a_case_shows_prompt_scores_and_why_there_is_none(small_runs):
    app = open_page(small_runs, case="case-2", show=["brook", "oracle"])
    assert "A glass falls from a table and breaks on the floor." in texts(app)
    scores = app.dataframe[1].value.set_index("Metric")
    assert scores.loc["onset_synchrony", "brook"] == "failed: the decoder stopped at frame 7 of 24"
    assert float(scores.loc["steadiness", "oracle"]) == pytest.approx(0.93, abs=0.2)


def test_a_missing_clip_says_why(small_runs):
    app = open_page(small_runs, case="case-4", show="cedar-mini")
    assert "No clip. missing: over quota" in texts(app)


def test_foreign_text_is_only_ever_text(small_runs, hostile):
    """A hostile prompt and name appear in elements that read no markup, and in no element that does."""
    prompt, name = hostile
    app = open_page(small_runs, case="case-3", show=name)
    assert prompt in texts(app)
    assert any(name in text for text in texts(app))
    marked_up = [*app.markdown, *app.caption, *app.title, *app.subheader, *app.warning, *app.info, *app.error]
    for element in [*marked_up, *app.expander]:
        assert "tracker" not in str(getattr(element, "value", "")) + str(getattr(element, "label", ""))


def test_no_runs_yet(tmp_path):
    for root in (tmp_path, tmp_path / "not-there"):
        app = open_page(root)
        assert "No runs yet" in app.info[0].value
        assert app.code[0].value == "make sweep"
        assert app.code[-1].value == str(root)


def test_an_app_that_was_not_started_by_serve_says_how_to(small_runs):
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.secrets["other"] = {"x": "y"}
    app.run()
    assert not app.exception
    assert "moviegen dashboard" in app.code[0].value


def test_a_newer_run_and_another_suite_can_be_picked(small_runs, tmp_path, small_run_maker):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    small_run_maker(runs, run="later", created=datetime(2026, 11, 2, tzinfo=UTC))
    app = open_page(runs)
    assert app.selectbox[1].value == "later"
    app.selectbox[1].set_value("tiny-run").run()
    assert not app.exception
    assert app.query_params["run"] == "tiny-run"


def test_a_run_that_grows_is_read_again(small_runs, tmp_path, small_run_maker):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    assert len(open_page(runs).selectbox[1].options) == 1
    small_run_maker(runs, run="later", created=datetime(2026, 11, 2, tzinfo=UTC))
    assert len(open_page(runs).selectbox[1].options) == 2


def test_a_broken_run_is_one_line(small_runs, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    manifest = runs / "tiny-run" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"minimum_coverage": 0.9', '"minimum_coverage": 0.1'))
    app = open_page(runs)
    assert app.error[0].value == "This run cannot be shown:"
    assert any("changed after the run" in text for text in texts(app))
