"""Suites: every mistake named with its place; the hash follows what matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.suite import SuiteError, load_suite, parse_suite, suite_names, write_suite

GOOD = {
    "name": "tiny",
    "version": 1,
    "metrics": [{"name": "temporal_flickering"}],
    "cases": [{"id": "a", "prompt": "A dog runs"}, {"id": "b", "prompt": "A cat sleeps", "seeds": [1, 2]}],
}


def test_three_mistakes_are_three_lines_with_their_places() -> None:
    bad = {
        **GOOD,
        "metrics": [{"name": "temporal_flickering"}, {"name": "temporal_fliker"}],
        "cases": [{"id": "a", "prompt": "x", "colour": "red"}, {"id": "../b", "prompt": "y"}],
    }
    with pytest.raises(SuiteError) as caught:
        parse_suite(bad, "bad.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert any("bad.yaml: metrics[1].name" in s and "did you mean 'temporal_flickering'" in s for s in lines)
    assert any("bad.yaml: cases[0].colour" in s for s in lines)
    assert any("bad.yaml: cases[1].id" in s for s in lines)


def test_names_given_twice_are_refused() -> None:
    with pytest.raises(SuiteError, match="case id given twice: a"):
        parse_suite({**GOOD, "cases": [{"id": "a"}, {"id": "a"}]}, "s")
    with pytest.raises(SuiteError, match="metric given twice"):
        parse_suite({**GOOD, "metrics": GOOD["metrics"] * 2}, "s")


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "a: [1\n", "!!python/object/apply:os.system ['true']\n", "\x00"])
def test_what_is_not_a_suite_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(SuiteError, match=r"s\.yaml") as caught:
        load_suite(str(path))
    assert "\n" not in str(caught.value)


def test_unknown_suite_suggests() -> None:
    with pytest.raises(SuiteError, match="did you mean 'backlot'"):
        load_suite("backlott")


def test_seeds_expand_and_hostile_prompts_stay_text() -> None:
    hostile = "<script>alert(1)</script>\n../../etc/passwd 🎬"
    suite = parse_suite({**GOOD, "cases": [*GOOD["cases"], {"id": "c", "prompt": hostile}]}, "s")
    assert [(c.id, c.seed) for c in suite.expand()] == [("a", 0), ("b", 1), ("b", 2), ("c", 0)]
    assert list(suite.expand())[-1].prompt == hostile


def test_the_hash_changes_with_what_can_change_a_score() -> None:
    suite = parse_suite(GOOD, "s")
    assert parse_suite({**GOOD}, "elsewhere").sha256 == suite.sha256
    for change in (
        {"version": 2},
        {"seeds": [1]},
        {"metrics": [{"name": "temporal_flickering", "weight": 2}]},
        {"cases": GOOD["cases"][:1]},
    ):
        assert parse_suite({**GOOD, **change}, "s").sha256 != suite.sha256


@pytest.mark.parametrize("name", suite_names())
def test_written_suites_read_back_the_same(tmp_path: Path, name: str) -> None:
    suite = load_suite(name)
    write_suite(suite, tmp_path / "copy.yaml")
    assert load_suite(str(tmp_path / "copy.yaml")).sha256 == suite.sha256
