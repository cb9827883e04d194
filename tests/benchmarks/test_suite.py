"""Suites: every mistake named with its place; the hash follows what matters."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.suite import (
    MAX_BYTES,
    MAX_SEED,
    MAX_VALUES,
    SUITES_FOLDER,
    TRUTH_DEPTH,
    Suite,
    SuiteError,
    load_suite,
    parse_suite,
    suite_names,
    write_suite,
)

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


HEAD = "name: tiny\nversion: 1\nmetrics: [{name: temporal_flickering%s}]\n"


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """What load_suite says of a file, a line for each mistake; every line begins with the file's name."""
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError) as caught:
        load_suite(str(path))
    lines = str(caught.value).splitlines()
    assert all(line.startswith("s.yaml: ") for line in lines)
    return [line.removeprefix("s.yaml: ") for line in lines]


def truth(content: str) -> str:
    return HEAD % "" + f"cases: [{{id: a, truth: {content}}}]\n"


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (HEAD % ", worst: .nan", "metrics[0].worst", "finite number"),
        (HEAD % ", best: -.inf", "metrics[0].best", "finite number"),
        (HEAD % ", weight: .inf", "metrics[0].weight", "finite number"),
        (HEAD % "" + "families: {picture: .inf}", "families.picture", "finite number"),
        (HEAD % "" + "families: {temporal: -1}", "families.temporal", "0 or more, not -1"),
        (HEAD % "" + "families: {pciture: 0}", "families.pciture", "did you mean 'picture'?"),
        (HEAD % "" + "families: {zzz: 0}", "families.zzz", "temporal, motion, "),
        (HEAD % "" + "seeds: [0, 0, 1]", "seeds", "seed given twice: 0"),
        (HEAD % "" + "seeds: [0, -1]", "seeds[1]", "between 0 and 9007199254740991"),
        (HEAD % "" + f"seeds: [{2**53}]", "seeds[0]", "between 0 and 9007199254740991"),
        (HEAD % "" + "cases: [{id: a, seeds: [3, 3]}]", "cases[0].seeds", "seed given twice: 3"),
        (HEAD % "" + "cases: [{id: a, seeds: [-2]}]", "cases[0].seeds[0]", "between 0 and"),
        (truth("{x: !!binary aGk=}"), "cases[0].truth", "at x: a bytes is not JSON"),
        (truth("{x: {y: [1, 2026-01-02]}}"), "cases[0].truth", "at x.y[1]: a date is not JSON"),
        (truth("{x: !!set {a, b}}"), "cases[0].truth", "at x: a set is not JSON"),
        (truth("{x: [1, .nan]}"), "cases[0].truth", "at x[1]: nan is not a finite number"),
        (truth("{x: {1: a}}"), "cases[0].truth", "at x: the name '1' is not text"),
        (truth("{x: " + "[" * TRUTH_DEPTH + "]" * TRUTH_DEPTH + "}"), "cases[0].truth", "inside one another"),
        (HEAD % "" + '"a\\nb": 1', "a b", "not permitted"),
        (HEAD % "" + "description: 2026-13-45", "not readable as YAML", "line 4, column 14"),
        (HEAD % "" + "description: !!bool x", "not readable as YAML", "line 4, column 14"),
        (HEAD % "" + "description: !!timestamp x", "not readable as YAML", "line 4, column 14"),
        (HEAD % "" + "version: " + "9" * 5000, "not readable as YAML", "line 4, column 10"),
    ],
)
def test_values_that_cannot_count_are_one_line_with_their_place(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    (line,) = mistakes(tmp_path, text)
    assert line.startswith(f"{place}: ")
    assert said in line


def test_a_truth_from_code_is_held_to_the_same() -> None:
    for value in (float("inf"), b"x", {1}, object(), "\ud800", {"\ud800": 1}):
        with pytest.raises(SuiteError, match=r"s: cases\[0\]\.truth: at x"):
            parse_suite({**GOOD, "cases": [{"id": "a", "truth": {"x": value}}]}, "s")
    whole = {"x": (1, [2.5, None, True, "é"]), "deep": 0}
    for _ in range(TRUTH_DEPTH - 3):
        whole = {"x": whole}
    (case,) = parse_suite({**GOOD, "cases": [{"id": "a", "truth": whole}]}, "s").cases
    assert json.loads(json.dumps(case.truth)) == json.loads(json.dumps(whole))


def test_the_ends_of_what_is_allowed() -> None:
    suite = parse_suite({**GOOD, "seeds": [0, MAX_SEED], "families": {"picture": 0, "sound": 2}}, "s")
    assert (suite.seeds, suite.families) == ((0, 2**53 - 1), {"picture": 0, "sound": 2})


def test_a_stored_run_outlives_rules_and_families() -> None:
    old: dict[str, Any] = {**GOOD, "seeds": [0, 0, -1], "families": {"smell": 1, "motion": -1}}
    suite = Suite.model_validate(old, context={"stored": True})
    assert (suite.seeds, suite.families) == ((0, 0, -1), {"smell": 1, "motion": -1})
    with pytest.raises(SuiteError) as caught:
        parse_suite(old, "s")
    assert len(str(caught.value).splitlines()) == 3


def bomb(first: str, level: str) -> str:
    return f"x0: &x0 {first}\n" + "".join(
        f"x{n}: &x{n} " + level % ", ".join([f"*x{n - 1}"] * 9) + "\n" for n in range(1, 9)
    )


@pytest.mark.parametrize("text", [bomb("[a]", "[%s]"), bomb("{a: 1}", "{<<: [%s]}"), "- &a x\n- *a\n", "&a [*a]\n"])
def test_aliases_are_refused_before_they_are_followed(tmp_path: Path, text: str) -> None:
    (line,) = mistakes(tmp_path, text)
    assert "aliases and anchors are not allowed" in line
    assert "line 1" in line


@pytest.mark.parametrize("text", ["[" * 200_000, "{" * 200_000, "- " * 200_000 + "a", "? " * 200_000 + "a"])
def test_deep_nesting_is_a_mistake_and_does_not_kill_the_process(tmp_path: Path, text: str) -> None:
    (line,) = mistakes(tmp_path, text)
    assert "inside one another" in line


def test_large_files_are_refused(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, "#" * (MAX_BYTES + 1))
    assert "larger than 16 MiB" in line


def test_files_of_too_many_values_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_VALUES > 50_000, "a thousand scenes with their truth"
    monkeypatch.setattr("benchmarks.suite.MAX_VALUES", 100)
    (line,) = mistakes(tmp_path, "[" + "a, " * 100 + "]")
    assert "more than 100 values" in line


def test_a_reference_is_read_with_the_same_care(tmp_path: Path) -> None:
    write_suite(load_suite("smoke"), tmp_path / "s.yaml")
    beside = tmp_path / "s.reference.yaml"
    beside.write_text(re.sub(r"q50: [^,}]+", "q50: .nan", beside.read_text(), count=1))
    with pytest.raises(SuiteError, match=r"s\.yaml: reference\.quantiles\.\w+\.q50: Input should be a finite number"):
        load_suite(str(tmp_path / "s.yaml"))
    beside.write_text(bomb("[a]", "[%s]"))
    with pytest.raises(SuiteError, match=r"s\.reference\.yaml: .* aliases"):
        load_suite(str(tmp_path / "s.yaml"))


def test_what_occurs_twice_is_written_in_full(tmp_path: Path) -> None:
    shared = [1, 2]
    suite = parse_suite({**GOOD, "cases": [{"id": "a", "truth": {"x": shared, "y": shared}}]}, "s")
    write_suite(suite, tmp_path / "s.yaml")
    assert load_suite(str(tmp_path / "s.yaml")).sha256 == suite.sha256


def test_the_shipped_suites_are_what_they_were() -> None:
    """Stored runs and published numbers name these hashes: a new one needs a new version of the suite."""
    assert load_suite("backlot").sha256[:12] == "078a2cf2ae54"
    assert load_suite("smoke").sha256[:12] == "9ce1724e5f90"


@pytest.mark.parametrize("name", suite_names())
def test_written_suites_read_back_the_same(tmp_path: Path, name: str) -> None:
    suite = load_suite(name)
    shutil.copytree(SUITES_FOLDER / "portraits", tmp_path / "portraits")  # references lie below the suite's folder
    write_suite(suite, tmp_path / "copy.yaml")
    assert load_suite(str(tmp_path / "copy.yaml")).sha256 == suite.sha256
