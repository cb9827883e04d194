"""Lock files: the hashes that the first pull of an encoder found, which every later look at it must find again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.encoders.registry import Encoder
from eval.errors import UserError
from eval.hashing import json_sha256

FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=120)]  # no folders: names are joined to a path


class LockError(UserError):
    """A lock file that cannot be read. The message is one line: what, where, what to do."""


class PinnedFile(BaseModel):
    """What one file must be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Lock(BaseModel):
    """What was pulled. source: where from. licence: what the user saw or accepted. files: by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["moviegen-encoder-lock-1"] = "moviegen-encoder-lock-1"
    encoder: str
    version: int
    source: str
    licence: str
    files: dict[FileName, PinnedFile]

    @property
    def sha256(self) -> str:
        """One hash over all files: the `weights_sha256` of a feature that this encoder computes."""
        return json_sha256({name: file.sha256 for name, file in self.files.items()})

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())

    def fits(self, encoder: Encoder) -> bool:
        """Whether this is the registry's version: its files, with the hashes that it knows."""
        named = [file for file in encoder.files if "*" not in file.name]
        return self.version == encoder.version and all(
            file.name in self.files and file.sha256 in {None, self.files[file.name].sha256} for file in named
        )


def lock_path(name: str, folder: Path) -> Path:
    """Beside the encoder's folder, not in it: whoever deletes the weights keeps their pins."""
    return folder / f"{name}.lock.json"


def read_lock(name: str, folder: Path) -> Lock | None:
    """The lock of the encoder called `name`; None where it was never pulled. Raises LockError, OSError."""
    path = lock_path(name, folder)
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise LockError(f"{path}: damaged: delete it and run `moviegen weights pull {name}` again") from None
