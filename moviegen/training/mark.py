"""Training the learned mark with real codecs in the loop: `moviegen train mark`.

A batch is marked as it would be when the mark is used, worn for real (codecs, cuts, lost frames), and averaged over
time. Backwards, all that counts as the identity: what the reader finds is taken to change by what the writer changes
(straight-through). So a step costs one pass over each clip, and gradients one small image.

Shape legend: T frames, C channels, H W pixels, K bits, F frequencies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from eval.errors import UserError
from eval.marks.bits import random_message
from eval.marks.blocks import luma
from eval.marks.learned.alignment import Alignment
from eval.marks.learned.embed import strength, write
from eval.marks.learned.lattice import REACH, lattice, pattern, secret_of, waves
from eval.marks.learned.mask import just_noticeable
from eval.marks.learned.network import MarkNetwork
from eval.marks.learned.residual import SIDE, common
from eval.marks.learned.weights import BITS, pen_of
from moviegen.training import ema
from moviegen.training.mark_data import Frames, Material, make_material, resized
from moviegen.training.mark_wear import Worn, worn
from moviegen.training.run_folder import loggers, note_settings
from moviegen.training.safe_checkpoint import SafeCheckpointIO
from moviegen.training.step_order import StepOrder

SMALL_SHARE = 0.2
"""Share of clips that are shrunk to 64 to 160 pixels before they are marked."""


class MarkTrainingError(UserError):
    """A training run that cannot be."""


@dataclass(frozen=True, slots=True)
class MarkTraining:
    """Everything that decides a training run but the wall clock.

    scenes: Backlot clips and noise textures; windows: of footage, where a folder of it is given. psnr_db: of marked
    clips. steps: of the optimiser, `batch` clips each; rates of the tables and of the network fall linearly to nothing.
    ema_width: of the average that is exported, as a share of the run.
    """

    scenes: int = 128
    windows: int = 96
    psnr_db: float = 38.2
    steps: int = 300
    batch: int = 4
    table_rate: float = 3e-2
    network_rate: float = 3e-3
    ema_width: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("scenes", "steps", "batch"):
            if getattr(self, name) < 1:
                raise MarkTrainingError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if not 20.0 <= self.psnr_db <= 60.0:
            raise MarkTrainingError(f"psnr_db must be 20 to 60; got {self.psnr_db:g}")

    def rate(self, step: int) -> float:
        """The learning rates at `step`, as a share of the highest."""
        return max(0.0, min((step + 1) / 20, 1.0 - step / self.steps))


@dataclass(frozen=True, slots=True)
class Batches:
    """batch(step) for any step, in any order: clips and the seed of their messages, keys and wear."""

    material: Material
    order: StepOrder
    seed: int

    def __call__(self, step: int) -> list[tuple[Frames, tuple[int, int, int]]]:
        _, rows = self.order(step)
        return [(self.material[row], (self.seed, step, place)) for place, row in enumerate(rows)]


def shown_at_random(frames_TCHW: Frames, random: np.random.Generator) -> Frames:
    """A training clip as it is marked: mirrored or not, often a part of its frames, now and then small."""
    frames = frames_TCHW[:, :, :, ::-1] if random.random() < 0.5 else frames_TCHW
    frames = np.ascontiguousarray(frames[: int(random.integers(8, len(frames) + 1))])
    if random.random() < SMALL_SHARE:
        frames = resized(frames, int(random.integers(64, 161)), int(random.integers(64, 161)))
    return frames


def drawn_pattern(network: MarkNetwork, turned_F: Tensor, lies: Alignment, height: int, width: int) -> Tensor:
    """lattice.pattern, for a frame that the lattice lies in as `lies`, with a gradient to the waves' loudness: H, W."""
    ours = lattice()
    at_F = torch.from_numpy(ours.y_F * lies.shift_y + ours.x_F * lies.shift_x).float()
    amplitude_F = network.amplitudes()
    scale = (2.0 / amplitude_F.square().sum()).sqrt()
    waves_F = torch.polar(scale * amplitude_F, turned_F + 2 * torch.pi * at_F)
    table_YX = torch.zeros(2 * REACH + 1, REACH + 1, dtype=torch.complex64)
    table_YX = table_YX.index_put((torch.from_numpy(ours.rows), torch.from_numpy(ours.x_F)), waves_F)
    down_HY = torch.from_numpy(waves(height, lies.tiles_y, -REACH)).T
    return (down_HY @ table_YX @ torch.from_numpy(waves(width, lies.tiles_x, 0))).real


def mean_mask(frames_TCHW: Frames, one: Worn) -> Tensor:
    """The mask, averaged over a few frames, as it lies in the worn clip's images: H, W."""
    looked = frames_TCHW[:: max(1, len(frames_TCHW) // 4)]
    mask_HW = np.mean([just_noticeable(luma(frame)) for frame in looked], axis=0)
    top, left, high, wide = one.shown
    height, width = reading_size(one)
    inside = np.ascontiguousarray(mask_HW[top : top + high, left : left + wide])
    return torch.from_numpy(cv2.resize(inside, (width, height))).float()


def reading_size(one: Worn) -> tuple[int, int]:
    """Height and width of the images that a worn clip is read from."""
    height, width = one.frames_TCHW.shape[-2:]
    return min(SIDE, height), min(SIDE, width)


def read_soft(network: MarkNetwork, common_CHW: Tensor, lies: Alignment, phases_F: Tensor, bits_F: Tensor) -> Tensor:
    """Evidence for 1 of each bit where it is known how the lattice lies: K."""
    image_HW = network.whitener(common_CHW[None])[0]
    height, width = image_HW.shape
    ours = lattice()
    down_YH = torch.from_numpy(waves(height, lies.tiles_y, -REACH)).conj()
    across_WX = torch.from_numpy(waves(width, lies.tiles_x, 0)).conj().T
    table_YX = down_YH @ image_HW.to(torch.complex64) @ across_WX
    found_F = table_YX[torch.from_numpy(ours.rows), torch.from_numpy(ours.x_F)]
    at_F = torch.from_numpy(ours.y_F * lies.shift_y + ours.x_F * lies.shift_x).float()
    back_F = torch.polar(torch.ones_like(at_F), -2 * torch.pi * at_F)
    return network.soft_bits((found_F * back_F)[None], phases_F, bits_F, BITS)[0]


def clip_evidence(network: MarkNetwork, frames_TCHW: Frames, psnr_db: float, seed: tuple[int, ...]) -> Tensor:
    """Evidence for the bits of a random message after marking under a random key and random wear, K: positive where
    the bit is read rightly.
    """
    random = np.random.default_rng(seed)
    frames = shown_at_random(frames_TCHW, random)
    secret = secret_of(int(random.integers(1 << 62)), BITS)
    message_K = random_message(BITS, int(random.integers(1 << 62)))
    pen = pen_of(network, psnr_db)
    height, width = frames.shape[-2:]
    plain_HW = pattern(secret, message_K, pen.amplitude_F, height, width)
    one = worn(write(frames, plain_HW, pen), random)
    mask_HW = mean_mask(frames, one)
    turned_F = torch.from_numpy(secret.phases_F + np.pi * message_K[secret.bits_F]).float()
    loud = (
        strength(frames, plain_HW, pen) * drawn_pattern(network, turned_F, one.alignment, *reading_size(one)) * mask_HW
    )
    common_CHW = torch.from_numpy(common(one.frames_TCHW))
    through = loud - loud.detach()
    found_CHW = torch.cat([common_CHW[:2] + through, common_CHW[2:]])
    phases_F, bits_F = torch.from_numpy(secret.phases_F), torch.from_numpy(secret.bits_F)
    soft_K = read_soft(network, found_CHW, one.alignment, phases_F, bits_F)
    return soft_K * torch.from_numpy(message_K * 2.0 - 1.0).float()


class MarkModule(pl.LightningModule):
    """Loss and averaged weights. Step k is a function of the state and of k alone."""

    def __init__(self, training: MarkTraining) -> None:
        super().__init__()
        self.run = training
        self.gamma = ema.gamma_of(training.ema_width)
        torch.manual_seed(training.seed)
        self.network = MarkNetwork()
        self.average = deepcopy(self.network).requires_grad_(False)

    def configure_optimizers(self) -> Any:
        network = list(self.network.whitener.parameters())
        tables = [p for name, p in self.network.named_parameters() if not name.startswith("whitener.")]
        groups = [{"params": tables, "lr": self.run.table_rate}, {"params": network, "lr": self.run.network_rate}]
        optimiser = torch.optim.Adam(groups, betas=(0.9, 0.98))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.run.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: list[tuple[Frames, tuple[int, ...]]], _index: int) -> Tensor:
        rightly_BK = torch.stack([clip_evidence(self.network, one, self.run.psnr_db, seed) for one, seed in batch])
        loss = functional.softplus(-functional.softplus(self.network.gain) * rightly_BK).mean()
        if not loss.isfinite():
            raise MarkTrainingError(f"the loss is {loss.item()} at step {self.global_step}: lower the rates")
        accuracy = (rightly_BK > 0).float().mean()
        self.log_dict({"train/loss": loss, "train/accuracy": accuracy}, batch_size=len(batch))
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        ema.update(self.average, self.network, self.global_step + 1, self.gamma)


class _Steps(IterableDataset[Any]):
    """The batches from the trainer's present step on: a resumed run goes on with the batch the killed one was at."""

    def __init__(self, batches: Batches, first_step: Callable[[], int]) -> None:
        self._batches = batches
        self._first_step = first_step

    def __iter__(self) -> Iterator[Any]:
        step = self._first_step()
        while True:
            yield self._batches(step)
            step += 1


class Clock(Callback):
    """Keeps the curve, and stops when the time is up."""

    def __init__(self, every: int, minutes: float | None) -> None:
        self.every, self.minutes = every, minutes
        self.spent_s = 0.0
        self.curve: list[dict[str, float]] = []
        self._sums = np.zeros(3)
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
        found = trainer.callback_metrics
        self._sums += float(found["train/loss"]), float(found["train/accuracy"]), 1.0
        if trainer.global_step % self.every == 0:
            loss, accuracy, _ = self._sums / self._sums[2]
            minutes = round(self.elapsed_s / 60.0, 2)
            point = {"step": trainer.global_step, "minutes": minutes, "loss": loss, "accuracy": accuracy}
            self.curve.append({name: round(float(value), 4) for name, value in point.items()})
            print("  ".join(f"{name} {value}" for name, value in self.curve[-1].items()), flush=True)
            self._sums[:] = 0.0
        if self.minutes is not None and self.elapsed_s > 60.0 * self.minutes:
            trainer.should_stop = True


def train_mark(
    training: MarkTraining,
    folder: Path,
    *,
    media: Path | None = None,
    output: Path | None = None,
    minutes: float | None = None,
    held_out: int = 48,
    negatives: int = 3000,
    save_every: int = 25,
    report_every: int = 25,
    stop_after: int | None = None,
    progress: bool = True,
) -> Path:
    """Train the mark in `folder`, measure it on held-out clips and negatives, and write it with its card to `output`.

    media: a folder of footage (its last third by name is held out); without one, Backlot and textures alone. A run
    that finds `folder/last.safetensors` goes on from there, step for step. minutes: of training in all, resumptions
    included; the run is exported as it stands then. stop_after: stop, without a change of schedule, after this step.
    Raises MarkTrainingError for settings that cannot be, RunFolderError for a folder of another run.
    """
    last = folder / "last.safetensors"
    note_settings(folder, training, resumes=last.exists())
    torch.set_flush_denormal(True)  # fading momenta and averages would slow a CPU down
    clips = folder / "clips"
    material = make_material(clips, "train", training.scenes, training.windows, media)
    order = StepOrder((1.0,), (len(material),), (training.batch,), training.seed)
    module, clock = MarkModule(training), Clock(report_every, minutes)
    keeper = ModelCheckpoint(folder, filename="last", every_n_train_steps=save_every, enable_version_counter=False)
    keeper.FILE_EXTENSION = ".safetensors"
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=min(training.steps, stop_after or training.steps),
        max_epochs=-1,
        gradient_clip_val=1.0,
        logger=loggers(folder),
        log_every_n_steps=5,
        callbacks=[clock, keeper],
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    steps = _Steps(Batches(material, order, training.seed), lambda: trainer.global_step)
    trainer.fit(
        module,
        DataLoader(steps, batch_size=None, collate_fn=lambda batch: batch),
        ckpt_path=str(last) if last.exists() else None,
    )
    facts = {
        "steps": trainer.global_step,
        "stopped_early": trainer.global_step < training.steps,
        "minutes": round(clock.elapsed_s / 60.0, 1),
        "settings": asdict(training),
        "footage": "windows of clips of public video generators" if media is not None else "none",
        "curve": clock.curve,
    }
    from moviegen.training.mark_export import export  # measuring is as much code as training, and comes after it

    target = output or folder / "mark-learned.safetensors"
    return export(module.average.eval(), training.psnr_db, clips, media, target, facts, held_out, negatives)
