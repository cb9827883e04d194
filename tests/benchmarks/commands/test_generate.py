"""`moviegen generate` on untrained weights: files, tables and pictures, and one line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

import moviegen.generate
from benchmarks.cli import app
from benchmarks.clip_files import read_table
from benchmarks.commands.generate import _stems
from eval.video import open_clip

DOG = "A dog runs through a park"
SHORT = ("--steps", "1", "--duration", "0.5", "--size", "32x32")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["generate", *map(str, words)])


@pytest.mark.usefixtures("shipped_untrained")
def test_a_prompt_makes_a_file_and_says_what_it_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dog.mp4"
    result = run(DOG, "-o", path, "--seed", 5, *SHORT)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{path}: 4 frames, 32x32, 8 fps, 0.5 s, seed 5, made in ")
    info = open_clip(path).info
    assert (info.width, info.height, info.fps, info.duration_s, info.has_audio) == (32, 32, 8.0, 0.5, False)
    first = path.read_bytes()
    assert run(DOG, "-o", path, "--seed", 5, *SHORT).exit_code == 0
    assert path.read_bytes() == first, "the same prompt and seed make the same file"
    run(DOG, "-o", path, "--seed", 6, *SHORT)
    assert path.read_bytes() != first


@pytest.mark.usefixtures("shipped_untrained")
def test_every_option_of_sampling_changes_the_clip(tmp_path: Path) -> None:
    made = []
    for number, words in enumerate(
        [
            (),
            ("--steps", "2"),
            ("--steps", "2", "--schedule", "linear"),
            ("--steps", "2", "--method", "midpoint"),
            ("--steps", "2", "--guidance", "1"),
            ("--checkpoint", "reference-early"),
        ]
    ):
        path = tmp_path / f"{number}.gif"
        result = run(DOG, "-o", path, *SHORT, *words)
        assert result.exit_code == 0, result.output
        made.append(path.read_bytes())
    assert len(set(made)) == len(made)


@pytest.mark.usefixtures("shipped_untrained")
def test_several_prompts_make_a_folder_with_a_table(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    result = run(DOG, "a dog, runs through a PARK!", "a 🐉 flies", "-o", folder, "--seed", 2, *SHORT)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("note: words the model was not taught: 🐉") == 1
    names = ["a-dog-runs-through-a-park.mp4", "a-dog-runs-through-a-park-2.mp4", "a-flies.mp4"]
    assert sorted(path.name for path in folder.glob("*.mp4")) == sorted(names)
    table = read_table(folder)
    assert [table[name].prompt for name in names] == [DOG, "a dog, runs through a PARK!", "a 🐉 flies"]
    assert {row.seed for row in table.values()} == {2}
    assert run("a cat", "-o", f"{folder}/", *SHORT).exit_code == 0
    assert set(read_table(folder)) == {*names, "a-cat.mp4"}, "what stood in the table stays"


@pytest.mark.usefixtures("shipped_untrained")
def test_other_columns_of_a_table_stay(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text('file,mine\na-cat.mp4,old\nb.mp4,"x, y"\n')
    assert run("a cat", "-o", tmp_path, *SHORT).exit_code == 0
    assert (tmp_path / "clips.csv").read_text() == 'file,mine,prompt,seed\nb.mp4,"x, y",,\na-cat.mp4,,a cat,0\n'


@pytest.mark.usefixtures("shipped_untrained")
def test_the_grid_shows_the_frames_of_each_clip(tmp_path: Path) -> None:
    picture = tmp_path / "grid.png"
    result = run("a dog", "a cat", "-o", tmp_path / "f", "--grid", picture, *SHORT)
    assert result.exit_code == 0, result.output
    grid = cv2.imread(str(picture))
    assert grid is not None
    assert grid.shape == (2 * 32, 4 * 32, 3)
    assert len(np.unique(grid)) > 1


def test_names_are_made_of_words() -> None:
    assert _stems(["../../etc/passwd", "", "🐉", "Собака бежит", "a" * 300]) == [
        "etc-passwd", "clip", "clip-2", "собака-бежит", "a" * 60,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "which prompt? moviegen generate"),
        ((DOG,), "where to?"),
        ((DOG, "-o", "dog"), "-o dog: a clip ends in .mp4"),
        ((DOG, "-o", "dog.avi"), "a clip ends in .mp4"),
        (("a", "b", "-o", "dog.mp4"), "2 clips go into a folder"),
        ((DOG, "-o", "d.mp4", "--size", "64"), "--size 64: WIDTHxHEIGHT"),
        ((DOG, "-o", "d.mp4", "--size", "64x60"), "tiny makes clips 16 to 128 pixels high in steps of 16"),
        ((DOG, "-o", "d.mp4", "--size", "768x768"), "768 were asked for"),
        ((DOG, "-o", "d.mp4", "--duration", "60"), "60 s were asked for"),
        ((DOG, "-o", "d.mp4", "--duration", "nan"), "nan s were asked for"),
        ((DOG, "-o", "d.mp4", "--fps", "24"), "tiny makes clips of 8 frames per second; 24 were asked for"),
        ((DOG, "-o", "d.mp4", "--steps", "0"), "1 to 1000 steps; 0 were asked for"),
        ((DOG, "-o", "d.mp4", "--schedule", "cosine"), "unknown schedule 'cosine'"),
        ((DOG, "-o", "d.mp4", "--method", "heun"), "unknown method 'heun'"),
        ((DOG, "-o", "d.mp4", "--guidance", "1e9"), "guidance lies between 0 and 100"),
        ((DOG, "-o", "d.mp4", "--checkpoint", "best"), "no shipped weights called 'best': there are reference"),
        ((DOG, "-o", "d.mp4", "--weights", "none.safetensors"), "none.safetensors: no such file"),
        ((DOG, "-o", "d.mp4", "--tae", "none.safetensors"), "none.safetensors: no such file"),
        ((DOG, "-o", "d.mp4", "--grid", "d.jpg"), "--grid d.jpg: a picture is written as .png"),
        (("", "-o", "d.mp4"), "the prompt is empty: say what is to be seen"),
        ((DOG, "\x1b\x07", "-o", "d"), "the prompt is empty"),
    ],
)
@pytest.mark.usefixtures("shipped_untrained")
def test_mistakes_are_one_line_and_leave_nothing(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("shipped_untrained")
def test_pickles_and_other_networks_are_one_line(tmp_path: Path, untrained: Path) -> None:
    pickled = tmp_path / "last.ckpt"
    torch.save({"state_dict": {}}, pickled)
    for words, says in (
        (("--weights", pickled), "pickled checkpoints are not read"),
        (("--weights", untrained / "tae-f8t4.safetensors"), "holds weights of kind 'tae'; 'video' is needed here"),
        (("--tae", untrained / "tae-f8t8.safetensors"), "holds preset 'f8t8', not 'f8t4'"),
    ):
        result = run(DOG, "-o", tmp_path / "d.mp4", *words)
        assert (result.exit_code, len(result.stderr.strip().splitlines())) == (2, 1), result.output
        assert says in result.stderr


def test_weights_that_are_not_there_yet_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moviegen.weights.FOLDER", tmp_path)
    result = run(DOG, "-o", tmp_path / "d.mp4")
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "error: no shipped weights called 'reference': there are none; train one (moviegen train video), or name a "
        "file of yours"
    )


@pytest.mark.usefixtures("shipped_untrained")
def test_out_of_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: Any, **__: Any) -> torch.Tensor:
        return torch.empty(1 << 58)

    monkeypatch.setattr(moviegen.generate, "decode_tiled", greedy)
    result = run(DOG, "-o", tmp_path / "d.mp4", *SHORT)
    assert result.exit_code == 2
    assert "error: out of memory making a clip of 4 frames, 32x32, 8 fps: ask for a shorter" in result.stderr


@pytest.mark.usefixtures("shipped_untrained")
def test_a_strange_or_long_prompt_is_noted_in_one_line_and_goes_on(tmp_path: Path) -> None:
    strange, long = "a dog \x1b[31m \x1b]0;owned\x07 🐕", "dog " * 2500
    result = run(strange, "-o", tmp_path / "a.mp4", *SHORT)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert [line for line in result.stderr.splitlines() if line.startswith("note: ")] == [
        "note: words the model was not taught: [, m, ], ;, owned, 🐕"
    ]
    result = run(long, "-o", tmp_path / "b.mp4", *SHORT)
    assert result.exit_code == 0, result.output
    assert "note: the prompt is too long: only its first 64 words are read" in result.stderr


@pytest.mark.usefixtures("shipped_untrained")
def test_a_place_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(DOG, "-o", tmp_path / "file" / "d.mp4", *SHORT)
    assert (result.exit_code, len(result.stderr.strip().splitlines())) == (1, 1), result.output


@pytest.mark.usefixtures("shipped_untrained")
def test_clips_are_marked_unless_you_say_none(tmp_path: Path) -> None:
    marked, plain, again = (tmp_path / name for name in ("marked.mp4", "plain.mp4", "again.mp4"))
    words = (DOG, "--seed", 5, "--steps", "1", "--size", "64x64")
    result = run(*words, "-o", marked)
    assert result.exit_code == 0, result.output
    assert f"marked with learned; to see it: moviegen marks detect {marked}" in result.stdout.replace("\n", "")
    unmarked = run(*words, "-o", plain, "--mark", "none")
    assert unmarked.exit_code == 0, unmarked.output
    assert "marked" not in unmarked.stdout.replace(str(tmp_path), "")
    run(*words, "-o", again)
    assert marked.read_bytes() == again.read_bytes(), "the same prompt and seed say the same"

    def looked(path: Path) -> dict[str, Any]:
        found = CliRunner().invoke(app, ["marks", "detect", str(path), "--json"])
        assert found.exit_code == 0, found.output
        (row,) = json.loads(found.stdout)["clips"]
        return dict(row)

    assert looked(marked)["marked"]
    assert not looked(plain)["marked"]


@pytest.mark.usefixtures("shipped_untrained")
def test_the_owner_chooses_mark_message_and_key(tmp_path: Path) -> None:
    key, path = tmp_path / "key", tmp_path / "dog.mp4"
    key.write_text("99")
    key.chmod(0o644)
    words = ("--mark", "qim-dct", "--message", "0123abcd", "--key-file", key)
    result = run(DOG, "-o", path, *words, "--steps", "1", "--size", "64x64")
    assert result.exit_code == 0, result.output
    assert "warning: " in result.stderr
    assert "others can read this key" in result.stderr
    asked = [
        "marks",
        "detect",
        str(path),
        "--mark",
        "qim-dct",
        "--key-file",
        str(key),
        "--message",
        "0123abcd",
        "--json",
    ]
    (row,) = json.loads(CliRunner().invoke(app, asked).stdout)["clips"]
    assert row["message"] == "0123abcd"
    assert row["matches"] == 32


@pytest.mark.usefixtures("shipped_untrained")
def test_a_signed_clip_binds_its_mark(tmp_path: Path) -> None:
    from safety.provenance.authority import make_authority
    from safety.provenance.claim import text_sha256
    from safety.provenance.credentials import credentials
    from safety.provenance.keys import save_authority

    save_authority(make_authority("es256", organisation="test", days=2), tmp_path / "keys")
    path = tmp_path / "dog.mp4"
    result = run(DOG, "-o", path, *SHORT, "--sign", tmp_path / "keys", "--message", "0123abcd")
    assert result.exit_code == 0, result.output
    (binding,) = credentials(path).marks
    assert (binding.mark, binding.message_sha256) == ("learned", text_sha256("0123abcd"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--mark", "lerned"), "unknown mark 'lerned': did you mean 'learned'"),
        (("--message", "12"), "32 bits are 8 hexadecimal digits"),
        (("--mark", "none", "--message", "12345678"), "--message and --key-file go with a mark"),
        (("--key-file", "none"), "none: No such file"),
        (("--mark", "spread-sound"), "the clip has no sound"),
        (("--mark", "spread-dct", "--size", "16x16"), "16x16 pixels are too small for spread-dct"),
    ],
)
@pytest.mark.usefixtures("shipped_untrained")
def test_marks_that_cannot_be_are_told_before_the_work(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    result = run(DOG, "-o", tmp_path / "d.mp4", *words)
    assert (result.exit_code, len(result.stderr.strip().splitlines())) == (2, 1), result.output
    assert says in result.stderr
    assert not list(tmp_path.iterdir())
