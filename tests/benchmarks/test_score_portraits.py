"""`moviegen score` of clips whose table names portraits."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from benchmarks.clip_files import TableError, read_table
from eval.clip import Clip
from eval.video import write_clip
from moviegen.backlot import elsewhere, portrait, render, sample_scene


def score(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["score", *map(str, words), "--no-cache", "--workers", "1"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of one person, whose portrait lies in a folder of its own; of the second nobody says whose it is."""
    folder = tmp_path_factory.mktemp("clips")
    scene = sample_scene(40, subject="person", shot="close-up", action="wave", other="none", light="day")
    for name, seed in (("a.mp4", 41), ("b.mp4", 42)):
        shown = elsewhere(scene, seed, shot="close-up", action="wave", other="none", light="day", weather="clear")
        frames_TCHW = render(shown, width=128, height=128, frames=6, sound=False).frames_TCHW
        write_clip(Clip(frames_TCHW, 8.0), folder / name)
    (folder / "portraits").mkdir()
    assert scene.person is not None
    picture_HWC = np.ascontiguousarray(portrait(scene.person).transpose(1, 2, 0)[..., ::-1])
    cv2.imwrite(str(folder / "portraits" / "who.png"), picture_HWC)
    (folder / "clips.csv").write_text("file,prompt,portrait\na.mp4,waving,portraits/who.png\nb.mp4,waving,\n")
    return folder


def test_a_column_portrait_says_who_is_asked_for(folder: Path) -> None:
    result = score(folder, "-m", "identity_coverage,identity_score", "--json")
    assert result.exit_code == 0, result.output
    clips = {Path(clip["file"]).name: clip for clip in json.loads(result.stdout)["clips"]}
    assert set(clips) == {"a.mp4", "b.mp4"}  # the folder of portraits is no clip
    told, untold = ({row["metric"]: row for row in clips[name]["rows"]} for name in ("a.mp4", "b.mp4"))
    assert told["identity_coverage"]["value"] == 1
    assert told["identity_score"]["value"] > 0.3
    assert told["identity_score"]["encoder"] == "backlot-faces"
    assert untold["identity_score"]["reason"] == "the case has no portrait"


def test_the_suite_of_personalised_cases_serves_for_scoring(folder: Path) -> None:
    result = score(folder / "a.mp4", "--suite", "identity")
    assert result.exit_code == 0, result.output
    assert "identity_score" in result.output


@pytest.mark.parametrize("path", ["/etc/hostname", "../who.png"])
def test_portraits_outside_the_folder_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "clips.csv").write_text(f"file,portrait_a\na.mp4,{path}\n")
    with pytest.raises(TableError, match=r"clips.csv: row 1: .* points outside the folder"):
        read_table(tmp_path)


def test_several_people_have_a_column_each(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("file,portrait_a,portrait_b\na.mp4,p/a.png,p/b.png\nb.mp4,,p/b.png\n")
    rows = read_table(tmp_path)
    assert rows["a.mp4"].portraits == {"portrait_a": "p/a.png", "portrait_b": "p/b.png"}
    assert rows["b.mp4"].portraits == {"portrait_b": "p/b.png"}
