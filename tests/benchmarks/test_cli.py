"""The command line: one line per mistake with the right exit status, and JSON that is nothing but JSON."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from benchmarks.store import Run
from eval.clip import Clip
from eval.video import write_clip


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two readable clips, a broken one, a text file with a clip's name, and what is no clip at all."""
    folder = tmp_path / "clips"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in ("good.mp4", "half.mp4"):
        write_clip(Clip(random.integers(0, 256, (8, 3, 32, 32), dtype=np.uint8), 8.0), folder / name)
    whole = (folder / "half.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "text.mp4").write_text("no clip")
    (folder / "notes.md").write_text("# notes")
    (folder / "clips.csv").write_text('file,prompt\ngood.mp4,"<b>[red]a dog[/red]</b>"\n')
    return folder


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sweep", "backlott", "-g", "oracle"), "did you mean 'backlot'"),
        (("sweep", "smoke", "-g", "orcale"), "did you mean 'oracle'"),
        (("sweep", "smoke"), "no generator given"),
        (("sweep",), "which suite?"),
        (("sweep", "smoke", "-g", "oracle", "--executor", "threads"), "serial, processes or ray"),
        (("sweep", "smoke", "-g", "oracle", "--resume", "x"), "give --resume alone"),
        (("sweep", "--resume", "x"), "x"),
        (("sweep", "smoke", "-g", "oracle", "--name", "../out"), "letters, digits"),
        (("sweep", "footage", "-g", "oracle"), "no cases of its own"),
        (("leaderboard",), "no runs in"),
        (("leaderboard", "nothing"), "nothing"),
        (("compare", "nothing", "a", "b"), "nothing"),
        (("metrics", "temporal_fliker"), "did you mean 'temporal_flickering'"),
        (("score", "no-such-file.mp4"), "no such file or folder"),
        (("suites", "check", "no-such-suite"), "unknown suite"),
        (("suites", "import", "no.txt", "-o", "x.yaml"), "no such file"),
        (("generators", "check", "program:no-such-program"), "not an executable"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("manifest.json"))


def test_three_mistakes_in_a_suite_are_three_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "name: bad\nversion: 0\nmetrics:\n- {name: sharpnes}\ncases:\n- {id: 'a b', prompt: x}\n", encoding="utf-8"
    )
    result = run("suites", "check", path)
    assert result.exit_code == 2
    assert [line.split(": ")[2] for line in result.stderr.splitlines()] == ["version", "metrics[0].name", "cases[0].id"]


def test_score_gives_a_reason_for_each_broken_clip_and_loses_none(clips: Path, tmp_path: Path) -> None:
    result = run("score", clips, "--json", "--cache", tmp_path / "cache", "--workers", 1)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    by_name = {Path(clip["file"]).name: clip for clip in document["clips"]}
    assert sorted(by_name) == ["good.mp4", "half.mp4", "text.mp4"]
    for name in ("half.mp4", "text.mp4"):
        assert {row["status"] for row in by_name[name]["rows"]} == {"failed"}
        assert all(row["value"] is None and name in row["reason"] for row in by_name[name]["rows"])
    assert {"ok", "skipped"} == {row["status"] for row in by_name["good.mp4"]["rows"]}
    assert set(by_name["good.mp4"]["rows"][0]) == {"metric", "version", "encoder", "value", "status", "reason"}


def test_score_says_what_is_wrong_in_words(clips: Path) -> None:
    result = run("score", clips, "--no-cache", "--workers", 1)
    assert result.exit_code == 0
    assert "3 clips: 3 failed" in result.stdout, "noise is a failed generation"
    assert "looks like noise" in result.stdout


def test_nothing_readable_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    assert run("score", tmp_path / "a.mp4", "--no-cache").exit_code == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("score", empty)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "no clips here" in result.stderr


def test_results_as_json_and_files(tmp_path: Path) -> None:
    runs = ("--runs", str(tmp_path))
    swept = run("sweep", "smoke", "-g", "oracle,noise", "--limit", 2, "--name", "r", "--executor", "serial", *runs)
    assert swept.exit_code == 0, swept.output
    assert swept.stdout.index("oracle") < swept.stdout.index("noise")
    board = json.loads(run("leaderboard", "r", "--json", *runs).stdout)
    assert [g["generator"] for g in board["generators"]] == ["oracle", "noise"]
    assert {"value", "low", "high"} <= set(board["generators"][0]["total"])
    assert {"value", "low", "high", "scored", "expected"} <= set(board["generators"][0]["metrics"]["sharpness"])
    pair = json.loads(run("compare", "r", "oracle", "noise", "--json", *runs).stdout)
    assert {"difference", "low", "high", "p", "wins", "ties", "losses"} <= set(pair["metrics"]["sharpness"])
    page = tmp_path / "board.html"
    assert run("leaderboard", "r", "--html", page, *runs).exit_code == 0
    assert "oracle" in page.read_text()
    assert run("sweep", "smoke", "-g", "noise", "--name", "r", *runs).exit_code == 2, "the run exists"
    assert "complete: 4 of 4 units" in run("runs", "r", *runs).stdout


def test_a_finished_run_resumed_does_nothing_twice(tmp_path: Path) -> None:
    runs = ("--runs", str(tmp_path), "--executor", "serial")
    run("sweep", "smoke", "-g", "oracle", "--limit", 2, "--name", "r", *runs)
    again = run("sweep", "--resume", "r", *runs)
    assert again.exit_code == 0
    assert "0 clips now, 2 earlier" in again.stdout


def test_mistakes_with_stored_runs_are_one_line(tmp_path: Path) -> None:
    runs = ("--runs", str(tmp_path))
    run("sweep", "smoke", "-g", "oracle,noise", "--limit", 1, "--name", "r", "--executor", "serial", *runs)
    shutil.copytree(tmp_path / "r", tmp_path / "copy")
    for words in (
        ("compare", "r", "oracle", "orcale"),
        ("compare", "r", "oracle", "oracle"),
        ("leaderboard", "r", "r"),
        ("leaderboard", "r", "copy"),
        ("leaderboard", "r", "--csv", str(tmp_path)),
        ("sweep", "--resume", "r", "--limit", "3"),
        ("sweep", "smoke", "-g", "oracle", "--reference", str(tmp_path / "r" / "clips")),
    ):
        result = run(*words, *runs)
        assert (result.exit_code, len(result.stderr.strip().splitlines())) == (2, 1), (words, result.output)
    assert sorted(path.name for path in tmp_path.iterdir() if (path / "manifest.json").exists()) == ["copy", "r"]


def test_an_outage_is_no_failure_for_ever(tmp_path: Path) -> None:
    """A folder that is away when a run is resumed stops it; clips that failed can be tried again."""
    runs = ("--runs", str(tmp_path / "runs"), "--executor", "serial")
    run("sweep", "smoke", "-g", "oracle", "--limit", 2, "--name", "made", *runs)
    made, folder, away = Run(tmp_path / "runs" / "made"), tmp_path / "mine", tmp_path / "away"
    folder.mkdir()
    for case, file in zip(*(made.clips()[name] for name in ("case", "file")), strict=True):
        shutil.copy(tmp_path / "runs" / "made" / "clips" / file, folder / f"{case}.mp4")
    broken = folder / f"{made.clips()['case'][0]}.mp4"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:500])
    first = run("sweep", "smoke", "-g", f"mine=folder:{folder}", "--limit", 2, "--name", "r", *runs)
    assert "failed clips: 1" in first.stdout
    folder.rename(away)
    stopped = run("sweep", "--resume", "r", "--retry-failed", *runs)
    assert stopped.exit_code == 2
    assert stopped.stderr.count("error: ") == 1
    assert "there is no such folder" in stopped.stderr.splitlines()[-1]
    away.rename(folder)
    broken.write_bytes(whole)
    assert "0 clips now" in run("sweep", "--resume", "r", *runs).stdout
    again = run("sweep", "--resume", "r", "--retry-failed", *runs)
    assert "has changed since the run began" in again.stderr
    assert "1 clips now, 1 earlier" in again.stdout
    assert set(Run(tmp_path / "runs" / "r").clips()["status"]) == {"ok"}


def test_a_generator_that_answers_nothing_is_a_failure(tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text("import sys; sys.exit('\x1b]0;owned\x07 no GPU')")
    words = ("-g", f"oracle,bad=program:{sys.executable} {script}", "--limit", 1, "--name", "r", "--executor", "serial")
    result = run("sweep", "smoke", *words, "--runs", tmp_path)
    assert result.exit_code == 1
    assert "bad has answered no case" in result.stderr
    shown = run("runs", "r", "--runs", tmp_path)
    assert "no GPU" in shown.stdout
    assert "\x1b" not in result.output + shown.output


def test_no_text_of_a_stranger_steers_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "a\x1b[31m\x1b]0;owned\x07.mp4").write_bytes(b"no clip")
    scored = run("score", folder, "--no-cache")
    prompts = tmp_path / "p.txt"
    prompts.write_text("\x1b[2Ja dog\n" * 2)
    imported = run("suites", "import", prompts, "-o", tmp_path / "s.yaml")
    missing = run("score", tmp_path / "b\x1b[31m.mp4")
    assert "owned" in scored.stdout
    assert "a dog" in imported.stderr
    assert "\x1b" not in scored.output + imported.output + missing.output


def test_every_listing_works(tmp_path: Path) -> None:
    for words in (("metrics",), ("metrics", "--json"), ("suites", "list"), ("generators", "list"), ("doctor",)):
        result = run(*words)
        assert result.exit_code in ({0, 1} if words == ("doctor",) else {0}), result.output
        assert len(result.stdout) > 100
    assert isinstance(json.loads(run("metrics", "--json").stdout), list)
