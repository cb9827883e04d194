"""Checkpoints of a training run as safetensors: tensors, and everything else as JSON. Nothing is ever pickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from eval.errors import UserError


class CheckpointError(UserError):
    """A checkpoint that cannot be read."""


class SafeCheckpointIO(CheckpointIO):
    """Lightning's checkpoints, written under another name and renamed: a kill leaves the last whole one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        assert storage_options is None
        tensors: dict[str, Tensor] = {}
        plain = _take_apart(checkpoint, tensors)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(".part")
        save_file(tensors, temporary, {"checkpoint": json.dumps(plain)})
        temporary.replace(target)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The checkpoint, on the CPU. Raises CheckpointError unless the file is one of ours and whole."""
        del map_location, weights_only
        try:
            with safe_open(path, framework="pt") as file:
                plain = json.loads((file.metadata() or {})["checkpoint"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError):
            raise CheckpointError(f"{path} is no checkpoint of ours or is damaged: start again without it") from None
        whole: dict[str, Any] = _put_together(plain, tensors)
        return whole

    def remove_checkpoint(self, path: str | Path) -> None:
        Path(path).unlink(missing_ok=True)


def _take_apart(value: Any, tensors: dict[str, Tensor]) -> Any:
    """JSON for a value, whose tensors go into `tensors`. A container is a list: its kind, then what it holds."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return ["tensor", name]
    if isinstance(value, dict):
        return ["dict", [[_take_apart(k, tensors), _take_apart(v, tensors)] for k, v in value.items()]]
    if isinstance(value, tuple | list):
        return ["tuple" if isinstance(value, tuple) else "list", [_take_apart(v, tensors) for v in value]]
    if isinstance(value, Path):
        return str(value)
    assert value is None or isinstance(value, str | int | float | bool), f"a checkpoint holds a {type(value)}"
    return value


def _put_together(plain: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(plain, list):
        return plain
    kind, held = plain
    if kind == "tensor":
        return tensors[held]
    if kind == "dict":
        return {_put_together(k, tensors): _put_together(v, tensors) for k, v in held}
    values = [_put_together(v, tensors) for v in held]
    return tuple(values) if kind == "tuple" else values
