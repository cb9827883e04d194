"""Text as condition tokens: three branches in a row, each with its own projection and norm (arXiv 2410.13720, 3.1.4).

In the paper the branches are UL2 (what the prompt says), Long-prompt MetaCLIP (what it looks like) and ByT5 (how words
are spelt). The small ones here are trained with the model: words in order, words as a bag, and letters. A branch is
anything that fits `Branch`; open_text.py has the paper's.

Shape legend: B prompts, S tokens of a branch, N distinct words, K letters of a word, W width of a branch, D width of
the transformer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from moviegen.networks.layers import RMSNorm, SelfAttention, SwiGLU
from moviegen.networks.transformer import Condition
from moviegen.networks.words import LETTER_COUNT, PADDING, WORD_COUNT, word_table


@dataclass(frozen=True, slots=True)
class SmallTextConfig:
    """Sizes of the text branches that are trained with the model; `words` is the longest prompt that is read."""

    width: int
    layers: int
    heads: int
    letter_width: int
    bag_tokens: int
    words: int

    @property
    def widths(self) -> tuple[int, int, int]:
        """Widths of the semantic, visual and character-level branch."""
        return self.width, self.width, self.letter_width

    @property
    def longest(self) -> int:
        """The most condition tokens a prompt makes."""
        return 2 * (self.words + 6) + self.bag_tokens


class Branch(Protocol):
    """One text encoder: prompts to features (B, S, W) and a mask (B, S), True where there is a token."""

    def __call__(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]: ...


class WordBranch(nn.Module):
    """What the prompt says: a learnt token per word, positions, and a small bidirectional encoder."""

    def __init__(self, config: SmallTextConfig) -> None:
        super().__init__()
        width = config.width
        self.tokens = nn.Embedding(WORD_COUNT, width, padding_idx=PADDING)
        self.positions = nn.Parameter(torch.randn(config.words + 6, width) * 0.02)
        self.layers = nn.ModuleList(_EncoderLayer(width, config.heads) for _ in range(config.layers))

    def forward(self, words_BS: Tensor) -> tuple[Tensor, Tensor]:
        mask_BS = words_BS != PADDING
        x_BSW = self.tokens(words_BS) + self.positions[: words_BS.shape[1]]
        for layer in self.layers:
            x_BSW = layer(x_BSW, mask_BS)
        return x_BSW, mask_BS


class _EncoderLayer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_attention = RMSNorm(width)
        self.attention = SelfAttention(width, heads)
        self.norm_forward = RMSNorm(width)
        self.feed_forward = SwiGLU(width, 2 * width)

    def forward(self, x_BSW: Tensor, mask_BS: Tensor) -> Tensor:
        x_BSW = x_BSW + self.attention(self.norm_attention(x_BSW), mask_BS)
        return x_BSW + self.feed_forward(self.norm_forward(x_BSW))  # type: ignore[no-any-return]


class BagBranch(nn.Module):
    """What it looks like: the mean of the words' own embeddings, without order, as a few tokens."""

    def __init__(self, config: SmallTextConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(WORD_COUNT, config.width, padding_idx=PADDING)
        self.into = nn.Linear(config.width, 2 * config.width)
        self.out = nn.Linear(2 * config.width, config.bag_tokens * config.width)
        self.bag_tokens = config.bag_tokens

    def forward(self, words_BS: Tensor) -> tuple[Tensor, Tensor]:
        count_B1 = (words_BS != PADDING).sum(1, keepdim=True).clamp(min=1)
        mean_BW = self.tokens(words_BS).sum(1) / count_B1
        tokens_BSW = self.out(functional.silu(self.into(mean_BW))).unflatten(-1, (self.bag_tokens, -1))
        return tokens_BSW, torch.ones(tokens_BSW.shape[:2], dtype=torch.bool, device=words_BS.device)


class LetterBranch(nn.Module):
    """How words are spelt: letters, a convolution of width 3 over each word, the largest answers: a token a word."""

    def __init__(self, config: SmallTextConfig) -> None:
        super().__init__()
        width = config.letter_width
        self.tokens = nn.Embedding(LETTER_COUNT, width, padding_idx=PADDING)
        self.convolution = nn.Conv1d(width, width, 3, padding=1)
        self.positions = nn.Parameter(torch.randn(config.words + 6, width) * 0.02)

    def forward(self, which_BS: Tensor, letters_NK: Tensor) -> tuple[Tensor, Tensor]:
        """which_BS: each word's row in letters_NK, where row 0 is padding: a word is spelt out once for all prompts."""
        spelling_NW = functional.silu(self.convolution(self.tokens(letters_NK).transpose(1, 2)).amax(-1))
        return functional.embedding(which_BS, spelling_NW) + self.positions[: which_BS.shape[1]], which_BS != PADDING


class SmallText(nn.Module):
    """The three small branches over one reading of the prompts."""

    def __init__(self, config: SmallTextConfig) -> None:
        super().__init__()
        self.config = config
        self.semantic = WordBranch(config)
        self.visual = BagBranch(config)
        self.character = LetterBranch(config)

    def forward(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        device = self.semantic.positions.device
        words_BS, which_BS, letters_NK = (table.to(device) for table in word_table(prompts, self.config.words))
        return [self.semantic(words_BS), self.visual(words_BS), self.character(which_BS, letters_NK)]


class TextProjection(nn.Module):
    """Each branch through a linear layer and a LayerNorm of its own to width D, then one after the other along S."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.projections = nn.ModuleList(nn.Linear(branch, width) for branch in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in widths)

    def forward(self, features: Sequence[tuple[Tensor, Tensor]]) -> Condition:
        """features: a (B, S, W) tensor and its (B, S) mask for each branch."""
        parts = [
            norm(project(x_BSW))
            for (x_BSW, _), project, norm in zip(features, self.projections, self.norms, strict=True)
        ]
        return Condition(torch.cat(parts, dim=1), torch.cat([mask for _, mask in features], dim=1))
