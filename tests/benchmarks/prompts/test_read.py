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


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.pdf", "x", "prompt lists are .txt"),
        ("a.txt", "\n", "holds no prompts"),
        ("a.txt", "ok\n" + "x" * 20_001, "item 2: prompt: "),
        ("a.csv", "", "no column 'prompt'"),
        ("a.csv", "x,y\n1,2\n", "no column 'prompt'"),
        ("a.csv", "concept,prompt\nanimal,A dog\nscene\n", "line 3: 1 cells, but the first line names 2"),
        ("a.csv", "prompt,concept\nA dog, running,animal\n", "line 2: 3 cells, but the first line names 2"),
        ("a.csv", "prompt\n" + "x" * 200_000, "field larger than field limit"),
        ("a.csv", 'prompt\n"A dog\nA cat\n', "unexpected end of data"),
        ("a.json", "{", "the file is not JSON"),
        ("a.json", "[" * 100_000, "nested too deeply"),
        ("a.json", '{"prompt_en": "A dog"}', "not a list of items"),
        ("a.json", '"A dog"', "not a list of items"),
        ("a.json", "7", "not a list of items"),
        ("a.json", '[{"prompt_en": "A dog"}, "A cat"]', "item 2 is not an object"),
        ("a.json", '[{"prompt": "A dog"}]', "item 1 has no 'prompt_en'"),
        ("a.json", '[{"prompt_en": null}]', "item 1: 'prompt_en' is not str"),
        ("a.json", '[{"prompt_en": "A dog", "dimension": 3}]', "item 1: 'dimension' is not str or list"),
        ("a.json", r'[{"prompt_en": "\ud800"}]', "item 1: prompt: "),
        ("a.jsonl", '{"id": 1, "audio_prompt": "rain"}\n[1]\n', "line 2 is not an object"),
        ("a.jsonl", '"rain"\n', "line 1 is not an object"),
        ("a.jsonl", '{"id": 1, "audio_prompt": "rain"}\n{\n', "line 2 is not JSON"),
        ("a.jsonl", '{"audio_prompt": "rain"}\n', "line 1 has no 'id'"),
        ("a.jsonl", '{"id": 1, "audio_prompt": ["rain"]}\n', "line 1: 'audio_prompt' is not str"),
    ],
)
def test_what_is_not_a_prompt_list_is_one_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PromptFileError, match=name) as caught:
        read_prompts(tmp_path / name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_line_separator_inside_a_sound_prompt_is_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    lines = [json.dumps({"id": i, "audio_prompt": f"rain\u2028wind {i}"}, ensure_ascii=False) for i in range(2)]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    assert [case.prompt for case in read_prompts(path).cases] == ["rain\u2028wind 0", "rain\u2028wind 1"]


@pytest.mark.skipif(not BENCH.is_dir(), reason="../shared/data/moviegenbench is not here")
def test_movie_gen_bench_has_five_duplicates() -> None:
    for name in ("MovieGenVideoBench.txt", "MovieGenVideoBenchWithTag.csv"):
        found = read_prompts(BENCH / name)
        assert (len(found.cases), len(found.duplicates)) == (998, 5)
    tags = [tag for case in found.cases for tag in case.tags]
    assert {tag for tag in tags if tag.startswith("motion:")} == {"motion:low", "motion:medium", "motion:high"}
    sound = read_prompts(BENCH / "MovieGenAudioBenchSfx.jsonl")
    assert (len(sound.cases), len(sound.duplicates)) == (527, 0)
