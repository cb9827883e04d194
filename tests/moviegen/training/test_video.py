"""Training the video model: it learns, it resumes exactly, and it says what it refuses."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from moviegen.networks.video_model import VideoModel
from moviegen.presets import Preset, Recipe, tiny
from moviegen.training.latent_cache import Autoencoder
from moviegen.training.samples import grid
from moviegen.training.video import TIME_GRID, flow_loss, learning_rate, parameter_groups
from moviegen.training.video_data import VideoBatch
from moviegen.training.video_run import TrainingError, VideoRun, loss_curve, train_video, with_steps
from moviegen.video_weights import average_weights, load_video

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]

Runs = Callable[..., VideoRun]


@pytest.fixture
def runs(cache: Path, tmp_path: Path) -> Runs:
    def run(name: str, **changes: object) -> VideoRun:
        base = VideoRun(
            cache, "fake", tmp_path / name, checkpoint_every=10, validate_every=30, log_every=1, progress=False
        )
        return dataclasses.replace(base, **changes)  # type: ignore[arg-type]

    return run


def test_it_learns_logs_validates_samples_and_keeps_weights(
    preset: Preset, runs: Runs, autoencoder: Autoencoder
) -> None:
    run = runs("whole")
    module = train_video(preset, run, autoencoder)
    curve = list(loss_curve(run.out).values())
    assert len(curve) == 60
    assert sum(curve[-10:]) < 0.85 * sum(curve[:10])
    for split in ("seen", "novel"):
        whole = loss_curve(run.out, f"val/{split}/loss")
        bins = [loss_curve(run.out, f"val/{split}/t={t:.2f}") for t in TIME_GRID]
        assert len(whole) == 2
        for step, value in whole.items():
            assert sum(bins_t[step] for bins_t in bins) / 8 == pytest.approx(value, rel=1e-4)
    assert len(list((run.out / "samples").glob("*.png"))) == 2
    assert len((run.out / "samples" / "prompts.txt").read_text().splitlines()) == 8
    snapshots = sorted(run.snapshots.glob("*.safetensors"))
    assert len(snapshots) == 20
    loaded = load_video(snapshots[-1], preset)
    for name, tensor in module.average.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    average_weights(snapshots[-3:], run.out / "mean.safetensors", {})
    mean = load_video(run.out / "mean.safetensors", preset).transformer.patch_out.weight
    parts = [load_video(path, preset).transformer.patch_out.weight for path in snapshots[-3:]]
    torch.testing.assert_close(mean, torch.stack(parts).mean(0))


def test_a_stopped_and_resumed_run_is_the_unbroken_one(preset: Preset, runs: Runs) -> None:
    preset = with_steps(preset, 40)
    whole, broken = runs("whole"), runs("broken")
    module = train_video(preset, whole)
    train_video(preset, dataclasses.replace(broken, stop_at=17))
    resumed = train_video(preset, broken)
    curve, again = loss_curve(whole.out), loss_curve(broken.out)
    assert list(curve) == list(again) == list(range(40))
    assert max(abs(curve[step] - again[step]) for step in curve) <= 1e-6
    for one, other in zip(module.state_dict().values(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


@pytest.mark.slow
def test_a_killed_and_resumed_run_is_the_unbroken_one(preset: Preset, runs: Runs) -> None:
    """kill -9 between two checkpoints, in a process of its own; the next 20 steps agree to 1e-6."""
    preset = with_steps(preset, 60)
    whole, broken = runs("whole"), runs("broken")
    unbroken = train_video(preset, whole)
    program = f"""
        from pathlib import PosixPath
        import torch
        from moviegen.networks.text import SmallTextConfig
        from moviegen.networks.transformer import TransformerConfig
        from moviegen.presets import Bucket, Compression, Preset, Recipe
        from moviegen.training.video import VideoRun, train_video
        torch.set_num_threads(1)
        train_video({preset!r}, {broken!r})
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stderr=subprocess.DEVNULL)
    while not broken.last.exists() and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (broken.snapshots / "step-0000060.safetensors").exists(), "killed before its end"
    resumed = train_video(preset, broken)
    curve, again = loss_curve(whole.out), loss_curve(broken.out)
    after = [step for step in again if step >= 10][:20]
    assert max(abs(curve[step] - again[step]) for step in after) <= 1e-6
    for one, other in zip(unbroken.state_dict().values(), resumed.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_time_runs_out_with_a_checkpoint(preset: Preset, runs: Runs) -> None:
    run = runs("short", minutes=1e-4, checkpoint_every=1000)
    train_video(preset, run)
    assert run.last.exists()


def test_a_folder_of_another_run_is_refused(preset: Preset, runs: Runs) -> None:
    run = runs("one", stop_at=1)
    train_video(preset, run)
    with pytest.raises(TrainingError, match="holds a run with other settings: name another folder or delete it"):
        train_video(with_steps(preset, 99), run)


def test_the_rate_warms_up_and_decays_to_zero() -> None:
    recipe = Recipe(steps=100, batch=1, learning_rate=1.0, warm_up=10)
    assert [learning_rate(recipe, step) for step in (0, 9, 10, 55, 100, 200)] == [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]
    shorter = with_steps(dataclasses.replace(tiny(), recipe=recipe), 30).recipe
    assert (shorter.steps, shorter.warm_up) == (30, 3)


def test_only_matrices_decay(preset: Preset) -> None:
    model = VideoModel(preset.transformer, preset.text)
    decayed, others = parameter_groups(model, 0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert len(decayed["params"]) + len(others["params"]) == len(names)
    kept = {names[id(parameter)] for parameter in others["params"]}
    assert {"transformer.positions_t", "text.semantic.tokens.weight", "transformer.patch_in.bias"} <= kept
    assert not any("qkv" in name for name in kept)
    assert others["weight_decay"] == 0


def test_the_loss_of_a_fresh_model_is_that_of_saying_nothing(preset: Preset) -> None:
    """The fresh velocity is zero, so the loss is the mean square of X1 - (1 - 1e-5) X0."""
    model = VideoModel(preset.transformer, preset.text)
    data, noise = torch.randn(3, 16, 1, 4, 4), torch.randn(3, 16, 1, 4, 4)
    batch = VideoBatch(data, noise, torch.rand(3), ["a dog", "", "a cat"], 8.0)
    expected = (data - (1 - 1e-5) * noise).square().flatten(1).mean(1)
    torch.testing.assert_close(flow_loss(model, batch, batch.time_B), expected)


def test_the_grid_shows_first_and_last_frames() -> None:
    frames_BCTHW = torch.linspace(-1, 1, 7)[None, None, :, None, None].expand(3, 3, 7, 2, 5)
    picture = grid(frames_BCTHW)
    assert picture.shape == (3, 4, 40)
    assert picture[0, 0, 0] == 0
    assert picture[0, 0, 19] == 255
    assert not picture[:, 2:, 20:].any()
