"""Video models as files of weights (see moviegen.weights): writing, loading and averaging them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eval.weights import Card, Header, WeightsError, fill, load_weights, save_weights
from moviegen.networks.video_model import Features, VideoModel
from moviegen.presets import Preset

KIND = "video"


def save_video(path: Path, model: VideoModel, preset: Preset, card: Card, dtype: torch.dtype = torch.float32) -> str:
    """Write a model's weights and card; float16 takes half the room and is read back as float32. The file's SHA-256."""
    tensors = {name: tensor.detach().to(dtype) for name, tensor in model.state_dict().items()}
    return save_weights(path, tensors, Header(KIND, preset.name), card)


def load_video(path: Path, preset: Preset, encoders: Features | None = None) -> VideoModel:
    """The preset's model with the weights of a file, float32, ready to sample.

    Raises WeightsError for what is no file of ours (pickles among them), is damaged, or is another preset's.
    """
    tensors, _ = load_weights(path, kind=KIND, preset=preset.name)
    model = VideoModel(preset.transformer, preset.text, encoders)
    fill(model, {name: tensor.float() for name, tensor in tensors.items()}, path)
    return model.eval().requires_grad_(False)


def average_weights(paths: Sequence[Path], into: Path, card: Mapping[str, Any]) -> str:
    """Write the mean of several checkpoints of one preset (arXiv 2410.13720, 3.2.4); the file's SHA-256.

    Raises WeightsError if a file cannot be read or is of another preset than the first.
    """
    if not paths:
        raise WeightsError("no checkpoints to average: name some")
    first, header = load_weights(paths[0], kind=KIND)
    total: dict[str, Tensor] = {name: tensor.double() for name, tensor in first.items()}
    for path in paths[1:]:
        tensors, _ = load_weights(path, kind=KIND, preset=header.preset)
        if tensors.keys() != total.keys():
            raise WeightsError(f"{path}: holds other tensors than {paths[0]}: average checkpoints of one training")
        total = {name: value + tensors[name] for name, value in total.items()}
    mean = {name: (value / len(paths)).float() for name, value in total.items()}
    return save_weights(into, mean, header, {**card, "averaged": [path.name for path in paths]})
