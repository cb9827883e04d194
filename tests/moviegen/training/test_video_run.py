"""A run of the video model: it learns, logs, resumes exactly after a kill, and says what it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import pytest
import torch

from eval.weights import WeightsError
from moviegen.networks.video_model import VideoModel
from moviegen.presets import Bucket, Preset, tiny
from moviegen.training.clock import Clock
from moviegen.training.latent_cache import Autoencoder, CacheError
from moviegen.training.safe_checkpoint import CheckpointError, SafeCheckpointIO
from moviegen.training.video import TIME_GRID
from moviegen.training.video_card import video_card
from moviegen.training.video_run import (
    Trained,
    TrainingError,
    VideoRun,
    has_compiler,
    lengths,
    loss_curve,
    start_of,
    train_video,
    with_recipe,
    with_steps,
)
from moviegen.video_weights import load_video, save_state

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]

Runs = Callable[..., VideoRun]


class Whole(NamedTuple):
    """A run, how it ended, and what it reported: step -> loss."""

    run: VideoRun
    trained: Trained
    seen: dict[int, float]


@pytest.fixture
def runs(cache: Path, tmp_path: Path) -> Runs:
    def run(name: str, **changes: object) -> VideoRun:
        base = VideoRun(cache, "fake", tmp_path / name, checkpoint_every=10, validate_every=30, log_every=1)
        return dataclasses.replace(base, **changes)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def whole(preset: Preset, autoencoder: Autoencoder, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A run of 45 steps from start to end, watched."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("whole")
    run = VideoRun(cache, "fake", out, checkpoint_every=10, validate_every=30, log_every=1)
    seen: dict[int, float] = {}
    trained = train_video(with_steps(preset, 45), run, autoencoder, on_step=seen.__setitem__)
    return Whole(run, trained, seen)


def test_it_learns_and_reports_every_step(whole: Whole) -> None:
    curve = loss_curve(whole.run.out)
    assert list(curve) == list(range(45))
    values = list(curve.values())
    assert sum(values[-10:]) < 0.9 * sum(values[:10])
    assert whole.seen == {step + 1: pytest.approx(value, rel=1e-4) for step, value in curve.items()}


def test_every_split_and_time_is_validated_along_the_way_and_at_the_end(whole: Whole) -> None:
    for split in ("seen", "novel"):
        mean = loss_curve(whole.run.out, f"val/{split}/loss")
        at_times = [loss_curve(whole.run.out, f"val/{split}/t={time:.2f}") for time in TIME_GRID]
        assert list(mean) == [29, 45], "in training Lightning counts from 0, at the end it has counted to the end"
        for step, value in mean.items():
            assert sum(at_time[step] for at_time in at_times) / 8 == pytest.approx(value, rel=1e-4)


def test_curves_are_written_for_tensorboard_too(whole: Whole) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    [folder] = (whole.run.out / "tensorboard").iterdir()
    events = EventAccumulator(str(folder)).Reload()
    curve = {event.step: event.value for event in events.Scalars("train/loss")}
    assert curve == pytest.approx(loss_curve(whole.run.out), rel=1e-5)
    assert "val/novel/loss" in events.Tags()["scalars"]


def test_samples_are_pictured_after_each_validation(whole: Whole) -> None:
    samples = whole.run.out / "samples"
    pictures = [cv2.imread(str(path)) for path in sorted(samples.glob("*.png"))]
    assert [picture.shape for picture in pictures] == [(4 * 32, 2 * 4 * 32, 3)] * 2
    assert (pictures[0] != pictures[1]).any()
    assert len((samples / "prompts.txt").read_text().splitlines()) == 8


def test_snapshots_are_of_the_average_and_the_last_is_what_is_exported(whole: Whole, preset: Preset) -> None:
    snapshots = sorted(whole.run.snapshots.glob("*.safetensors"))
    assert [path.stem for path in snapshots[:2]] == ["step-0000002", "step-0000004"]
    assert snapshots[-1].stem == "step-0000045"
    last = load_video(snapshots[-1], preset, autoencoder="fake").state_dict()
    for name, tensor in whole.trained.state.items():
        torch.testing.assert_close(last[name], tensor.half().float(), atol=0, rtol=0)


def test_a_stopped_and_resumed_run_is_the_unbroken_one(whole: Whole, preset: Preset, runs: Runs) -> None:
    """Stopped between two checkpoints and between two epochs of its clips."""
    preset, broken = with_steps(preset, 45), runs("broken")
    train_video(preset, dataclasses.replace(broken, stop_at=17))
    resumed = train_video(preset, broken)
    curve, again = loss_curve(whole.run.out), loss_curve(broken.out)
    assert list(curve) == list(again)
    assert max(abs(curve[step] - again[step]) for step in curve) <= 1e-6
    for one, other in zip(whole.trained.state.values(), resumed.state.values(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.skipif(not has_compiler(), reason="torch.compile asks for a C++ compiler")
def test_a_compiled_run_learns_the_same_and_resumes_in_either_way(whole: Whole, preset: Preset, runs: Runs) -> None:
    preset, run = with_steps(preset, 45), runs("compiled", compiled=True, validate_every=45)
    train_video(preset, dataclasses.replace(run, stop_at=12))
    train_video(preset, dataclasses.replace(run, stop_at=14, compiled=False))
    curve = loss_curve(whole.run.out)
    assert loss_curve(run.out) == pytest.approx({step: curve[step] for step in range(14)}, rel=1e-4)


def test_a_finished_run_is_not_trained_or_validated_again(preset: Preset, runs: Runs) -> None:
    run, preset = runs("short"), with_steps(preset, 3)
    first = train_video(preset, run)
    again = train_video(preset, run)
    assert again.steps == 3
    assert again.clock.seconds == pytest.approx(first.clock.seconds, abs=0.5)
    assert again.clock.hardware == first.clock.hardware
    assert len(list(run.out.glob("logs/version_*/metrics.csv"))) == 1


def test_time_runs_out_with_a_checkpoint_and_counts_resumptions(preset: Preset, runs: Runs) -> None:
    run = runs("short", minutes=1e-4, checkpoint_every=1000)
    first = train_video(preset, run)
    assert first.steps < 60
    assert run.last.exists()
    second = train_video(preset, run)
    assert second.steps <= first.steps + 1, "the time was up already"
    assert second.clock.seconds >= first.clock.seconds


def test_the_clock_goes_on_where_a_checkpoint_left_it() -> None:
    clock = Clock()
    clock.load_state_dict({"seconds": 90.0, "hardware": ["an abacus"]})
    assert clock.minutes == 1.5
    assert clock.hardware == ["an abacus"]
    assert clock.state_dict() == {"seconds": 90.0, "hardware": ["an abacus"]}


def test_a_run_may_be_given_a_new_length(preset: Preset, runs: Runs) -> None:
    run = runs("long", stop_at=6, validate_every=40)
    train_video(with_steps(preset, 40), run)
    done = train_video(with_steps(preset, 12), dataclasses.replace(run, stop_at=None, new_length=True))
    assert done.steps == 12
    assert lengths(run) == [(0, 40), (6, 12)]
    with pytest.raises(TrainingError, match="another seed"):
        train_video(with_steps(preset, 14), dataclasses.replace(run, new_length=True, seed=1))


def test_a_run_may_start_from_weights(preset: Preset, runs: Runs, whole: Whole, tmp_path: Path) -> None:
    weights, others = tmp_path / "from.safetensors", tmp_path / "others.safetensors"
    for path, state in (
        (weights, whole.trained.state),
        (others, VideoModel(preset.transformer, preset.text).state_dict()),
    ):
        save_state(path, state, preset, {"steps": 45}, autoencoder="fake")
    still = dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, learning_rate=0.0))
    run = runs("from", start=weights, stop_at=2)
    kept = train_video(still, run).state
    assert all(torch.equal(kept[name], tensor) for name, tensor in whole.trained.state.items())
    told = start_of(still, run)
    assert (told["file"], told["steps"]) == ("from.safetensors", 45)
    assert video_card(still, run, steps=2, minutes=0.0, hardware=[])["start"] == told
    on = train_video(still, dataclasses.replace(run, start=None, stop_at=3))
    assert (on.steps, start_of(still, run)) == (3, told)
    with pytest.raises(TrainingError, match="holds a run with another start"):
        train_video(still, dataclasses.replace(run, start=others))


def test_weights_that_a_run_cannot_start_from_are_one_line(
    preset: Preset, runs: Runs, whole: Whole, tmp_path: Path
) -> None:
    weights = tmp_path / "from.safetensors"
    with pytest.raises(WeightsError, match="no such file"):
        train_video(preset, runs("missing", start=weights))
    save_state(weights, whole.trained.state, dataclasses.replace(preset, name="other"), {}, autoencoder="fake")
    with pytest.raises(WeightsError, match="other"):
        train_video(preset, runs("preset", start=weights))
    save_state(weights, whole.trained.state, preset, {}, autoencoder="another")
    with pytest.raises(WeightsError, match="was trained on the latents of autoencoder another"):
        train_video(preset, runs("latents", start=weights))


def test_a_recipe_may_change_the_share_of_images_alone() -> None:
    usual, late = (with_recipe(tiny(), images=images).step_shares() for images in (None, 0.1))
    assert usual == {bucket: bucket.share for bucket in tiny().buckets}
    assert late[next(bucket for bucket in late if bucket.frames == 1)] == pytest.approx(0.1)
    assert sum(late.values()) == pytest.approx(1)
    clips = [bucket for bucket in late if bucket.frames > 1]
    assert [late[bucket] / usual[bucket] for bucket in clips] == pytest.approx([0.9 / 0.55] * len(clips))
    only = dataclasses.replace(tiny(), buckets=(Bucket(32, 64, 64, 8.0, 1.0),))
    with pytest.raises(TrainingError, match="preset tiny does not train on images and clips"):
        with_recipe(only, images=0.1)


def test_a_folder_of_another_run_is_refused(preset: Preset, runs: Runs) -> None:
    run = runs("one", stop_at=1)
    train_video(preset, run)
    with pytest.raises(TrainingError, match="holds a run with another preset recipe: name another folder or delete it"):
        train_video(with_steps(preset, 99), run)
    with pytest.raises(TrainingError, match="another seed"):
        train_video(preset, dataclasses.replace(run, seed=1))
    with pytest.raises(CacheError, match=r"other autoencoder \(fake\)"):
        train_video(preset, dataclasses.replace(run, autoencoder_id="another"))
    (run.out / "run.json").write_text("[]")
    with pytest.raises(TrainingError, match=r"run\.json is damaged"):
        train_video(preset, run)


def test_a_damaged_or_foreign_last_checkpoint_is_one_line(preset: Preset, runs: Runs) -> None:
    run = runs("one", stop_at=1)
    train_video(preset, run)
    whole = run.last.read_bytes()
    run.last.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="no checkpoint of ours or is damaged"):
        train_video(preset, run)
    run.last.write_bytes(whole)
    checkpoint = SafeCheckpointIO().load_checkpoint(run.last)
    del checkpoint["state_dict"]["model.transformer.patch_in.bias"]
    SafeCheckpointIO().save_checkpoint(checkpoint, run.last)
    with pytest.raises(CheckpointError, match="does not fit preset test"):
        train_video(preset, run)


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't")]
)
def test_out_of_memory_is_one_line(
    preset: Preset, runs: Runs, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr("moviegen.training.video.flow_loss", full)
    with pytest.raises(TrainingError, match="out of memory training test on cpu, 8 clips a step"):
        train_video(preset, runs("full"))
