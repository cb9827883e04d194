"""Training the attribute reader on the Backlot's truth: `python -m moviegen.training.reader --help`.

Shape legend: B clips, T frames, C channels, H height, W width, F factors.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from eval.errors import UserError
from eval.features.backlot_reader.network import CELLS, Reader
from moviegen.training import ema
from moviegen.training.muon import Muon
from moviegen.training.reader_augment import augmented, shifted
from moviegen.training.reader_data import FACTORS_READ, FRAMES, LOOKS, SIZE, Clips, collides, make_clips, mirrored
from moviegen.training.reader_export import export
from moviegen.training.reader_figures import figures, read_clips, to_network
from moviegen.training.run_folder import loggers, note_settings
from moviegen.training.safe_checkpoint import SafeCheckpointIO
from moviegen.training.step_order import StepOrder

SHORT_EVERY = 8
"""Every so many steps the batch is of clips of half the length."""


WEIGHTS = {"size": 0.3, "skin": 0.3, "hair_color": 0.3, "age": 0.3} | dict.fromkeys(
    ("eye_color", "hair_style", "glasses", "beard", "presentation"), 0.1
)
"""What a factor's loss counts, where it is not 1: what hardly shows must not drown what does."""


SHIFT = 1
"""Whole pictures are shifted by up to so many cells."""

PLACES = 6.0
"""What telling places counts beside reading."""


class ReaderError(UserError):
    """A training run that cannot be."""


@dataclass(frozen=True, slots=True)
class ReaderTraining:
    """Everything that decides a training run but the wall clock.

    clips: training scenes. held_out: scenes of each held-out split that the final figures are of; watched: how many of
    them are read along the way. steps: of the optimiser; the learning rate rises over warm_up steps and falls linearly
    to nothing. ema_width: of the power-function average that is validated and exported, as a share of the run.
    """

    clips: int = 38_400
    held_out: int = 2048
    watched: int = 512
    steps: int = 2400
    batch: int = 32
    lr: float = 2.5e-3
    weight_decay: float = 0.02
    warm_up: int = 30
    clip_norm: float = 5.0
    ema_width: float = 0.04
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("clips", "held_out", "steps", "batch"):
            if getattr(self, name) < 1:
                raise ReaderError(f"{name} must be 1 or more; got {getattr(self, name)}")

    def rate(self, step: int) -> float:
        """The learning rate at `step`, as a share of `lr`."""
        return max(0.0, min((step + 1) / self.warm_up, 1.0 - step / self.steps))


def new_reader() -> Reader:
    """An untrained network with a head for each of FACTORS_READ."""
    return Reader({factor.name: len(factor.classes) for factor in FACTORS_READ})


@dataclass(frozen=True, slots=True)
class Batches:
    """batch(step) for any step, in any order: frames uint8 B,T,H,W,3, the frames to look at closely, what the subjects
    cover in those (uint8 B,L,2,CELLS,CELLS), and labels B,F.
    """

    clips: Clips
    order: StepOrder
    seed: int

    def __call__(self, step: int) -> Batch:
        _, rows = self.order(step)
        random = np.random.default_rng((self.seed, step))
        length = FRAMES // 2 if step % SHORT_EVERY == SHORT_EVERY - 1 else FRAMES
        possible = [k for k, frame in enumerate(LOOKS) if frame < length]
        half = len(possible) // 2
        looks = [int(random.choice(possible[:half])), int(random.choice(possible[half:]))]
        shifts_B2 = random.integers(-SHIFT, SHIFT + 1, (len(rows), 2))
        shown = [
            shifted(self.clips.frames(row)[:length], SIZE // CELLS * by, 1)
            for row, by in zip(rows, shifts_B2, strict=True)
        ]
        frames = np.stack([augmented(one, random) for one in shown])
        cells = np.stack(
            [shifted(self.clips.cells(row)[looks], by, 2) for row, by in zip(rows, shifts_B2, strict=True)]
        )
        labels_BF = self.clips.labels_NF[rows]
        flipped_B = random.random(len(rows)) < 0.5
        frames[flipped_B] = frames[flipped_B, :, :, ::-1]
        cells[flipped_B] = cells[flipped_B, ..., ::-1]
        turned_B = flipped_B & collides(labels_BF)
        cells[turned_B] = cells[turned_B][:, :, ::-1]
        labels_BF = np.where(flipped_B[:, None], mirrored(labels_BF), labels_BF)
        return Batch(
            to_network(frames), [LOOKS[k] for k in looks], torch.from_numpy(cells), torch.from_numpy(labels_BF)
        )


class Batch(NamedTuple):
    """One step's clips."""

    frames_BTCHW: Tensor
    looks: list[int]
    cells_BLSHW: Tensor
    labels_BF: Tensor


def reading_loss(logits: dict[str, Tensor], labels_BF: Tensor) -> Tensor:
    """Cross-entropy summed over the factors that each clip shows, averaged over clips."""
    total = torch.zeros(())
    for f, factor in enumerate(FACTORS_READ):
        total = total + WEIGHTS.get(factor.name, 1.0) * functional.cross_entropy(
            logits[factor.name], labels_BF[:, f], ignore_index=-1, reduction="sum", label_smoothing=0.02
        )
    return total / len(labels_BF)


def place_loss(places_BLSHW: Tensor, cells_BLSHW: Tensor) -> Tensor:
    """Cross-entropy of each cell's place against the shares that the subjects cover, averaged over cells."""
    subjects = cells_BLSHW.float() / 255.0
    shares = torch.cat([subjects, (1.0 - subjects.sum(dim=2, keepdim=True)).clamp_min(0.0)], dim=2)
    return -(shares * places_BLSHW).sum(dim=2).mean()


class ReaderModule(pl.LightningModule):
    """Loss, averaged weights and validation. Step k is a function of the state and of k alone."""

    def __init__(self, training: ReaderTraining) -> None:
        super().__init__()
        self.run = training
        self.gamma = ema.gamma_of(training.ema_width)
        torch.manual_seed(training.seed)
        self.network = new_reader()
        self.average = deepcopy(self.network).requires_grad_(False)

    def configure_optimizers(self) -> Any:
        optimiser = Muon(parameter_groups(self.network, self.run.lr), weight_decay=self.run.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.run.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        read = self.network(batch.frames_BTCHW, batch.looks)
        reading, places = reading_loss(read.logits, batch.labels_BF), place_loss(read.places_BLSHW, batch.cells_BLSHW)
        self.log_dict({"train/loss": reading, "train/places": places}, batch_size=len(batch.labels_BF))
        return reading + PLACES * places

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        update_average(self.average, self.network, self.global_step + 1, self.gamma)


def update_average(average: nn.Module, network: nn.Module, step: int, gamma: float) -> None:
    """Take weights and the norms' running statistics into the average."""
    ema.update(average, network, step, gamma)
    share = 1 - (1 - 1 / step) ** (gamma + 1)
    for ours, theirs in zip(average.buffers(), network.buffers(), strict=True):
        if ours.is_floating_point():
            ours.lerp_(theirs, share)
        else:
            ours.copy_(theirs)


def parameter_groups(network: nn.Module, lr: float) -> list[dict[str, Any]]:
    """Convolutions and hidden matrices for Muon; heads, norms and biases for AdamW."""
    heads = {id(parameter) for name, parameter in network.named_parameters() if name.startswith("heads.")}
    parameters = list(network.parameters())
    hidden = [p for p in parameters if p.ndim >= 2 and id(p) not in heads]
    chosen = {id(parameter) for parameter in hidden}
    others = [p for p in parameters if id(p) not in chosen]
    return [
        {"params": hidden, "lr": lr, "muon": True},
        {"params": others, "lr": lr, "muon": False, "weight_decay": 0.0},
    ]


class _Steps(IterableDataset[Batch]):
    """The batches from the trainer's present step on: a resumed run goes on with the batch the killed one was at."""

    def __init__(self, batches: Batches, first_step: Callable[[], int]) -> None:
        self._batches = batches
        self._first_step = first_step

    def __iter__(self) -> Iterator[Batch]:
        step = self._first_step()
        while True:
            yield self._batches(step)
            step += 1


class Watch(Callback):
    """Reads held-out clips now and then, prints and keeps what came of it, and stops when the time is up."""

    def __init__(self, held_out: Clips, every: int, minutes: float | None) -> None:
        self.held_out, self.every, self.minutes = held_out, every, minutes
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

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if trainer.global_step % self.every == 0:
            assert isinstance(pl_module, ReaderModule)
            self._look(trainer, pl_module)
        if self.minutes is not None and self.elapsed_s > 60.0 * self.minutes:
            trainer.should_stop = True

    def _look(self, trainer: pl.Trainer, module: ReaderModule) -> None:
        reader = module.average.eval()
        found = figures(read_clips(reader, self.held_out), self.held_out.labels_NF)
        each = {name: figure.accuracy for name, figure in found.items() if figure.counted}
        point = {
            "step": trainer.global_step,
            "minutes": round(self.elapsed_s / 60.0, 2),
            "accuracy": round(float(np.mean(list(each.values()))), 4),
            "loss": round(float(trainer.callback_metrics["train/loss"]), 4),
        }
        self.curve.append(point)
        for logger in trainer.loggers:
            logger.log_metrics({f"held-out/{name}": value for name, value in each.items()}, trainer.global_step)
        print("  ".join(f"{name} {value}" for name, value in point.items()), flush=True)
        print("  " + "  ".join(f"{name} {value:.3f}" for name, value in each.items()), flush=True)


def train_reader(
    training: ReaderTraining,
    folder: Path,
    *,
    clips: Path | None = None,
    output: Path | None = None,
    minutes: float | None = None,
    validate_every: int = 100,
    save_every: int = 50,
    log_every: int = 10,
    stop_after: int | None = None,
    progress: bool = True,
) -> Path:
    """Train a reader in `folder` and write its averaged weights and card to `output`; the file written.

    A run that finds `folder/last.safetensors` goes on from there, batch for batch. clips: where rendered clips are kept
    and found again (folder/clips where not given). minutes: of training in all, resumptions included; the run is
    exported as it stands then. stop_after: stop, without a change of schedule, after this step.
    Raises ReaderError for settings that cannot be, RunFolderError for a folder of another run.
    """
    last = folder / "last.safetensors"
    note_settings(folder, training, resumes=last.exists())
    torch.set_flush_denormal(True)  # fading momenta and averages would slow a CPU down
    rendered = clips or folder / "clips"
    shown = _training_clips(rendered, training.clips, progress)
    order = StepOrder((1.0,), (training.clips,), (training.batch,), training.seed)
    module = ReaderModule(training)
    watch = Watch(make_clips(rendered, "held out", training.watched), validate_every, minutes)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=min(training.steps, stop_after or training.steps),
        max_epochs=-1,
        gradient_clip_val=training.clip_norm,
        logger=loggers(folder),
        log_every_n_steps=log_every,
        callbacks=[watch, _keeper(folder, save_every)],
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=progress,
        enable_model_summary=False,
    )
    steps = _Steps(Batches(shown, order, training.seed), lambda: trainer.global_step)
    trainer.fit(module, DataLoader(steps, batch_size=None), ckpt_path=str(last) if last.exists() else None)
    facts = {
        "steps": trainer.global_step,
        "stopped_early": trainer.global_step < training.steps,
        "minutes": round(watch.elapsed_s / 60.0, 1),
        "settings": asdict(training),
        "curve": watch.curve,
    }
    return export(module.average.eval(), training, rendered, output or folder / "backlot-reader.safetensors", facts)


def _keeper(folder: Path, every: int) -> ModelCheckpoint:
    keeper = ModelCheckpoint(folder, filename="last", every_n_train_steps=every, enable_version_counter=False)
    keeper.FILE_EXTENSION = ".safetensors"
    return keeper


def _training_clips(folder: Path, count: int, progress: bool) -> Clips:
    """The training clips, with a bar while they are rendered."""
    if not progress:
        return make_clips(folder, "train", count)
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("rendering scenes", total=count)
        return make_clips(folder, "train", count, lambda: bar.advance(task))


def main(arguments: list[str] | None = None) -> None:
    """The command line of train_reader."""
    defaults = ReaderTraining()
    parser = argparse.ArgumentParser(prog="python -m moviegen.training.reader", description="Train the reader.")
    parser.add_argument("--folder", type=Path, default=Path("runs/reader"), help="checkpoints and logs")
    parser.add_argument("--clips-folder", type=Path, help="where rendered clips are kept (default: in the folder)")
    parser.add_argument("--output", type=Path, help="the safetensors file to write (default: in the folder)")
    parser.add_argument("--steps", type=int, default=defaults.steps)
    parser.add_argument("--minutes", type=float, help="stop after so many minutes of training, and export")
    parser.add_argument("--lr", type=float, default=defaults.lr)
    parser.add_argument("--clips", type=int, default=defaults.clips, help="training scenes")
    parser.add_argument("--held-out", type=int, default=defaults.held_out, help="scenes of the final figures")
    parser.add_argument("--batch", type=int, default=defaults.batch, help="clips in a step")
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--validate-every", type=int, default=100, help="steps between looks at held-out scenes")
    parser.add_argument("--save-every", type=int, default=50, help="steps between checkpoints")
    parser.add_argument("--threads", type=int, help="processor threads (default: torch's own choice)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args(arguments)
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    try:
        training = replace(
            defaults,
            steps=given.steps,
            lr=given.lr,
            clips=given.clips,
            held_out=given.held_out,
            watched=min(defaults.watched, given.held_out),
            batch=given.batch,
            seed=given.seed,
        )
        train_reader(
            training,
            given.folder,
            clips=given.clips_folder,
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
