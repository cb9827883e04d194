"""Small random networks in the real on-disk formats, pulled into a weights folder: the real loading code runs on them.

Used through the fixture `pull_small` of tests/conftest.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from eval.encoders.lock import Lock, PinnedFile, lock_path
from eval.encoders.open.architectures import ARCHITECTURES
from eval.encoders.registry import ENCODERS

SENTENCE = "a red blue dog cat runs sleeps on the left right beach of two one fox rain city night and"
WORDS = SENTENCE.split()
TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def lock_folder(name: str, folder: Path) -> Lock:
    """Pin the files of `folder/name` as `moviegen weights pull` does."""
    files = {
        path.name: PinnedFile(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size)
        for path in sorted((folder / name).iterdir())
    }
    encoder = ENCODERS.get(name)
    lock = Lock(encoder=name, version=encoder.version, source="a test", licence=encoder.licence.name, files=files)
    lock_path(name, folder).write_text(lock.model_dump_json())
    return lock


def write(name: str, folder: Path, seed: int = 0) -> None:
    """Write and lock a small random network under the name of a published one."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        _write(name, folder)
    lock_folder(name, folder)


def _write(name: str, folder: Path) -> None:
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    wanted = {file.name for file in ENCODERS.get(name).files}
    if ENCODERS.get(name).format == "torchscript":
        (only,) = wanted
        torch.jit.save(torch.jit.script(PROGRAMS[name]()), home / only)
    else:
        network = NETWORKS[name]()
        with torch.no_grad():  # transformers' own start has zeros, and so much alike everywhere
            for parameter in network.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
        network.save_pretrained(home)
        if "tokenizer.json" in wanted:
            tokenizer(77).save(str(home / "tokenizer.json"))
    for path in home.iterdir():
        if path.name not in wanted:
            path.unlink()


def facts(name: str, folder: Path) -> Mapping[str, object]:
    """What ARCHITECTURES would say of this small network."""
    config = transformers.AutoConfig.from_pretrained(folder / name, local_files_only=True)
    return {entry: _look_up(config, entry) for entry in ARCHITECTURES[name]}


def _look_up(config: Any, entry: str) -> object:
    for level in entry.split("."):
        config = getattr(config, level)
    return tuple(config) if isinstance(config, list) else config


def tokenizer(length: int) -> Tokenizer:
    """Whole words, with begin and end tokens as CLIP has them. It asks for padding, as LAION's file does."""
    vocabulary = {"<unk>": 0, "<pad>": 1, "<begin>": 2, "<end>": len(WORDS) + 3}
    vocabulary |= {word: index + 3 for index, word in enumerate(WORDS)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<begin> $A <end>", special_tokens=[("<begin>", 2), ("<end>", vocabulary["<end>"])]
    )
    made.enable_padding(length=length, pad_id=1, pad_token="<pad>")
    return made


VOCABULARY = len(WORDS) + 4


def _clip(patch: int) -> Any:
    vision = {**TEXT, "patch_size": patch, "image_size": 224, "projection_dim": 8}
    text = {**TEXT, "vocab_size": VOCABULARY, "projection_dim": 8, "eos_token_id": VOCABULARY - 1}
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))


def _xclip() -> Any:
    vision = {**TEXT, "patch_size": 32, "image_size": 224, "num_frames": 8, "mit_hidden_size": 8,
              "mit_intermediate_size": 16, "mit_num_hidden_layers": 1, "mit_num_attention_heads": 2}  # fmt: skip
    text = {**TEXT, "vocab_size": VOCABULARY, "eos_token_id": VOCABULARY - 1}
    return transformers.XCLIPModel(
        transformers.XCLIPConfig(
            text_config=text, vision_config=vision, projection_dim=8, prompt_num_attention_heads=2, prompt_layers=1
        )
    )


def _clap() -> Any:
    audio = {"patch_embeds_hidden_size": 8, "hidden_size": 64, "depths": (1, 1, 1, 1), "projection_dim": 8,
             "num_attention_heads": (1, 1, 2, 2)}  # fmt: skip
    text = {**TEXT, "vocab_size": VOCABULARY, "max_position_embeddings": 80, "projection_dim": 8}
    return transformers.ClapModel(transformers.ClapConfig(text_config=text, audio_config=audio, projection_dim=8))


def _videomae() -> Any:
    config = transformers.VideoMAEConfig(
        **TEXT, use_mean_pooling=False, decoder_hidden_size=8, decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2, decoder_intermediate_size=8
    )  # fmt: skip
    return transformers.VideoMAEForPreTraining(config)


def _vjepa2() -> Any:
    config = transformers.VJEPA2Config(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=1, pred_hidden_size=24, pred_num_hidden_layers=1,
        pred_num_attention_heads=1, mlp_ratio=1
    )  # fmt: skip
    return transformers.VJEPA2Model(config)


NETWORKS: dict[str, Callable[[], Any]] = {
    "clip-vit-b-32": lambda: _clip(32),
    "clip-vit-l-14": lambda: _clip(14),
    "dino-vit-b-16": lambda: transformers.ViTModel(transformers.ViTConfig(**TEXT), add_pooling_layer=False),
    "dinov2-vit-b-14": lambda: transformers.Dinov2Model(
        transformers.Dinov2Config(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, mlp_ratio=2, image_size=518, patch_size=14
        )
    ),
    "videomae-vit-b": _videomae,
    "vjepa2-vit-l": _vjepa2,
    "xclip-b-32": _xclip,
    "clap": _clap,
}


class I3d(torch.nn.Module):
    """A stand-in with the call of StyleGAN-V's file."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Linear(3 * 16 * 49, 400)

    def forward(
        self, x: torch.Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False
    ) -> torch.Tensor:
        x = x.to(torch.float32)
        if rescale:
            x = x * 2 / 255 - 1
        count, channels, frames = x.shape[0], x.shape[1], x.shape[2]
        if resize:
            x = torch.nn.functional.interpolate(x.flatten(1, 2), size=[224, 224], mode="bilinear", align_corners=False)
        x = torch.nn.functional.adaptive_avg_pool2d(x, [7, 7]).reshape(count, channels, frames, 49)
        logits = self.mix(x.flatten(1))
        return logits if return_features else logits.softmax(1)


class Flow(torch.nn.Module):
    """A stand-in for RAFT: each channel's difference, in pixels."""

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        assert before.shape[2] % 8 == 0
        assert before.shape[3] % 8 == 0
        return (after - before)[:, :2]


class Between(torch.nn.Module):
    """A stand-in for AMT: the mean of both."""

    def forward(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        assert before.shape[2] % 16 == 0
        assert before.shape[3] % 16 == 0
        return (before + after) / 2


PROGRAMS: dict[str, Callable[[], torch.nn.Module]] = {"i3d-k400": I3d, "raft-things": Flow, "amt-s": Between}
