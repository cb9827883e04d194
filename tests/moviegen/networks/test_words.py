"""Prompts as words: nothing the Backlot says is unknown, and strange prompts get one clear line."""

from __future__ import annotations

import pytest

from moviegen.backlot import captions, sample_scene
from moviegen.networks.words import (
    LETTERS,
    SAME,
    UNKNOWN,
    VOCABULARY,
    WORD_COUNT,
    PromptError,
    read_prompt,
    split_words,
    with_fps,
    word_table,
)


def test_every_caption_is_known() -> None:
    for seed in range(600):
        for text in captions(sample_scene(seed)):
            assert read_prompt(text, 64).remarks == (), text


def test_the_vocabulary_is_sound() -> None:
    assert len(set(VOCABULARY)) == len(VOCABULARY) == WORD_COUNT - 2
    assert not set(SAME) & set(VOCABULARY)
    assert set(SAME.values()) <= set(VOCABULARY)


def test_splitting() -> None:
    assert split_words("FPS-16 A Dog's close-up, 2x!") == [
        "fps", "-", "1", "6", "a", "dog", "'", "s", "close", "-", "up", ",", "2", "x", "!",
    ]  # fmt: skip
    assert split_words("A gray puppy 🦊 naïve") == ["a", "grey", "dog", "🦊", "na", "ï", "ve"]


def test_a_plain_prompt_has_no_remarks() -> None:
    prompt = read_prompt("A dog runs through a park", 64)
    assert prompt.words == ("a", "dog", "runs", "through", "a", "park")
    assert prompt.unknown == prompt.remarks == ()


def test_unknown_words_and_emoji_are_reported_once_each() -> None:
    prompt = read_prompt("A dragon 🐉 eats a dragon", 64)
    assert prompt.unknown == ("dragon", "🐉", "eats")
    assert prompt.remarks == ("words the model was not taught: dragon, 🐉, eats",)


def test_many_or_long_unknown_words_stay_one_short_line() -> None:
    (line,) = read_prompt(" ".join(chr(97 + k) * 50 for k in range(1, 26)), 64).remarks
    assert len(line) < 300
    assert line.endswith("…")


@pytest.mark.parametrize("text", ["", "   \n\t", "\u200b", "\x00"])
def test_an_empty_prompt_is_refused_with_an_example(text: str) -> None:
    if split_words(text):
        assert read_prompt(text, 64).unknown
    else:
        with pytest.raises(PromptError, match="the prompt is empty: say what is to be seen"):
            read_prompt(text, 64)


def test_a_long_prompt_is_cut_and_says_so() -> None:
    prompt = read_prompt("dog " * 2500, 64)
    assert prompt.words == ("dog",) * 64
    assert prompt.remarks == ("the prompt is too long: only its first 64 words are read",)
    (cut, _) = read_prompt("a" * 10_000, 64).remarks
    assert cut == "the prompt is too long: only its first 1 words are read"


def test_the_fps_prefix() -> None:
    assert with_fps("A dog.", 16) == "FPS-16 A dog."
    assert with_fps("", 8) == "FPS-8"
    assert split_words(with_fps("", 23.976)) == ["fps", "-", "2", "3", ".", "9", "7", "6"]


def test_tables_are_padded_and_cut() -> None:
    words_BS, which_BS, letters_NK = word_table(["a dog", "a", "dragon " * 100], 10)
    assert words_BS.shape == which_BS.shape == (3, 16)
    assert letters_NK.shape == (4, LETTERS), "padding, a, dog, dragon"
    assert not letters_NK[0].any()
    assert words_BS[0, 2:].tolist() == [0] * 14
    assert words_BS[0, 0] == words_BS[1, 0]
    assert set(words_BS[2].tolist()) == {UNKNOWN}
    assert which_BS[0, 2:].tolist() == [0] * 14
    assert which_BS[0, 0] == which_BS[1, 0]
    assert bytes(letters_NK[which_BS[0, 1]].tolist()).rstrip(b"\0") == b"dog"
    assert word_table([""], 10)[0].tolist() == [[0]]
