"""The page Compare without a browser: verdict, differences, cases, both clips, and what it says without them."""

import pytest

from benchmarks.compare import compare
from benchmarks.store import open_run


@pytest.fixture(scope="module")
def page(open_page, small_runs):
    return open_page("compare.py", small_runs, a="aurora-xl", b="noise")


def texts(app):
    return [element.value for element in app.text]


def test_the_verdict_says_who_is_better_how_sure_and_how_often(page, small_runs):
    found = compare(open_run(small_runs, "tiny-run"), "aurora-xl", "noise").total
    first, second = texts(page)[:2]
    assert first.startswith("A, aurora-xl, is better: A − B in the total is")
    assert f"{found.difference.value:+.3f}" in first
    assert f"A wins {found.wins} cases, loses {found.losses}" in second
    assert f"{100 * (found.wins - found.losses) / 8:+.1f} %" in second


def test_swapped_the_signs_turn(open_page, small_runs):
    app = open_page("compare.py", small_runs, a="noise", b="aurora-xl")
    assert texts(app)[0].startswith("B, aurora-xl, is better")
    app.button[0].click().run()
    assert texts(app)[0].startswith("A, aurora-xl, is better")
    assert app.query_params["a"] == "aurora-xl"


def test_every_metric_has_a_difference_a_test_and_a_net_win_rate(page, small_runs):
    table = page.dataframe[0].value.set_index("Metric")
    found = compare(open_run(small_runs, "tiny-run"), "aurora-xl", "noise").metrics
    assert list(table.index) == list(found)
    for name, part in found.items():
        assert table.loc[name, "A − B"] == pytest.approx(part.difference.value)
        assert table.loc[name, "Net win rate"] == pytest.approx(100 * (part.wins - part.losses) / part.cases)
        assert table.loc[name, ["Wins", "Ties", "Losses"]].tolist() == [part.wins, part.ties, part.losses]
    assert table.loc["blockiness", "A − B"] < 0
    assert table.loc["blockiness", "Favours"] == "A"


def test_only_what_is_tied(open_page, small_runs):
    app = open_page("compare.py", small_runs, a="aurora-xl", b="brook", only="tied")
    assert set(app.dataframe[0].value["Favours"]) == {"tied"}
    assert texts(app)[0].startswith("A and B cannot be told apart")


def test_cases_stand_in_the_order_of_their_difference(page):
    cases = page.dataframe[1].value
    sizes = cases["A − B"].abs()
    assert sizes.is_monotonic_decreasing
    assert len(cases) == 8


def test_a_link_opens_its_case_and_next_steps_on(open_page, small_runs):
    app = open_page("compare.py", small_runs, a="aurora-xl", b="noise", case="case-4", seed="1")
    assert any("Waves roll" in text for text in texts(app))
    assert app.selectbox(key="seed").value == 1
    ordered = app.dataframe[1].value["Case"].tolist()
    next(button for button in app.button if button.label == "Next").click().run()
    following = ordered[(ordered.index("case-4") + 1) % len(ordered)]
    assert app.query_params["case"] in (following, [following])


def test_both_scores_and_why_one_is_missing(open_page, small_runs):
    app = open_page("compare.py", small_runs, a="cedar-mini", b="brook", case="case-4")
    assert any("No clip. missing: over quota" in text for text in texts(app))
    scores = app.dataframe[2].value.set_index("Metric")
    assert scores.loc["steadiness", "A"] == "missing: no clip: over quota"
    assert float(scores.loc["steadiness", "B"]) > 0.5
    assert scores.loc["steadiness", "A − B"] == ""


def test_one_generator_twice_is_said(open_page, small_runs):
    assert "two different" in open_page("compare.py", small_runs, a="brook", b="brook").info[0].value


def test_foreign_names_are_only_text(open_page, small_runs, hostile):
    prompt, name = hostile
    app = open_page("compare.py", small_runs, a=name, b="oracle", case="case-3")
    assert prompt in texts(app)
    for element in [*app.markdown, *app.caption, *app.subheader, *app.info, *app.warning, *app.expander]:
        assert "tracker" not in str(getattr(element, "value", "")) + str(getattr(element, "label", ""))


def test_no_runs_yet(open_page, tmp_path):
    app = open_page("compare.py", tmp_path)
    assert "No runs yet" in app.info[0].value
    assert app.code[0].value == "make sweep"
