"""Weights of video models: round trip, half precision, refusals, averages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from eval.weights import WeightsError
from moviegen.networks.video_model import VideoModel
from moviegen.presets import Preset, tiny
from moviegen.video_weights import autoencoder_id, average_weights, load_video, save_video


@pytest.fixture
def preset() -> Preset:
    config = tiny()
    return dataclasses.replace(config, transformer=dataclasses.replace(config.transformer, layers=1, width=12))


def _model(preset: Preset, seed: int) -> VideoModel:
    torch.manual_seed(seed)
    return VideoModel(preset.transformer, preset.text)


@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 0.0), (torch.float16, 1e-3)])
def test_a_model_comes_back(preset: Preset, tmp_path: Path, dtype: torch.dtype, off: float) -> None:
    model, path = _model(preset, 0), tmp_path / "model.safetensors"
    save_video(path, model, preset, {"step": 3}, dtype)
    back = load_video(path, preset)
    assert not back.training
    for name, tensor in back.state_dict().items():
        torch.testing.assert_close(tensor, model.state_dict()[name], atol=off, rtol=off)


def test_other_presets_and_pickles_are_refused(preset: Preset, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_video(path, _model(preset, 0), preset, {})
    with pytest.raises(WeightsError, match="holds preset 'tiny', not 'small'"):
        load_video(path, dataclasses.replace(preset, name="small"))
    with pytest.raises(WeightsError, match="does not fit this network"):
        load_video(path, tiny())
    torch.save({}, path)
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_video(path, preset)


def test_the_autoencoder_that_a_model_was_trained_with_is_told(preset: Preset, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    ours, other = (torch.nn.Linear(2, 2) for _ in range(2))
    save_video(path, _model(preset, 0), preset, {}, autoencoder=autoencoder_id(ours))
    assert load_video(path, preset, autoencoder=autoencoder_id(ours)).training is False
    with pytest.raises(
        WeightsError, match=f"was trained on the latents of autoencoder {autoencoder_id(ours)}"
    ) as error:
        load_video(path, preset, autoencoder=autoencoder_id(other))
    assert autoencoder_id(other) in str(error.value)
    save_video(path, _model(preset, 0), preset, {})
    load_video(path, preset, autoencoder=autoencoder_id(other))  # an old file that does not say


def test_the_average_is_the_mean_and_needs_one_kind(preset: Preset, tmp_path: Path) -> None:
    models = [_model(preset, seed) for seed in range(3)]
    paths = [tmp_path / f"{k}.safetensors" for k in range(3)]
    for model, path in zip(models, paths, strict=True):
        save_video(path, model, preset, {})
    average_weights(paths, tmp_path / "mean.safetensors", {"step": 9})
    mean = load_video(tmp_path / "mean.safetensors", preset).transformer.patch_in.weight
    torch.testing.assert_close(mean, torch.stack([m.transformer.patch_in.weight for m in models]).mean(0))
    save_video(paths[1], models[1], dataclasses.replace(preset, name="small"), {})
    with pytest.raises(WeightsError, match="holds preset 'small', not 'tiny'"):
        average_weights(paths, tmp_path / "mean.safetensors", {})
    save_video(paths[1], models[1], preset, {}, autoencoder="another")
    with pytest.raises(WeightsError, match="checkpoints of one training"):
        average_weights(paths, tmp_path / "mean.safetensors", {})
    with pytest.raises(WeightsError, match="no checkpoints to average"):
        average_weights([], tmp_path / "mean.safetensors", {})
