"""Training the Temporal Autoencoder on the Backlot: `python -m moviegen.training.tae --help`.

Shape legend: B clips, C channels, T frames, H height, W width.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch import Tensor

from eval.errors import UserError
from eval.weights import Header, save_weights
from moviegen.networks.tae import PRESETS, TAE, preset
from moviegen.training import ema
from moviegen.training.muon import Muon, parameter_groups
from moviegen.training.pictures import before_and_after, write_png
from moviegen.training.run_folder import loggers, note_settings
from moviegen.training.tae_data import (
    CLIP_FRAMES,
    TRAINING_SEEDS,
    BacklotBatches,
    TAEData,
    TAEDataConfig,
    held_out_clips,
    to_bytes,
    to_unit,
)
from moviegen.training.tae_linear import start_from_components
from moviegen.training.tae_loss import LossWeights, psnr_per_clip, ssim, tae_loss

STATISTICS_CLIPS = 128
"""Training clips over which the latents' mean and variance are measured."""
COMPONENT_CLIPS = 200
"""Training clips whose principal components the block code starts from."""
PICTURED_CLIPS = 6


@dataclass(frozen=True, slots=True)
class TAETraining:
    """Everything that decides a training run but the wall clock.

    steps: of the optimiser; the learning rate rises over warmup_steps and falls linearly to a fiftieth at the end.
    code_rate: learning rate of the block code, as a share of lr: it starts where it is good already.
    latent_noise: standard deviation of what is added to raw latents while training, so that the decoder forgives a
    generator's small errors. ema_width: of the power-function average that is
    validated and exported, as a share of the run.
    """

    preset: str = "f8t4"
    steps: int = 600
    lr: float = 7e-4
    weight_decay: float = 0.01
    warmup_steps: int = 30
    clip_norm: float = 1.0
    code_rate: float = 0.01
    latent_noise: float = 0.01
    ema_width: float = 0.05
    seed: int = 0
    loss: LossWeights = field(default_factory=LossWeights)
    data: TAEDataConfig = field(default_factory=TAEDataConfig)

    def rate(self, step: int) -> float:
        """The learning rate at `step`, as a share of `lr`."""
        rising = min(1.0, (step + 1) / self.warmup_steps)
        return rising * max(0.02, 1.0 - step / self.steps)


class TAETrainingError(UserError):
    """A run of other settings than asked for."""


class TAEModule(pl.LightningModule):
    """Loss, averaged weights and validation of one autoencoder. Step k is a function of the state and of k alone."""

    def __init__(self, training: TAETraining) -> None:
        super().__init__()
        self.run = training
        self.gamma = ema.gamma_of(training.ema_width)
        torch.manual_seed(training.seed)
        self.network = TAE(preset(training.preset))
        self.average = deepcopy(self.network).requires_grad_(False)

    def start(self, batches: BacklotBatches, clips: int = COMPONENT_CLIPS) -> None:
        """Start the block code from the principal components of the first training clips."""
        known = torch.stack([batches.clip(seed) for seed in range(min(clips, batches.config.clips))])
        start_from_components(self.network.code, to_unit(known))
        self.average.load_state_dict(self.network.state_dict())

    def configure_optimizers(self) -> Any:
        run = self.run
        groups = parameter_groups(self.network, run.lr, self.network.code, run.code_rate * run.lr)
        optimiser = Muon(groups, weight_decay=run.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.run.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, clips: Tensor, _index: int) -> Tensor:
        frames_BCTHW = to_unit(clips)
        latents = self.network.encode_raw(frames_BCTHW)
        noise = torch.Generator().manual_seed(self.run.seed * 1_000_003 + self.global_step)
        shaken = latents + self.run.latent_noise * torch.randn(latents.shape, generator=noise).to(latents)
        decoded = self.network.decode_raw(shaken, frames_BCTHW.shape[2])
        total, terms = tae_loss(decoded, frames_BCTHW, latents, self.run.loss)
        self.log("train/loss", total)
        self.log_dict({f"train/{name}": value for name, value in terms.items() if name != "temporal"})
        if "temporal" in terms:
            self.log("train/temporal", terms["temporal"])
        return total

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        ema.update(self.average, self.network, self.global_step + 1, self.gamma)

    def validation_step(self, clips: Tensor, _index: int) -> None:
        for name, value in quality(self.average, clips).items():
            self.log(f"held-out/{name}", value, batch_size=1)


def quality(network: TAE, clips_BCTHW: Tensor) -> dict[str, float]:
    """The fidelity of uint8 clips after encoding and decoding."""
    return fidelity(through(network, clips_BCTHW), clips_BCTHW)


def fidelity(decoded_BCTHW: Tensor, clips_BCTHW: Tensor) -> dict[str, float]:
    """PSNR in dB, per clip, and SSIM, per frame, of uint8 clips: means."""
    after, before = decoded_BCTHW.float(), clips_BCTHW.float()
    in_a_row = [frames.transpose(1, 2).flatten(0, 1) for frames in (after, before)]
    return {
        "psnr": float(psnr_per_clip(after, before, data_range=255.0).mean()),
        "ssim": float(ssim(*in_a_row, data_range=255.0)),
    }


@torch.no_grad()
def through(network: TAE, clips_BCTHW: Tensor) -> Tensor:
    """uint8 clips, encoded and decoded again."""
    return to_bytes(network.decode(network.encode(to_unit(clips_BCTHW)), clips_BCTHW.shape[2]))


@torch.no_grad()
def measure_statistics(network: TAE, batches: BacklotBatches, clips: int = STATISTICS_CLIPS) -> None:
    """Store mean and standard deviation of each raw latent channel over the first training clips of 32 frames."""
    count, total, squares = 0, torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for seed in range(min(clips, batches.config.clips)):
        latents_CL = network.encode_raw(to_unit(batches.clip(seed)[None]))[0].flatten(1).double()
        count += latents_CL.shape[1]
        total = total + latents_CL.sum(dim=1)
        squares = squares + latents_CL.square().sum(dim=1)
    mean_C = total / count
    variance_C = squares / count - mean_C.square()
    network.set_statistics(mean_C.float(), variance_C.clamp_min(0.0).sqrt().float())


class Watch(Callback):
    """Prints and keeps the held-out figures, writes the picture grid, and stops when the time is up."""

    def __init__(self, folder: Path, minutes: float | None) -> None:
        self.folder = folder
        self.minutes = minutes
        self.spent_s = 0.0
        self.curve: list[dict[str, float]] = []
        self._since = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        return {"spent_s": self.elapsed_s, "curve": self.curve}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.spent_s, self.curve = float(state_dict["spent_s"]), list(state_dict["curve"])
        self._since = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds spent in training, over all resumptions."""
        return self.spent_s + time.monotonic() - self._since

    def on_train_start(self, *_: Any) -> None:
        self._since = time.monotonic()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if self.minutes is not None and self.elapsed_s > 60.0 * self.minutes:
            trainer.should_stop = True

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.sanity_checking or not isinstance(module, TAEModule):
            return
        figures = {key: float(value) for key, value in trainer.callback_metrics.items()}
        point = {
            "step": trainer.global_step,
            "minutes": round(self.elapsed_s / 60.0, 2),
            "loss": round(figures.get("train/loss", float("nan")), 5),
            "psnr": round(figures["held-out/psnr"], 3),
            "ssim": round(figures["held-out/ssim"], 5),
        }
        if not self.curve or self.curve[-1]["step"] != point["step"]:
            self.curve.append(point)
        print("  ".join(f"{name} {value}" for name, value in point.items()), flush=True)
        clips = torch.stack(held_out_clips(PICTURED_CLIPS, module.run.data.size))
        picture = before_and_after(clips, through(module.average, clips))
        write_png(picture, self.folder / "pictures" / f"step-{trainer.global_step:06d}.png")


def train_tae(
    training: TAETraining,
    folder: Path,
    *,
    output: Path | None = None,
    minutes: float | None = None,
    validate_every: int = 200,
    save_every: int = 50,
    log_every: int = 10,
    stop_after: int | None = None,
    progress: bool = True,
) -> Path:
    """Train an autoencoder in `folder` and write its averaged weights and card to `output`; the file written.

    A run that finds `folder/last.ckpt` goes on from there, batch for batch: the curve of a killed run is that of an
    unbroken one. minutes: of training in all, resumptions
    included; the run is exported as it stands then. stop_after: stop (without a change of schedule) after this step.
    Raises ValueError for settings that cannot be, RunFolderError for a folder of another run.
    """
    module, data = TAEModule(training), TAEData(training.data)
    watch = Watch(folder, minutes)
    keeper = ModelCheckpoint(folder, filename="last", every_n_train_steps=save_every, enable_version_counter=False)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=min(training.steps, stop_after or training.steps),
        max_epochs=-1,
        val_check_interval=validate_every,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        gradient_clip_val=training.clip_norm,
        logger=loggers(folder),
        log_every_n_steps=log_every,
        callbacks=[watch, keeper],
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    last = folder / "last.ckpt"
    note_settings(folder, training, resumes=last.exists())
    if not last.exists():
        module.start(data.batches)
    trainer.fit(module, datamodule=data, ckpt_path=str(last) if last.exists() else None, weights_only=True)
    network = module.average.eval()
    measure_statistics(network, data.batches)
    halves = {name: tensor.half() for name, tensor in network.state_dict().items()}
    network.load_state_dict(halves)  # what is measured is what is written
    figures = _held_out_figures(network, training.data)
    where = output or folder / f"tae-{training.preset}.safetensors"
    card = _card(training, watch, trainer.global_step, figures, network)
    save_weights(where, halves, Header("tae", training.preset), card)
    print(f"{where}: held-out PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.4f}, {trainer.global_step} steps")
    return where


def _held_out_figures(network: TAE, data: TAEDataConfig) -> dict[str, float]:
    """Fidelity on the held-out clips, and the lowest PSNR among them."""
    each = [quality(network, clip[None]) for clip in held_out_clips(data.held_out, data.size)]
    return {
        "psnr": sum(one["psnr"] for one in each) / len(each),
        "ssim": sum(one["ssim"] for one in each) / len(each),
        "lowest_psnr": min(one["psnr"] for one in each),
    }


def _card(
    training: TAETraining, watch: Watch, steps: int, figures: Mapping[str, float], network: TAE
) -> dict[str, Any]:
    """What is to be known about the weights beside their hash."""
    data = training.data
    return {
        "what": "Temporal Autoencoder, 2.5-dimensional, not causal; averaged weights",
        "data": f"Backlot scenes with seeds 0 to {data.clips - 1}, {CLIP_FRAMES} frames at 8 fps, {data.size} pixels; "
        "a batch in four is of images",
        "held_out_data": f"{data.held_out} Backlot scenes with seeds from {TRAINING_SEEDS}, {CLIP_FRAMES} frames",
        "held_out": {name: round(value, 4) for name, value in figures.items()},
        "steps": steps,
        "stopped_early": steps < training.steps,
        "minutes": round(watch.elapsed_s / 60.0, 1),
        "hardware": f"{platform.machine()} CPU, {torch.get_num_threads()} threads, float32, torch {torch.__version__}",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "settings": asdict(training),
        "curve": watch.curve,
        "limits": "Learned from drawn scenes of 64 pixels only: real footage and fine texture come back soft. "
        "Clips shorter than one latent frame (2 to 4 frames for f8t4) come back as a still.",
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line of train_tae."""
    defaults = TAETraining()
    parser = argparse.ArgumentParser(prog="python -m moviegen.training.tae", description="Train the autoencoder.")
    parser.add_argument("--preset", choices=list(PRESETS), default=defaults.preset)
    parser.add_argument("--folder", type=Path, default=Path("runs/tae"), help="checkpoints, logs and pictures")
    parser.add_argument("--output", type=Path, help="the safetensors file to write (default: in the folder)")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--minutes", type=float, help="stop after so many minutes of training, and export")
    parser.add_argument("--lr", type=float, default=defaults.lr)
    parser.add_argument("--clips", type=int, default=defaults.data.clips, help="training scenes")
    parser.add_argument("--outlier", type=float, default=0.0, help="weight of the outlier penalty (0: off)")
    parser.add_argument("--latent-noise", type=float, default=defaults.latent_noise)
    parser.add_argument("--frames-per-batch", type=int, default=defaults.data.frames_per_batch)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--validate-every", type=int, default=200, help="steps between validations")
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(arguments)
    try:
        data = replace(
            defaults.data,
            clips=given.clips,
            frames_per_batch=given.frames_per_batch,
            image_batch=max(1, given.frames_per_batch // 2),
            seed=given.seed,
        )
        training = replace(
            defaults,
            preset=given.preset,
            steps=given.steps,
            lr=given.lr,
            latent_noise=given.latent_noise,
            seed=given.seed,
            loss=replace(defaults.loss, outlier=given.outlier),
            data=data,
        )
        train_tae(
            training,
            given.folder,
            output=given.output,
            minutes=given.minutes,
            validate_every=given.validate_every,
            save_every=given.save_every,
            progress=not given.quiet,
        )
    except UserError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
