"""The folder of a training run: its curves, and the settings that it goes on with."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pytorch_lightning.loggers import CSVLogger, Logger

from eval.cache import write_atomically
from eval.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class RunFolderError(UserError):
    """A folder that holds another run."""


def loggers(folder: Path) -> list[Logger]:
    """CSV always, a new part for every start, so that a resumed run keeps what is there; TensorBoard if installed."""
    part = len(list((folder / "csv").glob("part-*")))
    found: list[Logger] = [CSVLogger(folder, name="csv", version=f"part-{part:02d}", flush_logs_every_n_steps=20)]
    if find_spec("tensorboard") or find_spec("tensorboardX"):
        from pytorch_lightning.loggers import TensorBoardLogger

        found.append(TensorBoardLogger(folder, name="tensorboard", version=""))
    return found


def note_settings(folder: Path, training: DataclassInstance, *, resumes: bool) -> None:
    """Keep the settings beside the checkpoints. Raises RunFolderError if a run would go on with other ones."""
    path = folder / "settings.json"
    text = json.dumps(asdict(training), indent=2) + "\n"
    if resumes and path.exists() and path.read_text() != text:
        raise RunFolderError(
            f"{folder} holds a run with other settings ({path}): choose another --folder, or remove it"
        )
    write_atomically(path, text.encode())
