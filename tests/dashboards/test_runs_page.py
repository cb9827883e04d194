"""The page Runs without a browser: who made what, what failed and why, how to go on, what it takes up."""

import json
import shutil
from datetime import UTC, datetime

import pytest


@pytest.fixture(scope="module")
def page(open_page, small_runs):
    return open_page("runs.py", small_runs)


def texts(app):
    return " ".join(element.value for element in app.text)


def test_every_run_has_a_line(page):
    line = page.dataframe[0].value.iloc[0]
    assert (line["Run"], line["Suite"], line["State"], line["By"]) == ("tiny-run", "tiny v1", "complete", "here")
    assert line["Generators"] == 6
    assert 0.01 < line["Storage"] < 10


def test_what_failed_is_grouped_by_reason(page):
    clips, rows = page.dataframe[1].value, page.dataframe[2].value
    assert clips.to_dict("records") == [
        {"generator": "cedar-mini", "status": "missing", "reason": "over quota", "clips": 2}
    ]
    failed = rows[rows["status"] == "failed"].iloc[0]
    assert (failed["rows"], failed["reason"]) == (2, "the decoder stopped at frame 7 of 24")
    assert (failed["generators"], failed["metrics"]) == ("brook", "onset_synchrony")
    assert "2 of 384 rows failed" in texts(page)
    assert "96 of 96 planned clips are stored" in texts(page)


def test_generators_and_storage(page):
    generators = next(frame.value for frame in page.dataframe if "Settings" in frame.value.columns)
    assert dict(zip(generators["Generator"], generators["Bracket"], strict=True))["noise"] == "floor"
    parts = next(frame.value for frame in page.dataframe if "Part" in frame.value.columns).set_index("Part")
    assert parts.loc["clips", "Files"] == 6
    assert parts.loc["shards", "Files"] >= 2


@pytest.fixture
def changed(small_runs, tmp_path):
    """A copy of the runs, its manifest changed."""

    def go(**changes):
        runs = tmp_path / "runs"
        shutil.copytree(small_runs, runs)
        path = runs / "tiny-run" / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return runs

    return go


def test_an_unfinished_run_says_how_to_go_on(open_page, changed):
    runs = changed(status="partial")
    app = open_page("runs.py", runs)
    assert "not finished" in app.warning[0].value
    assert f"moviegen sweep --resume tiny-run --runs {runs}" in [code.value for code in app.code]


def test_an_imported_run_is_marked(open_page, changed, hostile):
    when = datetime(2026, 11, 3, tzinfo=UTC).isoformat()
    runs = changed(imported={"who": hostile[1], "imported": when, "file_sha256": "e" * 64})
    app = open_page("runs.py", runs)
    assert app.dataframe[0].value["By"].iloc[0] == f"imported: {hostile[1]}"
    assert "Made elsewhere" in app.info[0].value
    assert hostile[1] in texts(app)
    for element in [*app.markdown, *app.caption, *app.info, *app.warning, *app.expander]:
        assert "tracker" not in str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
    board = open_page("leaderboard.py", runs)
    assert "imported" in board.selectbox[1].options[0]


def test_the_run_that_a_link_names_is_shown(open_page, small_runs, tmp_path, small_run_maker):
    runs = tmp_path / "runs"
    shutil.copytree(small_runs, runs)
    small_run_maker(runs, run="later", created=datetime(2026, 11, 2, tzinfo=UTC))
    assert open_page("runs.py", runs).code[0].value == "later"
    app = open_page("runs.py", runs, run="tiny-run")
    assert app.code[0].value == "tiny-run"
    gone = open_page("runs.py", runs, run="**gone**")
    assert "not here" in gone.warning[0].value
    assert gone.query_params["run"] in ("later", ["later"])


def test_no_runs_yet(open_page, tmp_path):
    assert "No runs yet" in open_page("runs.py", tmp_path).info[0].value
