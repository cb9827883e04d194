"""The page Cases without a browser: search, order, one case of every generator, traces and worst frames."""

import shutil

import numpy as np
import pandas as pd
import pytest

from benchmarks.store import open_run
from benchmarks.traces import Trace, clip_traces
from dashboards import trace_plot
from eval.cache import FeatureCache, FeatureKey
from eval.feature import FEATURES


def texts(app):
    return [element.value for element in app.text]


@pytest.fixture(scope="module")
def traced(small_runs, tmp_path_factory):
    """The small run with cached features of the oracle's clip: calm, but for a flash at 1 s and a bang at 1.5 s."""
    root = tmp_path_factory.mktemp("traced") / "runs"
    shutil.copytree(small_runs, root)
    run = open_run(root, "tiny-run")
    sha256 = run.clips(generator="oracle")["clip_sha256"].iloc[0]
    times_T = np.arange(16) / 8
    error_P, flux_K = np.full(15, 2.0), np.zeros(200)
    error_P[7], flux_K[150] = 60.0, 20.0
    arrays = {
        "flow": {"times_T": times_T, "warp_error_P": error_P, "mean_P": np.full(15, 0.05)},
        "spectrum": {"flux_db_K": flux_K, "times_K": np.arange(200) / 100},
    }
    cache = FeatureCache(root / ".cache")
    for name, values in arrays.items():
        feature = FEATURES.get(name)
        cache.put(FeatureKey(sha256, name, feature.version, feature.weights_sha256), values)
    return root, sha256


def test_search_takes_words_in_any_order_and_says_when_nothing_matches(open_page, small_runs):
    app = open_page("cases.py", small_runs, q="snow FOX")
    assert app.dataframe[0].value["Case"].tolist() == ["case-1"]
    assert any("red fox" in text for text in texts(app))
    app.text_input(key="q").set_value("gulls").run()
    assert any("Waves roll" in text for text in texts(app))
    app.text_input(key="q").set_value("snow zebra").run()
    assert "No case matches" in app.info[0].value


def test_cases_have_the_mean_and_the_spread_of_the_contenders(open_page, small_runs):
    table = open_page("cases.py", small_runs).dataframe[0].value
    assert len(table) == 8
    assert ((table["Mean"] > 0.3) & (table["Mean"] < 0.95)).all()
    assert (table["Spread"] > 0.05).all()


def test_the_order_is_what_it_says(open_page, small_runs):
    hardest = open_page("cases.py", small_runs, order="hardest first").dataframe[0].value
    assert hardest["Mean"].is_monotonic_increasing
    apart = open_page("cases.py", small_runs, order="contenders differ most").dataframe[0].value
    assert apart["Spread"].is_monotonic_decreasing


def test_a_link_opens_a_case_of_every_generator(open_page, small_runs, small_generators):
    app = open_page("cases.py", small_runs, case="case-2", seed="1")
    assert any("A glass falls" in text for text in texts(app))
    scores = app.dataframe[1].value
    assert set(small_generators) <= set(scores.columns)
    assert any("No traces" in text for text in texts(app))
    assert app.query_params["case"] in ("case-2", ["case-2"])


def test_tags_are_all_required():
    from importlib import util
    from pathlib import Path

    import dashboards.serve

    source = Path(dashboards.serve.APP_SCRIPT).parent / "pages" / "cases.py"
    spec = util.spec_from_file_location("cases_page", source)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    index = pd.DataFrame({"case": ["a", "b"], "prompt": ["one", "two"], "tags": [("x", "y"), ("x",)]})
    assert module.matching(index, "", ["x"])["case"].tolist() == ["a", "b"]
    assert module.matching(index, "", ["x", "y"])["case"].tolist() == ["a"]
    assert module.matching(index, "B tw", [])["case"].tolist() == ["b"]


def test_traces_come_from_the_cache_in_lanes(traced):
    root, sha256 = traced
    found = {trace.name: trace for trace in clip_traces(root / ".cache", sha256)}
    assert list(found) == ["flicker", "motion", "sound"]
    assert found["flicker"].worst(1) == [(1.0, 60.0)]
    assert found["motion"].values_T == pytest.approx(0.4)
    assert found["sound"].marks == (1.5,)
    assert found["sound"].worst(3) == []
    points, marks = trace_plot.lanes(list(found.values()), trace_plot.reaches([list(found.values())]))
    assert set(points["lane"]) == set(found)
    assert set(marks["what"]) == {"worst flicker", "sudden sound"}
    assert clip_traces(root / ".cache", "0" * 64) == []


def test_worst_frames_name_their_moments(open_page, traced):
    app = open_page("cases.py", traced[0], case="case-1")
    assert "Worst frames" in [heading.value for heading in app.subheader]
    assert any(text.startswith("1.00 s: 60 of 255") for text in texts(app))


def test_thinning_keeps_the_worst():
    values = np.zeros(10_000)
    values[7_003] = 9.0
    thin = Trace("flicker", "", "", "high", np.arange(10_000) / 8, values).thinned(100)
    assert len(thin.values_T) == 100
    assert thin.worst(1)[0][1] == 9.0


def test_worst_moments_lie_apart_and_gaps_are_none():
    values = np.array([np.nan, 5.0, 4.9, 1.0, 4.0])
    trace = Trace("consistency", "", "", "low", np.arange(5) * 0.1, values)
    assert trace.worst(2) == [(pytest.approx(0.3), 1.0)]


def test_no_runs_yet(open_page, tmp_path):
    assert "No runs yet" in open_page("cases.py", tmp_path).info[0].value
