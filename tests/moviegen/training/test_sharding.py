"""Sharing a training over processes changes neither its losses nor its checkpoints, and what does not fit is told."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from moviegen.presets import Preset
from moviegen.training import video
from moviegen.training.sharding import ShardingError, check_sharding, clip_gradients
from moviegen.training.video_run import VideoRun, loss_curve, train_video, with_steps
from moviegen.video_weights import load_video

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]

Layouts = dict[str, VideoRun]
TIMES = (0.0625, 0.9375)
"""Validation at two times, not eight: it is most of the work here."""
PROGRAM = """
    import os, shutil, warnings
    from pathlib import PosixPath
    import torch
    from moviegen.training import video
    from moviegen.networks.text import SmallTextConfig
    from moviegen.networks.transformer import TransformerConfig
    from moviegen.presets import Bucket, Compression, Preset, Recipe
    from moviegen.training.video_run import VideoRun, train_video
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    video.TIME_GRID = {times!r}
    for run in {runs!r}:
        train_video({preset!r}, run)
        if run.stop_at and os.environ["LOCAL_RANK"] == "0":
            shutil.copy(run.last, run.out / "half-way.safetensors")
"""


@pytest.fixture(scope="module")
def small(preset: Preset) -> Preset:
    """Recomputed blocks, as in the presets that need sharding."""
    recomputing = dataclasses.replace(preset.transformer, recompute=True)
    return with_steps(dataclasses.replace(preset, transformer=recomputing), 6)


@pytest.fixture(scope="module")
def alone(small: Preset, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> VideoRun:
    """The training in one process."""
    torch.set_num_threads(1)
    run = VideoRun(cache, "fake", tmp_path_factory.mktemp("alone"), validate_every=6, log_every=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video, "TIME_GRID", TIMES)
        train_video(small, run)
    return run


@pytest.fixture(scope="module")
def shared(small: Preset, alone: VideoRun, tmp_path_factory: pytest.TempPathFactory) -> Layouts:
    """The same in two processes: FSDP2, and tensor and sequence parallel; and one of each that stops half-way."""
    folder = tmp_path_factory.mktemp("shared")
    layouts = {
        "fsdp": dataclasses.replace(alone, out=folder / "fsdp", devices=2),
        "tensor": dataclasses.replace(alone, out=folder / "tensor", devices=2, tensor_parallel=2),
        "half-way": dataclasses.replace(alone, out=folder / "half", devices=2, tensor_parallel=2, stop_at=3),
    }
    going_on = dataclasses.replace(layouts["half-way"], tensor_parallel=1, stop_at=None)
    run_together(PROGRAM.format(preset=small, times=TIMES, runs=[*layouts.values(), going_on]))
    return {**layouts, "other half": going_on}


def run_together(program: str) -> None:
    """Run a program in two processes that find each other as Lightning's do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "NODE_RANK": "0"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program)],
            env={**os.environ, **together, "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for process in processes:
            _, complaints = process.communicate()
            assert process.returncode == 0, complaints[-4000:]
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize("layout", ["fsdp", "tensor", "other half"])
def test_losses_are_those_of_one_process(alone: VideoRun, shared: Layouts, layout: str) -> None:
    """Also where the training went on in another layout than the one that wrote the checkpoint."""
    for column in ("train/loss", "val/seen/loss", "val/novel/t=0.94"):
        expected = loss_curve(alone.out, column)
        assert len(expected) == (6 if column == "train/loss" else 1)
        found = loss_curve(shared[layout].out, column)
        assert {step: found[step] for step in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("layout", ["fsdp", "tensor"])
def test_snapshots_and_checkpoints_are_whole(alone: VideoRun, shared: Layouts, small: Preset, layout: str) -> None:
    name = "step-0000006.safetensors"
    expected, found = (load_video(run.snapshots / name, small).state_dict() for run in (alone, shared[layout]))
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor, rtol=1e-3, atol=1e-4, msg=key)  # float16
    assert shared[layout].last.stat().st_size == pytest.approx(alone.last.stat().st_size, rel=0.01)


def test_one_process_goes_on_from_the_checkpoint_of_two(
    small: Preset, alone: VideoRun, shared: Layouts, tmp_path: Path
) -> None:
    out = tmp_path / "half"
    out.mkdir()
    for name in ("run.json", "half-way.safetensors"):
        source = shared["half-way"].out / name
        (out / ("last.safetensors" if "half" in name else name)).write_bytes(source.read_bytes())
    train_video(small, dataclasses.replace(alone, out=out))
    expected = loss_curve(alone.out)
    assert loss_curve(out) == pytest.approx({step: expected[step] for step in range(3, 6)}, rel=1e-5)


def test_gradients_are_clipped_as_torch_does() -> None:
    def with_gradients() -> torch.nn.Module:
        torch.manual_seed(0)
        layers = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
        layers(torch.randn(5, 4)).square().sum().backward()
        return layers

    ours, torchs = with_gradients(), with_gradients()
    clip_gradients(ours.parameters(), 0.1)
    clip_grad_norm_(torchs.parameters(), 0.1)
    for one, other in zip(ours.parameters(), torchs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize(
    ("batch", "devices", "group", "says"),
    [
        (8, 4, 3, "4 devices do not make groups of 3"),
        (8, 4, 4, "2 heads do not divide among groups of 4"),
        (9, 4, 2, "9 clips a step do not divide among 2 groups"),
    ],
)
def test_what_does_not_divide_is_one_line(preset: Preset, batch: int, devices: int, group: int, says: str) -> None:
    with pytest.raises(ShardingError, match=says):
        check_sharding(preset.transformer, batch, devices, group)
    check_sharding(preset.transformer, 8, 4, 2)
