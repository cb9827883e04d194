"""Measures of sets on the page: beside the totals, with intervals, and reasons where they must not be compared."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from benchmarks.leaderboard import build_board
from benchmarks.manifest import SetMetricFacts, read_manifest, write_manifest
from benchmarks.set_rows import SetRow, write_set_rows
from benchmarks.store import open_run
from dashboards import board_table, dot_plot, serve

NAMES = ("near", "apart", "varied")


def row(generator, metric, value, reason="", status="ok"):
    low, high = (None, None) if value is None else (value - 0.25, value + 0.25)
    return SetRow(
        generator, metric, 1, "enc", "e" * 64, value, low, high, 16, 15, 16, 64, "i" * 64, status, reason, 0.1
    )


@pytest.fixture(scope="module")
def runs(small_runs, small_generators, tmp_path_factory):
    """The small run with three set metrics: one of all, one that may not be compared for brook, one skipped for all."""
    root = tmp_path_factory.mktemp("with-sets") / "runs"
    shutil.copytree(small_runs, root)
    folder = root / "tiny-run"
    made = read_manifest(folder)
    facts = tuple(
        SetMetricFacts(name=name, version=1, family="distribution", unit="1", low=float("-inf"), high=float("inf"),
                       direction=direction, feature="f", encoder="enc", summary=f"how {name}")
        for name, direction in zip(NAMES, ("lower", "higher", "band"), strict=True)
    )  # fmt: skip
    write_manifest(folder, made.model_copy(update={"set_metrics": facts}))
    rows = []
    for number, generator in enumerate(small_generators):
        rows.append(row(generator, "near", 1.5 * number - 1))
        rows.append(row(generator, "apart", 0.5, "not ranked: 15 of 16 clips" if generator == "brook" else ""))
        rows.append(row(generator, "varied", None, "the weights of enc are missing", "skipped"))
    write_set_rows(folder, rows, made.run, made.suite_name, made.suite_hash)
    return root


@pytest.fixture(scope="module")
def shown(runs):
    return build_board([open_run(runs, "tiny-run")])


def test_the_frame_holds_every_number_with_its_interval_and_reason(shown):
    frame = board_table.set_frame(shown.rows, shown.set_columns)
    assert len(frame) == len(shown.rows) * 3
    assert set(frame.columns) == set(board_table.set_config())
    by = frame.set_index(["Measure", "Generator"])
    assert by.loc[("near", "oracle"), "Interval"] == "-1.25 to -0.75"
    assert by.loc[("near", "oracle"), "Compared"] == "yes"
    assert by.loc[("near", "oracle"), "Clips"] == "15 of 16"
    assert by.loc[("apart", "brook"), "Compared"] == "not ranked: 15 of 16 clips"
    assert by.loc[("varied", "noise"), "Compared"] == "the weights of enc are missing"
    assert board_table.set_frame(shown.rows, []).empty


def test_the_plot_leaves_out_what_must_not_be_compared(shown):
    assert set(dot_plot.measures(shown)) >= set(NAMES)
    assert len(dot_plot.points(shown, shown.rows, "near")) == len(shown.rows)
    assert "brook" not in set(dot_plot.points(shown, shown.rows, "apart")["generator"])
    assert dot_plot.points(shown, shown.rows, "varied").empty
    assert dot_plot.measure_title(shown, "near") == "near, better: ↓ lower; bars show the 95% interval"


def test_meanings_say_that_sets_count_in_no_total(shown):
    table = board_table.metric_table(shown, {}).set_index("Metric")
    assert table.loc["varied", "Better"] == "↔ more is not better"
    assert table.loc["near", "Range"] == "-∞ to ∞"
    assert table.loc["near", "Counts"].startswith("no: ")


def test_the_page_shows_the_sets(runs):
    app = AppTest.from_file(str(Path(serve.APP_SCRIPT).parent / "pages" / "leaderboard.py"), default_timeout=60)
    app.secrets["moviegen"] = {"runs": str(runs)}
    app.run()
    assert not app.exception
    assert "All clips together" in [heading.value for heading in app.subheader]
    frames = [frame.value for frame in app.dataframe if "Measure" in frame.value.columns]
    assert set(frames[0]["Measure"]) == {"near", "apart"}
