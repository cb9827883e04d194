"""How long a training run took, over all its starts, and on what; and an end when the time is up."""

from __future__ import annotations

import platform
import time
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback


class Clock(Callback):
    """Counts the time between the start of training and its end, validation included; kept in checkpoints.

    What a kill took back since the last checkpoint is not counted: those steps were not either.
    """

    def __init__(self, limit_minutes: float | None = None) -> None:
        self._limit_minutes = limit_minutes
        self._earlier_s = 0.0
        self._since: float | None = None
        self._hardware: list[str] = []

    @property
    def seconds(self) -> float:
        """Seconds of training so far, over all starts."""
        return self._earlier_s + (0.0 if self._since is None else time.monotonic() - self._since)

    @property
    def minutes(self) -> float:
        """The same in minutes, for cards: to a hundredth."""
        return round(self.seconds / 60, 2)

    @property
    def hardware(self) -> list[str]:
        """What the run was on, without repetitions."""
        return list(self._hardware)

    def on_train_start(self, _: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._since = time.monotonic()
        here = describe(pl_module.device)
        if here not in self._hardware:
            self._hardware.append(here)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if self._limit_minutes is not None:
            over = self.seconds >= 60 * self._limit_minutes
            trainer.should_stop = trainer.should_stop or trainer.strategy.broadcast(over)  # one clock for all processes

    def on_train_end(self, *_: Any) -> None:
        self._earlier_s, self._since = self.seconds, None

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds, "hardware": self._hardware}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._earlier_s, self._hardware = float(state_dict["seconds"]), list(state_dict["hardware"])


def describe(device: torch.device) -> str:
    """The device in words: 'x86_64 CPU, 2 threads, float32, torch 2.13.0'."""
    if device.type == "cpu":
        return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, float32, torch {torch.__version__}"
    return f"{torch.cuda.get_device_name(device)}, bf16, torch {torch.__version__}"
