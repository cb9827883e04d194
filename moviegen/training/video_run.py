"""A training run of the video model: its folder, its Trainer, and going on from the last checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from shutil import which
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.strategies import Strategy
from torch import Tensor

from eval.cache import write_atomically
from eval.errors import UserError
from moviegen.networks.video_model import Features
from moviegen.presets import Preset, Recipe
from moviegen.training.clock import Clock
from moviegen.training.latent_cache import Autoencoder
from moviegen.training.safe_checkpoint import CheckpointError, SafeCheckpointIO
from moviegen.training.samples import SampleGrid
from moviegen.training.sharding import SafeModelParallel, check_sharding, whole_state
from moviegen.training.video import VideoTraining
from moviegen.training.video_data import VideoData
from moviegen.training.video_start import origin
from moviegen.video_weights import load_video, save_state

SNAPSHOTS = 20
"""Checkpoints kept along the way, at even distances."""

GPU_WORKERS = 8
"""Processes that make batches for a GPU: `small` asks for 50 million normal numbers a step, a second of one core."""

_USUAL = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
"""What a recipe says of things that it was written before there was a choice of."""

OnStep = Callable[[int, float], None]
"""Called after each step with the number of steps done and the step's loss."""


class TrainingError(UserError):
    """A run that cannot be started or gone on with."""


@dataclass(frozen=True, slots=True)
class VideoRun:
    """Where a run keeps its things, and how often: checkpoint_every, validate_every and log_every are in steps.

    minutes: stop after so long in all, resumptions included; None: no limit. stop_at: stop at this step, with the
    schedule of the whole run. Either leaves a checkpoint. compiled: blocks through torch.compile. devices: that share
    the training (sharding.py), in tensor-parallel groups of `tensor_parallel`. new_length: go on from a run of another
    number of steps, on the schedule of the new one; run.json and the card keep the lengths that there were. start: a
    file of weights that a new run begins with, in the place of random ones; run.json and the card keep what it was.
    """

    cache: Path
    autoencoder_id: str
    out: Path
    checkpoint_every: int = 200
    validate_every: int = 500
    log_every: int = 10
    minutes: float | None = None
    stop_at: int | None = None
    seed: int = 0
    device: str = "cpu"
    compiled: bool = False
    devices: int = 1
    tensor_parallel: int = 1
    new_length: bool = False
    start: Path | None = None

    @property
    def last(self) -> Path:
        """The checkpoint that a run goes on from."""
        return self.out / "last.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of weights along the way."""
        return self.out / "snapshots"


@dataclass(frozen=True, slots=True)
class Trained:
    """A run as it ended, or stopped: the average's state dict, the steps done, and where and how long it took.

    Where many processes share a training, only the first of them has the state; elsewhere it is empty.
    """

    state: Mapping[str, Tensor]
    steps: int
    clock: Clock


class Snapshots(Callback):
    """The average's weights at even distances through the run: early checkpoints, and material for averaging.

    float16: twenty of them are as large as ten of the model itself, and what is shipped is float16 too.
    """

    def __init__(self, preset: Preset, run: VideoRun, clock: Clock) -> None:
        self._preset, self._run, self._clock = preset, run, clock
        self._every = max(1, preset.recipe.steps // SNAPSHOTS)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        if step % self._every == 0 or step == self._preset.recipe.steps:
            assert isinstance(pl_module, VideoTraining)
            state = whole_state(pl_module.average)
            path = self._run.snapshots / f"step-{step:07d}.safetensors"
            card = {"step": step, "minutes": self._clock.minutes}
            if trainer.is_global_zero:
                save_state(path, state, self._preset, card, torch.float16, self._run.autoencoder_id)


class _Reports(Callback):
    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_train_batch_end(self, trainer: pl.Trainer, _: pl.LightningModule, outputs: Any, *_rest: Any) -> None:
        self._on_step(trainer.global_step, float(outputs["loss"]))


def train_video(
    preset: Preset,
    run: VideoRun,
    autoencoder: Autoencoder | None = None,
    encoders: Features | None = None,
    on_step: OnStep | None = None,
) -> Trained:
    """Train a preset on its latent cache, or go on from the last checkpoint.

    Writes to run.out: last.safetensors, snapshots/, logs/ (CSV), tensorboard/, run.json, and, with an autoencoder,
    samples/. float32 on a CPU, bf16 on a GPU. The end is validated, wherever it is.
    Raises TrainingError if run.out holds a run with other settings or memory runs out, CacheError for a cache that
    cannot be used, CheckpointError for a damaged last checkpoint, WeightsError for run.start, ShardingError for devices
    that do not fit the model.
    """
    check_sharding(preset.transformer, preset.recipe.batch, run.devices, run.tensor_parallel)
    data = VideoData(preset, run.cache, run.autoencoder_id, run.seed, 0 if run.device == "cpu" else GPU_WORKERS)
    _claim(preset, run)
    torch.set_flush_denormal(True)  # fading momenta and averages would slow a CPU down
    pl.seed_everything(run.seed, verbose=False)
    module = VideoTraining(preset, encoders, compiled=run.compiled)
    module.set_latent_std(data.latents_of_form())
    if run.start is not None and not run.last.exists():
        module.start_from(load_video(run.start, preset, encoders, run.autoencoder_id))
    clock = Clock(run.minutes)
    callbacks: list[Callback] = [clock, _last_checkpoint(run), Snapshots(preset, run, clock)]
    if on_step is not None:
        callbacks.append(_Reports(on_step))
    if autoencoder is not None:
        prompts = [*data.prompts(0, 4), *data.prompts(1, 4)]
        callbacks.append(SampleGrid(preset, autoencoder, prompts, run.out / "samples"))
    trainer = _trainer(preset, run, callbacks)
    resume = str(run.last) if run.last.exists() else None
    with _one_line_errors(preset, run):
        trainer.fit(module, datamodule=data, ckpt_path=resume)
        trainer.save_checkpoint(run.last)
        if not _validated(run, trainer.global_step):
            trainer.validate(module, datamodule=data, verbose=False)
        return Trained(whole_state(module.average), trainer.global_step, clock)


def with_steps(preset: Preset, steps: int) -> Preset:
    """The preset with another number of steps; warm-up takes at most a tenth of them."""
    return replace(preset, recipe=replace(preset.recipe, steps=steps, warm_up=min(preset.recipe.warm_up, steps // 10)))


def with_recipe(preset: Preset, learning_rate: float | None = None, images: float | None = None) -> Preset:
    """The preset with another peak of the learning rate or share of images, where given.

    Weights that are nearly trained want a lower rate, and, as Movie Gen's late stages have it, fewer images. Raises
    TrainingError for a share of images in a preset that has only images, or none.
    """
    recipe = preset.recipe
    if images is not None and len({bucket.frames == 1 for bucket in preset.buckets}) == 1:
        raise TrainingError(
            f"preset {preset.name} does not train on images and clips: it has no share of images to set"
        )
    if learning_rate is not None:
        recipe = replace(recipe, learning_rate=learning_rate)
    if images is not None:
        recipe = replace(recipe, images=images)
    return replace(preset, recipe=recipe)


def has_compiler() -> bool:
    """Whether torch.compile can work on a CPU: it asks for a C++ compiler."""
    return any(which(name) for name in ("g++", "clang++", "c++"))


def memory_bytes(device: str) -> int:
    """Memory of the machine, or of its first GPU."""
    if device == "cpu":
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(torch.cuda.get_device_properties(0).total_memory)


def loss_curve(out: Path, column: str = "train/loss") -> dict[int, float]:
    """Step -> value of a logged column over all starts of a run; where starts overlap, the later one's."""
    import pandas as pd

    curve: dict[int, float] = {}
    for path in sorted(out.glob("logs/version_*/metrics.csv"), key=lambda p: int(p.parent.name.split("_")[1])):
        table = pd.read_csv(path)
        if column in table:
            rows = table[["step", column]].dropna()
            curve |= dict(zip(rows["step"].astype(int), rows[column].astype(float), strict=True))
    return dict(sorted(curve.items()))


def _validated(run: VideoRun, steps: int) -> bool:
    """Whether the logs hold a validation after so many steps: Lightning counts them from 0 while it trains."""
    return not {steps - 1, steps}.isdisjoint(loss_curve(run.out, "val/seen/loss"))


def _claim(preset: Preset, run: VideoRun) -> None:
    """Say in run.out what is trained there."""
    check_folder(preset, run)
    kept, now = lengths(run), preset.recipe.steps
    if not kept or kept[-1][1] != now:
        reached = SafeCheckpointIO().load_checkpoint(run.last)["global_step"] if run.last.exists() else 0
        kept = [*kept, (reached, now)]
    document = _settings(preset, run) | {"lengths": kept}
    if started := start_of(preset, run):
        document["start"] = started
    write_atomically(run.out / "run.json", (json.dumps(document, indent=1) + "\n").encode())


def lengths(run: VideoRun) -> list[tuple[int, int]]:
    """(step, steps): from which step on the run was to have how many; one pair, unless it was changed on the way."""
    path = run.out / "run.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    pairs = found.get("lengths") or ([(0, found["preset"]["recipe"]["steps"])] if found else [])
    return [(step, steps) for step, steps in pairs]


def start_of(preset: Preset, run: VideoRun) -> dict[str, Any]:
    """What run.json keeps of the weights that the run started from (video_start.origin); empty: from random ones."""
    path = run.out / "run.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text()).get("start", {})
        return found
    return origin(run.start, preset, run.autoencoder_id) if run.start is not None else {}


def _settings(preset: Preset, run: VideoRun) -> dict[str, Any]:
    return {"preset": asdict(preset), "seed": run.seed, "autoencoder": run.autoencoder_id}


def check_folder(preset: Preset, run: VideoRun) -> None:
    """See that run.out is new or holds this very run. Raises TrainingError with what differs, WeightsError for a start.

    A run goes on without being told again what it started from; told of something else, it is another run.
    """
    path, wanted = run.out / "run.json", json.loads(json.dumps(_settings(preset, run)))
    start = origin(run.start, preset, run.autoencoder_id) if run.start is not None else None
    if not path.exists():
        return
    try:
        found = json.loads(path.read_text())
        found["preset"]["recipe"] = _USUAL | found["preset"]["recipe"]
        if run.new_length:
            found["preset"]["recipe"] |= {key: wanted["preset"]["recipe"][key] for key in ("steps", "warm_up")}
        differ = [f"preset {key}" for key in wanted["preset"] if found["preset"].get(key) != wanted["preset"][key]]
        differ += [key for key in ("seed", "autoencoder") if found[key] != wanted[key]]
        if start is not None and found.get("start", {}).get("sha256") != start["sha256"]:
            differ.append("start")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TrainingError(f"{path} is damaged: name another folder or delete {path.parent}") from None
    if differ:
        raise TrainingError(
            f"{path.parent} holds a run with another {', '.join(differ)}: name another folder or delete it"
        )


@contextmanager
def _one_line_errors(preset: Preset, run: VideoRun) -> Iterator[None]:
    """Out of memory, and a checkpoint that does not fit, are for the user to mend; the rest are bugs and pass."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise TrainingError(
                f"out of memory training {preset.name} on {run.device}, {preset.recipe.batch} clips a step: take a "
                "smaller preset, or more memory"
            ) from None
        if "Error(s) in loading state_dict" in str(error):
            raise CheckpointError(
                f"{run.last} does not fit preset {preset.name}: delete it or name another folder"
            ) from None
        raise


def _last_checkpoint(run: VideoRun) -> ModelCheckpoint:
    keeper = ModelCheckpoint(
        run.out, filename="last", every_n_train_steps=run.checkpoint_every, enable_version_counter=False
    )
    keeper.FILE_EXTENSION = ".safetensors"
    return keeper


def _strategy(run: VideoRun) -> Strategy | str:
    if run.devices == 1:
        return "auto"
    return SafeModelParallel(run.devices // run.tensor_parallel, run.tensor_parallel)


def _trainer(preset: Preset, run: VideoRun, callbacks: list[Callback]) -> pl.Trainer:
    loggers: list[Logger] = [
        CSVLogger(run.out, name="logs", flush_logs_every_n_steps=20),
        TensorBoardLogger(run.out, name="tensorboard"),
    ]
    return pl.Trainer(
        accelerator="cpu" if run.device == "cpu" else "gpu",
        devices=run.devices,
        strategy=_strategy(run),
        precision="bf16-mixed" if run.device != "cpu" and run.devices == 1 else "32-true",  # shard() has its own bf16
        max_steps=run.stop_at or preset.recipe.steps,
        max_epochs=-1,
        gradient_clip_val=preset.recipe.clip_norm,
        val_check_interval=run.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # every process validates all clips: the figure is then the same for any number
        log_every_n_steps=run.log_every,
        callbacks=callbacks,
        logger=loggers,
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
