"""The user's weights folder: a folder per encoder, and beside it the lock file that pins its hashes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "MOVIEGEN_WEIGHTS"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The folder in use and what named it."""

    path: Path
    named_by: str


def weights_folder(flag: Path | None = None) -> Chosen:
    """The folder by `flag`, else by the environment variable, else in the home folder. It need not exist yet.

    Read from the environment, as MOVIEGEN_DEVICE is (device.py) and nothing else in this floor: the processes of a
    sweep inherit it, and no metric's function has an argument to carry the folder in.
    """
    if flag is not None:
        return Chosen(flag.expanduser().absolute(), "--folder")
    if named := os.environ.get(VARIABLE):
        return Chosen(Path(named).expanduser().absolute(), VARIABLE)
    return Chosen(Path.home() / ".moviegen" / "weights", "the default")
