"""Texts as numbers: words that training has seen, and for all others the letters they are made of.

Shape legend: U different words, G trigrams of a word.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LONGEST_TEXT = 2_000
"""Characters of a text that are read."""
LONGEST = 96
"""Words of a text that are read; the Backlot's longest caption has 60."""
LONGEST_WORD = 24
"""Letters of a word that are read."""
UNKNOWN = 0
TRIGRAMS = 8
"""Trigrams of a word that are read, spread over it."""
BUCKETS = 512
"""Trigrams are told apart by hash, into so many buckets; 0 stands for none."""

_PIECE = re.compile(r"[^\W\d_]+|[0-9]|[^\w\s]")


class WordLists(NamedTuple):
    """Texts as rows of places in a list of different words: those words' numbers, and the buckets of their trigrams."""

    words_U: npt.NDArray[np.int64]
    trigrams_UG: npt.NDArray[np.int64]
    rows: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=65_536)
def split_words(text: str) -> tuple[str, ...]:
    """Lower-case words, single digits and marks, in order: at most LONGEST, and where there is none an empty one."""
    words = _PIECE.findall(unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).lower())[:LONGEST]
    return tuple(words) or ("",)


def numbered(words: Iterable[str]) -> dict[str, int]:
    """Word → its number, from 1 on."""
    return {word: number for number, word in enumerate(words, start=UNKNOWN + 1)}


def word_lists(texts: Sequence[str], numbers: Mapping[str, int]) -> WordLists:
    """The words of texts, each different word once."""
    split = [split_words(text) for text in texts]
    place = {word: at for at, word in enumerate(dict.fromkeys(word for row in split for word in row))}
    return WordLists(
        np.array([numbers.get(word, UNKNOWN) for word in place], np.int64),
        np.array([trigrams(word) for word in place], np.int64),
        tuple(tuple(place[word] for word in row) for row in split),
    )


@lru_cache(maxsize=4096)
def trigrams(word: str) -> tuple[int, ...]:
    """Buckets of a word's trigrams, its ends marked: "cat" has ^ca, cat, at$. TRIGRAMS numbers, the last ones 0."""
    marked = f"^{word[:LONGEST_WORD]}$"
    found = [marked[at : at + 3] for at in range(max(1, len(marked) - 2))]
    if len(found) > TRIGRAMS:
        found = [found[round(k * (len(found) - 1) / (TRIGRAMS - 1))] for k in range(TRIGRAMS)]
    buckets = [1 + zlib.crc32(one.encode()) % (BUCKETS - 1) for one in found]
    return (*buckets, *(0,) * (TRIGRAMS - len(buckets)))
