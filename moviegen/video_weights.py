"""Video models as files of weights (see moviegen.weights): writing, loading and averaging them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from eval.weights import Card, Header, WeightsError, fill, load_weights, save_weights, tensors_sha256
from moviegen.networks.text import SmallTextConfig
from moviegen.networks.video_model import Features, VideoModel
from moviegen.presets import Preset, PresetError
from moviegen.presets import preset as named_preset

KIND = "video"


def autoencoder_id(tae: nn.Module) -> str:
    """What tells an autoencoder from others: the start of the hash of its weights, however they are stored."""
    return tensors_sha256(tae.state_dict())[:16]


def save_video(
    path: Path,
    model: VideoModel,
    preset: Preset,
    card: Card,
    dtype: torch.dtype = torch.float32,
    autoencoder: str = "",
) -> str:
    """Write a model's weights and card; float16 takes half the room and is read back as float32. The file's SHA-256.

    autoencoder: the id (autoencoder_id) of the one whose latents the model was trained on.
    """
    return save_state(path, model.state_dict(), preset, card, dtype, autoencoder)


def save_state(
    path: Path,
    state: Mapping[str, Tensor],
    preset: Preset,
    card: Card,
    dtype: torch.dtype = torch.float32,
    autoencoder: str = "",
) -> str:
    """As save_video, from the model's state dict: a model that is shared over devices has one only when gathered."""
    tensors = {name: tensor.detach().to(dtype) for name, tensor in state.items()}
    return save_weights(path, tensors, Header(KIND, preset.name, needs=autoencoder), card)


def load_video(
    path: Path, preset: Preset, encoders: Features | None = None, autoencoder: str | None = None
) -> VideoModel:
    """The preset's model with the weights of a file, float32, ready to sample.

    autoencoder: the id of the one that will decode; None: do not check.
    Raises WeightsError for what is no file of ours (pickles among them), is damaged, is another preset's, or was
    trained on the latents of another autoencoder.
    """
    tensors, header = load_weights(path, kind=KIND, preset=preset.name)
    check_autoencoder(path, header, autoencoder)
    return _filled(path, tensors, preset, encoders)


def check_autoencoder(path: Path, header: Header, autoencoder: str | None) -> None:
    """Raise WeightsError if the weights in `path` say that they need another autoencoder than the one with this id."""
    if autoencoder is not None and header.needs and header.needs != autoencoder:
        raise WeightsError(
            f"{path}: was trained on the latents of autoencoder {header.needs}, and this one is {autoencoder}: name "
            "the one that it was trained with (--tae)"
        )


def read_video(path: Path) -> tuple[VideoModel, Preset, Header]:
    """The model in a file, ready to sample, the preset that its header names, and the header (see check_autoencoder).

    Raises WeightsError as load_video does, and for a preset with frozen text encoders, which no file of ours holds.
    """
    tensors, header = load_weights(path, kind=KIND)
    try:
        preset = named_preset(header.preset)
    except PresetError as error:
        raise WeightsError(f"{path}: {error}") from None
    if not isinstance(preset.text, SmallTextConfig):
        raise WeightsError(
            f"{path}: preset '{preset.name}' reads prompts through frozen encoders: load it with "
            "moviegen.video_weights.load_video and hand them over"
        )
    return _filled(path, tensors, preset, None), preset, header


def _filled(path: Path, tensors: Mapping[str, Tensor], preset: Preset, encoders: Features | None) -> VideoModel:
    model = VideoModel(preset.transformer, preset.text, encoders)
    fill(model, {name: tensor.float() for name, tensor in tensors.items()}, path)
    return model.eval().requires_grad_(False)


def average_weights(
    paths: Sequence[Path], into: Path, card: Mapping[str, Any], dtype: torch.dtype = torch.float32
) -> str:
    """Write the mean of several checkpoints of one preset (arXiv 2410.13720, 3.2.4); the file's SHA-256.

    Raises WeightsError if a file cannot be read or is of another preset than the first.
    """
    if not paths:
        raise WeightsError("no checkpoints to average: name some")
    first, header = load_weights(paths[0], kind=KIND)
    total: dict[str, Tensor] = {name: tensor.double() for name, tensor in first.items()}
    for path in paths[1:]:
        tensors, its_header = load_weights(path, kind=KIND, preset=header.preset)
        if its_header != header or tensors.keys() != total.keys():
            raise WeightsError(f"{path}: is of another training than {paths[0]}: average checkpoints of one training")
        total = {name: value + tensors[name] for name, value in total.items()}
    mean = {name: (value / len(paths)).to(dtype) for name, value in total.items()}
    return save_weights(into, mean, header, {**card, "averaged": [path.name for path in paths]})
