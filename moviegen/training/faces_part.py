"""One of the face networks in training: batches that are a function of the step, Muon, averaged weights, a folder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from eval.errors import UserError
from moviegen.training import ema
from moviegen.training.clock import Clock
from moviegen.training.muon import Muon
from moviegen.training.reader import update_average
from moviegen.training.run_folder import loggers, note_settings
from moviegen.training.safe_checkpoint import SafeCheckpointIO


class FacesTrainingError(UserError):
    """A training run that cannot be."""


@dataclass(frozen=True, slots=True)
class PartTraining:
    """What decides the training of one network, but for its data.

    steps: of the optimiser; the learning rate rises over `warm_up` steps and falls linearly to nothing. ema_width: of
    the power-function average that is exported, as a share of the run.
    """

    steps: int
    batch: int
    lr: float = 2.5e-3
    weight_decay: float = 0.02
    warm_up: int = 30
    clip_norm: float = 5.0
    ema_width: float = 0.04
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise FacesTrainingError(f"{name} must be 1 or more; got {getattr(self, name)}")

    def rate(self, step: int) -> float:
        """The learning rate at `step`, as a share of `lr`."""
        return max(0.0, min((step + 1) / self.warm_up, 1.0 - step / self.steps))


class FacePart(pl.LightningModule):
    """A network with its loss. Step k is a function of the state and of k alone.

    heads: beginnings of the names of parameters that AdamW trains, although they are matrices.
    """

    heads: tuple[str, ...] = ()

    def __init__(self, training: PartTraining, network: nn.Module) -> None:
        super().__init__()
        self.run = training
        self.gamma = ema.gamma_of(training.ema_width)
        self.network = network
        self.average = deepcopy(network).requires_grad_(False)

    @abstractmethod
    def losses(self, batch: Any) -> dict[str, Tensor]:
        """The parts of the loss by name; their sum is minimised."""

    def configure_optimizers(self) -> Any:
        trained = {name: p for name, p in self.named_parameters() if not name.startswith("average.")}
        by_muon = {name for name, p in trained.items() if p.ndim >= 2 and not name.startswith(self.heads)}
        groups: list[dict[str, Any]] = [
            {"params": [p for name, p in trained.items() if name in by_muon], "muon": True},
            {"params": [p for name, p in trained.items() if name not in by_muon], "muon": False, "weight_decay": 0.0},
        ]
        optimiser = Muon([{**group, "lr": self.run.lr} for group in groups], weight_decay=self.run.weight_decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self.run.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Any, _index: int) -> Tensor:
        parts = self.losses(batch)
        self.log_dict({f"train/{name}": loss for name, loss in parts.items()}, batch_size=self.run.batch)
        return torch.stack(list(parts.values())).sum()

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """The step, and the average with it: checkpoints are written before on_train_batch_end, and must hold both."""
        super().optimizer_step(*args, **kwargs)
        update_average(self.average, self.network, self.global_step + 1, self.gamma)


Batches = Callable[[int], Any]
"""The batch of a step, whichever was asked for before."""
OnStep = Callable[[int, str], None]
"""Told of every step done, and of its losses in words."""


class _Steps(IterableDataset[Any]):
    """The batches from the trainer's present step on: a resumed run goes on with the batch the killed one was at."""

    def __init__(self, batches: Batches, first_step: Callable[[], int]) -> None:
        self._batches, self._first_step = batches, first_step

    def __iter__(self) -> Iterator[Any]:
        step = self._first_step()
        while True:
            yield self._batches(step)
            step += 1


class _Tell(Callback):
    """Calls on_step after every step, with its losses in words."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        shown = {name: value for name, value in trainer.callback_metrics.items() if name.startswith("train/")}
        losses = "  ".join(f"{name.removeprefix('train/')} {float(value):.3f}" for name, value in shown.items())
        self._on_step(trainer.global_step, losses)


def fit(
    part: FacePart,
    batches: Batches,
    folder: Path,
    *,
    save_every: int = 100,
    on_step: OnStep = lambda _step, _losses: None,
) -> Clock:
    """Train a part in `folder`, going on from `folder/last.safetensors` where there is one; how long it took.

    Raises RunFolderError for a folder of another run, OSError.
    """
    last = folder / "last.safetensors"
    note_settings(folder, part.run, resumes=last.exists())
    torch.set_flush_denormal(True)  # fading momenta and averages would slow a CPU down
    keeper = ModelCheckpoint(folder, filename="last", every_n_train_steps=save_every, enable_version_counter=False)
    keeper.FILE_EXTENSION = ".safetensors"
    clock = Clock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_steps=part.run.steps,
        max_epochs=-1,
        gradient_clip_val=part.run.clip_norm,
        logger=loggers(folder),
        log_every_n_steps=10,
        callbacks=[clock, keeper, _Tell(on_step)],
        plugins=[SafeCheckpointIO()],
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    steps = _Steps(batches, lambda: trainer.global_step)
    trainer.fit(part, DataLoader(steps, batch_size=None), ckpt_path=str(last) if last.exists() else None)
    trainer.save_checkpoint(last)  # so that a finished part is not trained again
    part.average.eval()
    return clock
