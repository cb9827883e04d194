"""Training the video model by flow matching on cached latents (arXiv 2410.13720, 3.2).

Shape legend: B batch, C latent channels, T H W latents in time, height and width.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, Logger
from torch import Tensor, nn
from torch.nn import functional

from eval.errors import UserError
from eval.hashing import json_sha256
from moviegen.flow import interpolate, velocity_target
from moviegen.networks.video_model import Features, VideoModel
from moviegen.presets import Preset, Recipe
from moviegen.training import ema
from moviegen.training.latent_cache import Autoencoder
from moviegen.training.safe_checkpoint import SafeCheckpointIO
from moviegen.training.samples import SampleGrid
from moviegen.training.video_data import VALIDATION_SPLITS, VideoBatch, VideoData
from moviegen.video_weights import save_video

TIME_GRID = tuple((k + 0.5) / 8 for k in range(8))
"""Times at which validation measures the loss, always the same."""


class TrainingError(UserError):
    """A run that cannot be started or gone on with."""


class VideoTraining(pl.LightningModule):
    """One video model, its average, and the flow-matching loss between them and the data.

    The average is what is validated, sampled and exported. encoders: frozen text encoders, for presets that need them.
    """

    def __init__(self, preset: Preset, encoders: Features | None = None) -> None:
        super().__init__()
        self.preset = preset
        self.model = VideoModel(preset.transformer, preset.text, encoders)
        self.average = deepcopy(self.model).requires_grad_(False)
        self._gamma = ema.gamma_of(preset.recipe.ema)

    def training_step(self, batch: VideoBatch) -> Tensor:
        loss = flow_loss(self.model, batch, batch.time_B).mean()
        self.log("train/loss", loss, batch_size=len(batch.prompts))
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        ema.update(self.average, self.model, self.global_step + 1, self._gamma)

    def validation_step(self, batch: VideoBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """The average's loss at each time of the grid, on fixed clips with fixed noise, per split."""
        del batch_idx
        split = VALIDATION_SPLITS[dataloader_idx]
        losses = []
        for time in TIME_GRID:
            loss = flow_loss(self.average, batch, torch.full_like(batch.time_B, time)).mean()
            losses.append(loss)
            self._log_validation(f"val/{split}/t={time:.2f}", loss, batch)
        self._log_validation(f"val/{split}/loss", torch.stack(losses).mean(), batch)

    def _log_validation(self, name: str, loss: Tensor, batch: VideoBatch) -> None:
        self.log(name, loss, batch_size=len(batch.prompts), on_epoch=True, add_dataloader_idx=False)

    def configure_optimizers(self) -> Any:
        recipe = self.preset.recipe
        optimizer = torch.optim.AdamW(
            parameter_groups(self.model, recipe.weight_decay), lr=recipe.learning_rate, betas=recipe.betas, fused=True
        )
        rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(recipe, step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": rate, "interval": "step"}}


def flow_loss(model: VideoModel, batch: VideoBatch, time_B: Tensor) -> Tensor:
    """Squared error of the velocity at time_B, (B,): mean over each clip's latents."""
    x_BCTHW = interpolate(batch.latents_BCTHW, batch.noise_BCTHW, time_B)
    velocity = model(x_BCTHW, time_B, model.condition(batch.prompts, batch.fps))
    target = velocity_target(batch.latents_BCTHW, batch.noise_BCTHW)
    return functional.mse_loss(velocity.float(), target, reduction="none").flatten(1).mean(1)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Share of the peak rate at a step: linear warm-up, then linear decay to zero at the last step."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return max(0.0, (recipe.steps - step) / max(1, recipe.steps - recipe.warm_up))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The weights of linear layers and convolutions decay; tables, embeddings, norms and biases do not."""
    decayed = [m.weight for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d)]
    chosen = {id(weight) for weight in decayed}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


class Snapshots(Callback):
    """The average's weights at even distances through the run: early checkpoints, and material for averaging."""

    def __init__(self, preset: Preset, folder: Path, count: int = 20) -> None:
        self._preset, self._folder = preset, folder
        self._every = max(1, preset.recipe.steps // count)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        step = trainer.global_step
        if step % self._every == 0 or step == self._preset.recipe.steps:
            assert isinstance(pl_module.average, VideoModel)
            path = self._folder / f"step-{step:07d}.safetensors"
            save_video(path, pl_module.average, self._preset, {"step": step})


@dataclass(frozen=True, slots=True)
class VideoRun:
    """Where a run keeps its things, and how often: checkpoint_every, validate_every and log_every are in steps.

    minutes: stop after so long in all, resumptions included; None: no limit. stop_at: stop at this step, with the
    schedule of the whole run. Either leaves a checkpoint.
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
    progress: bool = True

    @property
    def last(self) -> Path:
        """The checkpoint that a run goes on from."""
        return self.out / "last.safetensors"

    @property
    def snapshots(self) -> Path:
        """The folder of weights along the way."""
        return self.out / "snapshots"


def train_video(
    preset: Preset, run: VideoRun, autoencoder: Autoencoder | None = None, encoders: Features | None = None
) -> VideoTraining:
    """Train a preset on its latent cache, or go on from the last checkpoint; the module as it ends.

    Writes to run.out: last.safetensors, snapshots/, logs/ (CSV, and TensorBoard where it is installed), preset.json,
    and, with an autoencoder, samples/. float32 on a CPU, bf16 on a GPU.
    Raises TrainingError if run.out holds a run with other settings.
    """
    _claim(preset, run)
    pl.seed_everything(run.seed, verbose=False)
    data = VideoData(preset, run.cache, run.autoencoder_id, run.seed)
    module = VideoTraining(preset, encoders)
    callbacks: list[Callback] = [_last_checkpoint(run), Snapshots(preset, run.snapshots)]
    if autoencoder is not None:
        prompts = [*data.prompts(0, 4), *data.prompts(1, 4)]
        callbacks.append(SampleGrid(preset, autoencoder, prompts, run.out / "samples"))
    trainer = _trainer(preset, run, callbacks)
    resume = str(run.last) if run.last.exists() else None
    trainer.fit(module, datamodule=data, ckpt_path=resume)
    trainer.save_checkpoint(run.last)
    return module


def with_steps(preset: Preset, steps: int) -> Preset:
    """The preset with another number of steps; warm-up takes at most a tenth of them."""
    return replace(preset, recipe=replace(preset.recipe, steps=steps, warm_up=min(preset.recipe.warm_up, steps // 10)))


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


def _claim(preset: Preset, run: VideoRun) -> None:
    path = run.out / "preset.json"
    settings = {"preset": asdict(preset), "seed": run.seed, "autoencoder": run.autoencoder_id}
    if path.exists() and json_sha256(json.loads(path.read_text())) != json_sha256(settings):
        raise TrainingError(f"{run.out} holds a run with other settings: name another folder or delete it")
    run.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings, indent=1) + "\n")


def _last_checkpoint(run: VideoRun) -> ModelCheckpoint:
    keeper = ModelCheckpoint(
        run.out, filename="last", every_n_train_steps=run.checkpoint_every, enable_version_counter=False
    )
    keeper.FILE_EXTENSION = ".safetensors"
    return keeper


def _trainer(preset: Preset, run: VideoRun, callbacks: list[Callback]) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu" if run.device == "cpu" else "gpu",
        devices=1,
        precision="32-true" if run.device == "cpu" else "bf16-mixed",
        max_steps=run.stop_at or preset.recipe.steps,
        max_epochs=-1,
        max_time=None if run.minutes is None else timedelta(minutes=run.minutes),
        gradient_clip_val=preset.recipe.clip_norm,
        val_check_interval=run.validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=run.log_every,
        callbacks=callbacks,
        logger=list(_loggers(run.out)),
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=run.progress,
        enable_model_summary=False,
    )


def _loggers(out: Path) -> Iterator[Logger]:
    yield CSVLogger(out, name="logs", flush_logs_every_n_steps=20)
    if find_spec("tensorboard") or find_spec("tensorboardX"):
        from pytorch_lightning.loggers import TensorBoardLogger

        yield TensorBoardLogger(out, name="tensorboard")
