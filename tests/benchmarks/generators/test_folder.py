"""A folder as a generator: what is matched, by which rule, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.clip_files import TableError, find_clips, read_table
from benchmarks.generator import GeneratorError, GeneratorSpec, NoClip, parse_generators
from benchmarks.generators.folder import FolderGenerator, folder_cases, match_files
from eval.case import Case

PROMPT = "A dog, brown & happy, runs through a park!"
CASES = (
    Case("b001", prompt=PROMPT, seed=0),
    Case("b001", prompt=PROMPT, seed=7),
    Case("b002", prompt="A red ball bounces", seed=0),
    Case("b003", prompt="x" * 300, seed=0),
)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"clip")


def matched(folder: Path) -> dict[tuple[str, int], str]:
    match = match_files(folder, find_clips(folder), read_table(folder), CASES)
    return {unit: path.relative_to(folder).as_posix() for unit, path in match.files.items()}


def test_names_by_case_id(tmp_path: Path) -> None:
    touch(tmp_path, "b001.mp4", "b001-7.MP4", "b002/0.webm", "notes.txt")
    assert matched(tmp_path) == {("b001", 0): "b001.mp4", ("b001", 7): "b001-7.MP4", ("b002", 0): "b002/0.webm"}


def test_vbench_names_count_the_seeds_from_zero_and_may_be_cut_off(tmp_path: Path) -> None:
    touch(tmp_path, "A dog, brown & happy, runs through a park!-0.mp4", "a dog brown  happy runs through a park-1.mp4")
    touch(tmp_path, "x" * 180 + "-0.mp4", "A red ball-0.mp4")
    assert matched(tmp_path) == {
        ("b001", 0): "A dog, brown & happy, runs through a park!-0.mp4",
        ("b001", 7): "a dog brown  happy runs through a park-1.mp4",
        ("b003", 0): "x" * 180 + "-0.mp4",
    }


def test_a_table_wins_over_names(tmp_path: Path) -> None:
    touch(tmp_path, "b002.mp4", "clip one.mp4")
    (tmp_path / "clips.csv").write_text('file,prompt,seed\nb002.mp4,"A dog, brown & happy, runs through a park!",7\n')
    assert matched(tmp_path) == {("b001", 7): "b002.mp4"}


def test_a_table_that_names_an_unknown_case_is_not_second_guessed(tmp_path: Path) -> None:
    touch(tmp_path, "b001.mp4", "b002-9.mp4")
    (tmp_path / "clips.csv").write_text("file,case\nb001.mp4,b0O1\ngone.mp4,b002\n")
    match = match_files(tmp_path, find_clips(tmp_path), read_table(tmp_path), CASES)
    assert match.files == {}
    report = "\n".join(FolderGenerator(tmp_path, match).report(CASES))
    assert "files that answer no case: b001.mp4, b002-9.mp4" in report, "seed 9 was not asked for"
    assert "in the table, not in the folder: gone.mp4" in report


def test_a_whole_path_goes_before_a_bare_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "x/a.mp4")
    cases = folder_cases(tmp_path)
    assert [case.id for case in cases] == ["a", "x-a"]
    files = match_files(tmp_path, find_clips(tmp_path), {}, cases).files
    assert {unit[0]: path.relative_to(tmp_path).as_posix() for unit, path in files.items()} == {
        "a": "a.mp4",
        "x-a": "x/a.mp4",
    }
    (tmp_path / "a.mp4").unlink()
    alone = match_files(tmp_path, find_clips(tmp_path), {}, cases).files
    assert {unit[0] for unit in alone} == {"x-a"}, "x/a.mp4 is no stand-in for a.mp4"


def test_a_picture_beside_clips_is_no_clip(tmp_path: Path) -> None:
    touch(tmp_path, "b001.mp4", "cover.png", "b002/1.png")
    assert [path.relative_to(tmp_path).as_posix() for path in find_clips(tmp_path)] == ["b001.mp4", "b002"]


def test_a_comma_in_a_folder_stays_in_it(tmp_path: Path) -> None:
    for text, names in (
        (f"f=folder:{tmp_path}/a,b", ["f"]),
        (f"f=folder:{tmp_path}/a,b,oracle,g=folder:c", ["f", "oracle", "g"]),
        ("oracle,noise", ["oracle", "noise"]),
    ):
        assert [spec.name for spec in parse_generators([text])] == names


def test_two_files_for_one_case_answer_it_with_neither_and_say_so(tmp_path: Path) -> None:
    touch(tmp_path, "b002.mp4", "sub/b002.webm", "stray.mp4")
    match = match_files(tmp_path, find_clips(tmp_path), {}, CASES)
    generator = FolderGenerator(tmp_path, match)
    with pytest.raises(NoClip, match="several files match"):
        generator.generate(CASES[2], tmp_path)
    report = "\n".join(generator.report(CASES))
    assert "0 of 4 matched" in report
    assert "several files for b002 (seed 0): b002.mp4, b002.webm" in report
    assert "files that answer no case: stray.mp4" in report
    with pytest.raises(NoClip, match="no file in"):
        generator.generate(CASES[0], tmp_path)


def test_picture_folders_are_clips_and_hidden_files_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "b001/0001.png", "b001/0002.png", ".hidden/b002.mp4", "._b002.mp4")
    assert [path.name for path in find_clips(tmp_path)] == ["b001"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("name,prompt\na.mp4,x\n", "needs a column 'file'"),
        ("file,prompt\n../a.mp4,x\n", "points outside the folder"),
        ("file,prompt\na.mp4,x\na.mp4,y\n", "is named twice"),
        ("file,seed\na.mp4,often\n", "not a whole number"),
        ("file,seed\na.mp4,inf\n", "not a whole number"),
    ],
)
def test_bad_tables_are_one_line_with_the_row(tmp_path: Path, table: str, complaint: str) -> None:
    (tmp_path / "clips.csv").write_text(table)
    with pytest.raises(TableError, match=complaint) as caught:
        read_table(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_suite_without_cases_takes_its_cases_from_the_folder(tmp_path: Path) -> None:
    touch(tmp_path, "day one.mp4", "night.mp4")
    (tmp_path / "clips.jsonl").write_text('{"file": "night.mp4", "prompt": "a city at night"}\n')
    cases = folder_cases(tmp_path)
    assert [(case.id, case.prompt) for case in cases] == [("day-one", ""), ("night", "a city at night")]
    assert {unit[0] for unit in match_files(tmp_path, find_clips(tmp_path), {}, cases).files} == {"day-one", "night"}


def test_a_folder_that_is_missing_or_empty_is_one_line(tmp_path: Path) -> None:
    for argument, complaint in ((tmp_path / "no", "no such folder"), (tmp_path, "holds no clips")):
        with pytest.raises(GeneratorError, match=complaint):
            GeneratorSpec("f", "folder", str(argument)).make(CASES)
