"""`moviegen marks`: listed, embedded, detected, and one line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from eval.clip import Clip
from eval.marks.files import read_whole
from eval.video import write_clip


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["marks", *map(str, words)])


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A short clip of noise with sound."""
    random = np.random.default_rng(0)
    frames = random.integers(60, 190, (6, 3, 64, 64), dtype=np.uint8)
    sound = random.normal(0, 0.1, (1, 32_000)).astype(np.float32)
    path = tmp_path / "clip.mp4"
    write_clip(Clip(frames, 3.0, sound, 16_000), path)
    return path


def test_the_marks_are_listed() -> None:
    listed = json.loads(run("--json").stdout)["marks"]
    assert {row["name"] for row in listed} == {"spread-dct", "qim-dct", "dwt-dct", "learned", "spread-sound"}
    assert {row["stream"] for row in listed} == {"picture", "sound"}
    assert [len(row["weights_sha256"]) for row in listed if row["name"] == "learned"] == [64]
    shown = run().stdout
    for row in listed:
        assert row["name"] in shown


@pytest.mark.parametrize("mark", ["spread-dct", "spread-sound"])
def test_a_message_is_written_and_read(mark: str, clip: Path, tmp_path: Path) -> None:
    key, marked = tmp_path / "key", tmp_path / "marked.mkv"
    key.write_text("12")
    key.chmod(0o600)
    words = ("--mark", mark, "--key-file", key, "--message", "0123abcd")
    result = run("embed", clip, "-o", marked, *words)
    assert result.exit_code == 0, result.output
    assert "warning" not in result.stderr
    assert read_whole(marked).frames_TCHW.shape == (6, 3, 64, 64)
    found = run("detect", marked, clip, *words, "--json")
    assert found.exit_code == 0, found.output
    with_mark, without = json.loads(found.stdout)["clips"]
    assert (with_mark["message"], with_mark["matches"], with_mark["marked"]) == ("0123abcd", 32, True)
    assert with_mark["p_message"] == pytest.approx(2.0**-32)
    assert without["marked"] is False
    assert without["p_message"] > 1e-4
    said = run("detect", marked, clip, *words).stdout.replace("\n", " ")
    assert "marked (chance at most" in said
    assert "no mark found" in said


def test_a_key_that_others_can_read_is_warned_of(clip: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("12")
    key.chmod(0o644)
    result = run("detect", clip, "--mark", "spread-dct", "--key-file", key)
    assert result.exit_code == 0, result.output
    assert "others can read this key" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("embed", "{clip}", "-o", "x.mp4", "--message", "1"), "32 bits are 8 hexadecimal digits"),
        (("embed", "{clip}", "-o", "x.avi", "--message", "12345678"), "a clip ends in .mp4"),
        (("embed", "nowhere.mp4", "-o", "x.mp4", "--message", "12345678"), "nowhere.mp4"),
        (("detect", "{clip}", "--mark", "qim"), "unknown mark 'qim': did you mean 'qim-dct'"),
        (("detect", "{clip}", "--mark", "torchscript:nowhere"), "nowhere/mark.json: no such file"),
        (("detect", "{clip}", "--key-file", "nokey"), "nokey: No such file"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...], says: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*(word.replace("{clip}", str(clip)) for word in words))
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "x.mp4").exists()
