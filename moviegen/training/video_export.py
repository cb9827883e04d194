"""What a video run leaves for others: the finished average, and one from early in the same training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from moviegen.presets import Preset
from moviegen.training.video_card import video_card
from moviegen.training.video_run import Trained, TrainingError, VideoRun
from moviegen.video_weights import load_video, save_state, save_video


def export_final(preset: Preset, run: VideoRun, trained: Trained, path: Path, dtype: torch.dtype) -> str:
    """Write the average as the run ended, with its card; the file's SHA-256."""
    card = video_card(
        preset,
        run,
        steps=trained.steps,
        minutes=trained.clock.minutes,
        hardware=trained.clock.hardware,
    )
    return save_state(path, trained.state, preset, card, dtype, run.autoencoder_id)


def export_early(
    preset: Preset, run: VideoRun, path: Path, hardware: Sequence[str], dtype: torch.dtype, share: float
) -> str:
    """Write the snapshot nearest to a share of the run's steps, with its card; the file's SHA-256.

    Raises TrainingError if no snapshot was taken yet.
    """
    source = nearest_snapshot(run, share * preset.recipe.steps)
    model = load_video(source, preset, autoencoder=run.autoencoder_id)
    taken = json.loads(source.with_suffix(".json").read_text())
    card = video_card(preset, run, steps=taken["step"], minutes=taken["minutes"], hardware=hardware)
    return save_video(path, model, preset, card, dtype, run.autoencoder_id)


def nearest_snapshot(run: VideoRun, step: float) -> Path:
    """The snapshot taken nearest to a step. Raises TrainingError if there is none."""
    taken = sorted(run.snapshots.glob("step-*.safetensors"))
    if not taken:
        raise TrainingError(f"{run.snapshots} holds no snapshot yet: train further")
    return min(taken, key=lambda path: abs(int(path.stem.removeprefix("step-")) - step))
