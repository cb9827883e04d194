"""The text tower: each word answers with its neighbours in view, and the largest and mean answers tell the text.

A vocabulary of a few hundred words makes it cheap: what a word answers at each place of the window is computed once for
all its occurrences, and words beside each other only add theirs.

Shape legend: B texts, U different words, G trigrams of a word, X words of all texts one after another, W width,
C channels, K places of the window, E coordinates.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.features.backlot_encoder.words import BUCKETS, UNKNOWN, WordLists

REACH = 3
"""Words to either side that a word sees: "to the left of a blue box"."""
WIDTH, CHANNELS, HIDDEN = 128, 256, 256


class Texts(NamedTuple):
    """Texts as the tower reads them; spelt_U: words that are read by their letters, although they are known."""

    words_U: Tensor
    trigrams_UG: Tensor
    spelt_U: Tensor
    places_X: Tensor
    lengths_B: Tensor


def as_tensors(lists: WordLists, spelt_U: Tensor | None = None) -> Texts:
    """The words of texts, with REACH places of nothing around every text."""
    words_U = torch.from_numpy(lists.words_U)
    gap = [0] * REACH
    places = [place for row in lists.rows for place in (*gap, *(1 + word for word in row), *gap)]
    return Texts(
        words_U,
        torch.from_numpy(lists.trigrams_UG),
        torch.zeros_like(words_U, dtype=torch.bool) if spelt_U is None else spelt_U,
        torch.tensor(places),
        torch.tensor([len(row) + 2 * REACH for row in lists.rows]),
    )


class TextTower(nn.Module):
    """Texts → the sphere. words: how many numbers a word may have."""

    def __init__(self, words: int, coordinates: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words, WIDTH)
        self.letters = nn.Embedding(BUCKETS, WIDTH, padding_idx=0)
        self.window = nn.Linear(WIDTH, (2 * REACH + 1) * CHANNELS, bias=False)
        self.threshold_C = nn.Parameter(torch.zeros(CHANNELS))
        self.out = nn.Sequential(nn.Linear(2 * CHANNELS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, coordinates))

    def forward(self, texts: Texts) -> Tensor:
        """Texts → B,E of length 1."""
        answers_UKC = self.window(self._vectors(texts)).unflatten(1, (2 * REACH + 1, CHANNELS))
        answers_UKC = torch.cat([torch.zeros_like(answers_UKC[:1]), answers_UKC])  # what is no word says nothing
        heard_XC: Tensor = self.threshold_C
        for k, offset in enumerate(range(-REACH, REACH + 1)):
            heard_XC = heard_XC + functional.embedding(texts.places_X.roll(-offset), answers_UKC[:, k])
        heard_XC = functional.relu(heard_XC) * (texts.places_X > 0)[:, None]
        largest_BC = torch.segment_reduce(heard_XC, "max", lengths=texts.lengths_B)
        mean_BC = torch.segment_reduce(heard_XC, "mean", lengths=texts.lengths_B)
        points_BE: Tensor = functional.normalize(self.out(torch.cat([largest_BC, 4 * mean_BC], dim=1)), dim=1)
        return points_BE

    def _vectors(self, texts: Texts) -> Tensor:
        """A vector for each different word: its own, or the sum of its trigrams'."""
        spelt_UW = self.letters(texts.trigrams_UG).sum(dim=1) / 2
        by_letters_U = (texts.words_U == UNKNOWN) | texts.spelt_U
        return torch.where(by_letters_U[:, None], spelt_UW, self.words(texts.words_U))
