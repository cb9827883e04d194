"""Prompts as words: reading a prompt, the vocabulary of Backlot captions, and tables of numbers for the text branches.

Shape legend: B prompts, S words, N distinct words, K letters of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from eval.errors import UserError

LONGEST_PROMPT = 2_000
"""Characters of a prompt that are read; the rest is left out and reported."""
LETTERS = 16
"""Letters of a word that the character-level branch sees."""

_WORDS = """
, - . 0 1 2 3 4 5 6 7 8 9 a across afro along an and artist at bald ball balloon balloons balls beach beard bird
birds black blond blue boat boats bounce bounces bouncing box boxes boy brown builder bun by calm camera car cars
cat cats chef city close collides colliding curly dances dancing dark dawn day daylight desert doctor dog dogs
down drive drives driving elderly elephant elephants eyes falling farmer fast female firefighter fish flies float
floating floats fly flying fog forest fps full girl glasses green grey grow growing grows hair happy head horse
horses in is jetty judge jump jumping jumps kite kites large left light long male man manager medium moustache
music night nurse of officer on orange out overcast pan pans park pink plays police ponytail purple quickly rabbit
rabbits rain red right roll rolling rolls run running runs sad sail sailing sails sea short shot shrink shrinking
shrinks skin sky slide slides sliding slow slowly small snow spin spinning spins static still street studio sunset
swim swimming swims teacher tense the three through tilt tilts to two under up very walk walking walks waves
waving white wide wind with woman yellow zoom zooms
"""

VOCABULARY = tuple(_WORDS.split())
"""Every word and mark of the Backlot's captions, and those of the FPS prefix. No other word could be taught."""

SAME = {
    "gray": "grey", "puppy": "dog", "kitten": "cat", "bunny": "rabbit", "pony": "horse", "automobile": "car",
    "ship": "boat", "guy": "man", "lady": "woman", "violet": "purple", "fireman": "firefighter",
    "policeman": "police", "quick": "fast", "moves": "runs", "ocean": "sea", "woods": "forest", "town": "city",
    "jogs": "runs", "strolls": "walks", "road": "street", "old": "elderly", "nighttime": "night", "sandy": "beach",
    "sunny": "day", "rainy": "rain", "foggy": "fog", "snowy": "snow", "windy": "wind", "water": "sea", "big": "large",
    "tiny": "small", "rapidly": "quickly", "elder": "elderly", "onto": "on", "towards": "to",
}  # fmt: skip
"""Words outside the vocabulary that mean one inside it."""

PADDING, UNKNOWN = 0, 1
_NUMBER = {word: number for number, word in enumerate(VOCABULARY, start=2)}
WORD_COUNT = len(VOCABULARY) + 2
LETTER_COUNT = 128
"""Code points told apart, 0 being padding; all others look alike, as number 127."""

_PIECE = re.compile(r"[a-z]+|[0-9]|[^\W\d_a-z]+|[^\w\s]", re.IGNORECASE)


class PromptError(UserError):
    """A prompt that nothing can be made of."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as read: its words, those nobody taught the model, and what a user should be told, a line each."""

    words: tuple[str, ...]
    unknown: tuple[str, ...]
    remarks: tuple[str, ...]


def split_words(text: str) -> list[str]:
    """Lower-case words, single digits, and marks (an emoji is a mark), in order; accents stay on their letters."""
    words = _PIECE.findall(unicodedata.normalize("NFKC", text).lower())
    return [SAME.get(word, word) for word in words]


def read_prompt(text: str, longest: int) -> Prompt:
    """Read a user's prompt for a model of `longest` words, the FPS prefix not counted.

    Longer prompts are cut and the cut is reported; unknown words are reported too, and the model sees their spelling.
    Raises PromptError for a prompt without a word.
    """
    words = split_words(text[:LONGEST_PROMPT])
    if not words:
        raise PromptError("the prompt is empty: say what is to be seen, for example 'A dog runs through a park'")
    unknown = tuple(dict.fromkeys(word for word in words[:longest] if word not in _NUMBER))
    remarks = []
    if len(text) > LONGEST_PROMPT or len(words) > longest:
        read = min(len(words), longest)
        remarks.append(f"the prompt is too long: only its first {read} words are read")
    if unknown:
        shown = ", ".join(word[:24] for word in unknown[:8]) + (", …" if len(unknown) > 8 else "")
        remarks.append(f"words the model was not taught: {shown}")
    return Prompt(tuple(words[:longest]), unknown, tuple(remarks))


def with_fps(prompt: str, fps: float) -> str:
    """The prompt after the prefix that tells the model the frame rate: 'FPS-16 A dog runs.' (arXiv 2410.13720, 3.2)."""
    return f"FPS-{fps:g} {prompt}".strip()


class WordTable(NamedTuple):
    """Prompts in numbers, int64: words_BS, 0 where there is none; which_BS, the row of each word in letters_NK.

    letters_NK has every distinct word once, since a batch of prompts has few; row 0 is padding, and so is a letter 0.
    """

    words_BS: Tensor
    which_BS: Tensor
    letters_NK: Tensor


def word_table(prompts: Sequence[str], longest: int) -> WordTable:
    """Numbers of words and of their letters; S <= longest + 6.

    Text beyond `longest` words is cut; six more make room for the FPS prefix. S is at least 1.
    """
    rows = [split_words(prompt[: LONGEST_PROMPT + 16])[: longest + 6] for prompt in prompts]
    longest_row = max(1, *map(len, rows)) if rows else 1
    distinct = {word: n for n, word in enumerate(dict.fromkeys(word for row in rows for word in row), start=1)}
    words_BS = torch.full((len(rows), longest_row), PADDING)
    which_BS = torch.zeros_like(words_BS)
    for b, row in enumerate(rows):
        words_BS[b, : len(row)] = torch.tensor([_NUMBER.get(word, UNKNOWN) for word in row], dtype=torch.int64)
        which_BS[b, : len(row)] = torch.tensor([distinct[word] for word in row], dtype=torch.int64)
    return WordTable(words_BS, which_BS, torch.tensor([[PADDING] * LETTERS, *map(_letters, distinct)]))


def _letters(word: str) -> list[int]:
    numbers = [min(ord(letter), LETTER_COUNT - 1) for letter in word[:LETTERS]]
    return numbers + [0] * (LETTERS - len(numbers))
