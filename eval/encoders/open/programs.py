"""Running a program that the user exported: its faults in one line, its answer of the shape that was agreed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from eval.encoders.runner import EncodingError

Shape = tuple[int | None, ...]
"""None: any length."""


def answer(name: str, program: Callable[..., Any], shape: Shape, *inputs: torch.Tensor, **flags: bool) -> torch.Tensor:
    """What the program gives. Raises EncodingError for another shape, and for whatever it raises but want of memory."""
    try:
        given = program(*inputs, **flags)
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error):
            raise torch.OutOfMemoryError(str(error)) from None
        raise EncodingError(f"{name}: the program failed: {_gist(str(error))}") from None
    if not isinstance(given, torch.Tensor):
        raise EncodingError(f"{name}: the program gave {type(given).__name__}, not a tensor: export it again")
    if given.ndim != len(shape) or any(
        wanted not in {None, length} for wanted, length in zip(shape, given.shape, strict=True)
    ):
        wanted = ",".join("any" if length is None else str(length) for length in shape)
        raise EncodingError(f"{name}: the program gave {tuple(given.shape)}, not {wanted}: export it again")
    return given


def _gist(text: str) -> str:
    """The first line of TorchScript's message, or its last, which has the cause, where the first only says where."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()] or ["it did not say why"]
    return (lines[-1] if "TorchScript interpreter" in lines[0] else lines[0])[:200]
