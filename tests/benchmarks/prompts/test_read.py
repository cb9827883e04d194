"""Other people's prompt lists as cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.prompts.read import PromptFileError, read_prompts

BENCH = Path(__file__).resolve().parents[4] / "shared" / "data" / "moviegenbench"


def test_lines_with_a_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_text("A dog runs\n\nA cat “sleeps”\nA dog runs\n", encoding="utf-8")
    found = read_prompts(path)
    assert [(c.id, c.prompt) for c in found.cases] == [("p0001", "A dog runs"), ("p0002", "A cat “sleeps”")]
    assert [(d.first, d.again) for d in found.duplicates] == [(1, 3)]


def test_tagged_csv_keeps_tags_and_quoted_commas(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text('prompt,concept,motion_level\n"A dog, running",animal,high\nRain,scene,\n')
    cases = read_prompts(path).cases
    assert cases[0].prompt == "A dog, running"
    assert cases[0].tags == ("concept:animal", "motion:high")
    assert cases[1].tags == ("concept:scene",)


def test_one_sound_prompt_for_two_videos_is_two_cases(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n".join(json.dumps({"id": i, "video_prompt": "v", "audio_prompt": "rain"}) for i in (4, 9)))
    found = read_prompts(path)
    assert [(c.task, c.tags) for c in found.cases] == [
        ("video-to-audio", ("video:4",)),
        ("video-to-audio", ("video:9",)),
    ]
    assert found.duplicates == ()


def test_vbench_full_info(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps([{"prompt_en": "in a still frame, a stop sign", "dimension": ["temporal_flickering"]}]))
    (case,) = read_prompts(path).cases
    assert case.tags == ("dimension:temporal_flickering",)


@pytest.mark.parametrize(("name", "text"), [("a.csv", "x,y\n1,2\n"), ("a.json", "{"), ("a.txt", "\n"), ("a.pdf", "x")])
def test_what_is_not_a_prompt_list_is_one_line(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PromptFileError, match=name) as caught:
        read_prompts(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not BENCH.is_dir(), reason="../shared/data/moviegenbench is not here")
def test_movie_gen_bench_has_five_duplicates() -> None:
    for name in ("MovieGenVideoBench.txt", "MovieGenVideoBenchWithTag.csv"):
        found = read_prompts(BENCH / name)
        assert (len(found.cases), len(found.duplicates)) == (998, 5)
    tags = [tag for case in found.cases for tag in case.tags]
    assert {tag for tag in tags if tag.startswith("motion:")} == {"motion:low", "motion:medium", "motion:high"}
    sound = read_prompts(BENCH / "MovieGenAudioBenchSfx.jsonl")
    assert (len(sound.cases), len(sound.duplicates)) == (527, 0)
