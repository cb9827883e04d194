"""`moviegen metrics`: everything that can be measured, and whose weights it takes."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from benchmarks.cli import app
from benchmarks.metric_list import every_metric, find_metric
from eval.distribution.spec import SET_METRICS
from eval.encoders.registry import ENCODERS
from eval.metric import METRICS
from eval.registry import UnknownName


def test_every_metric_of_both_kinds_is_listed_once() -> None:
    listed = every_metric()
    assert sorted(one.name for one in listed) == sorted([*METRICS.names(), *SET_METRICS.names()])
    assert {one.name for one in listed if one.kind == "set"} == set(SET_METRICS.names())
    for one in listed:
        assert all((one.source, one.summary, one.blind_spots, one.range)), one.name


def test_licences_are_the_registrys() -> None:
    assert find_metric("fvd").encoders == {"i3d-k400": ENCODERS.get("i3d-k400").licence.name}
    assert not find_metric("fvd").commercial
    assert find_metric("backlot_coverage").encoders == {"backlot-encoder": "ours"}
    assert find_metric("backlot_coverage").commercial
    assert find_metric("sharpness").encoders == {}
    assert (find_metric("loudness").range, find_metric("fvd_limit").range) == ("-70 to ∞ LUFS", "-∞ to ∞")
    with pytest.raises(UnknownName, match="did you mean 'fvd'"):
        find_metric("fdv")


def test_the_table_names_all_and_stays_readable_at_120_columns() -> None:
    text = CliRunner().invoke(app, ["metrics"]).stdout
    assert max(map(cell_len, text.splitlines())) <= 120
    lines = [line.split() for line in text.splitlines() if line.strip()]
    names = {words[0] for words in lines}
    assert {*METRICS.names(), *SET_METRICS.names()} <= names
    assert lines[0] == ["metric", "better", "range", "encoder", "licence", "source"]
    assert ["fvd", "lower", "0", "to", "∞", "i3d-k400"] in [words[:6] for words in lines]


def test_json_holds_what_the_table_does_and_more() -> None:
    documents = {one["name"]: one for one in json.loads(CliRunner().invoke(app, ["metrics", "--json"]).stdout)}
    assert set(documents) == {*METRICS.names(), *SET_METRICS.names()}
    wanted = {"family", "direction", "low", "high", "unit", "source", "summary", "blind_spots", "kind", "encoders"}
    for name, one in documents.items():
        assert wanted <= set(one), name
    explained = CliRunner().invoke(app, ["metrics", "videomae_recall"]).stdout
    assert "licence: cc-by-nc-4.0" in explained
    assert "of all clips of a generator together" in explained
