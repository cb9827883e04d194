"""The paper's text encoders through transformers (the `open` extra): UL2, Long-prompt MetaCLIP and ByT5, frozen.

Nothing is downloaded here: encoders are read from folders of the machine.

Shape legend: B prompts, S tokens, W width of the encoder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from eval.errors import UserError

_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]")


@dataclass(frozen=True, slots=True)
class OpenEncoder:
    """One pretrained encoder: its name, where it is published, the width of its features, and the tokens it reads.

    kind: the class of transformers that reads it. quoted_only: it sees only the prompt's quoted text, that is, the
    text to be shown in the picture (arXiv 2410.13720, 3.1.4).
    """

    name: str
    source: str
    kind: Literal["t5", "clip"]
    width: int
    tokens: int
    quoted_only: bool = False


@dataclass(frozen=True, slots=True)
class OpenTextConfig:
    """The three encoders of Movie Gen Video. Token limits are those of mindone's port."""

    semantic: OpenEncoder = OpenEncoder("UL2", "google/ul2", "t5", 4096, 512)
    visual: OpenEncoder = OpenEncoder("Long-prompt MetaCLIP", "a CLIP text model of width 1280", "clip", 1280, 256)
    character: OpenEncoder = OpenEncoder("ByT5", "google/byt5-small", "t5", 1472, 100, quoted_only=True)

    @property
    def encoders(self) -> tuple[OpenEncoder, OpenEncoder, OpenEncoder]:
        """The semantic, visual and character-level encoder."""
        return self.semantic, self.visual, self.character

    @property
    def widths(self) -> tuple[int, int, int]:
        """Widths of the three encoders' features."""
        return self.semantic.width, self.visual.width, self.character.width

    @property
    def longest(self) -> int:
        """The most condition tokens a prompt makes."""
        return sum(encoder.tokens for encoder in self.encoders)


class OpenTextError(UserError):
    """An encoder that is not on this machine or is not the one named."""


def quoted_text(prompt: str) -> str:
    """What a prompt wants written in the picture: its quoted parts, in order."""
    return " ".join(_QUOTED.findall(prompt))


class OpenBranch(nn.Module):
    """A frozen encoder with its tokenizer; see `load`."""

    def __init__(self, encoder: OpenEncoder, tokenizer: Any, network: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        texts = [quoted_text(prompt) for prompt in prompts] if self.encoder.quoted_only else list(prompts)
        table = self.tokenizer(
            texts, padding=True, truncation=True, max_length=self.encoder.tokens, return_tensors="pt"
        ).to(next(self.network.parameters()).device)
        features = self.network(input_ids=table["input_ids"], attention_mask=table["attention_mask"])
        return features.last_hidden_state, table["attention_mask"].bool()


def load(encoder: OpenEncoder, folder: Path) -> OpenBranch:
    """The encoder kept in `folder` as transformers saves it (config, tokenizer, safetensors).

    Raises OpenTextError when transformers or the folder is missing, or when the width is another.
    """
    try:
        import transformers
    except ImportError:
        raise OpenTextError(f"{encoder.name} needs transformers: pip install 'moviegen-bench[open]'") from None
    if not (folder / "config.json").is_file():
        raise OpenTextError(f"{folder} holds no text encoder: put {encoder.name} ({encoder.source}) there")
    model = transformers.T5EncoderModel if encoder.kind == "t5" else transformers.CLIPTextModel
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    width = getattr(config, "d_model", None) or getattr(config, "text_config", config).hidden_size
    if width != encoder.width:
        raise OpenTextError(f"the encoder in {folder} is {width} wide; {encoder.name} is {encoder.width} wide")
    network = model.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return OpenBranch(encoder, tokenizer, network)


class OpenText(nn.Module):
    """The three frozen encoders; each prompt's features from each."""

    def __init__(self, branches: Sequence[OpenBranch]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, prompts: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        return [branch(prompts) for branch in self.branches]
