"""Where networks run: the first CUDA GPU where there is one, else the processor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eval.errors import UserError

if TYPE_CHECKING:
    import torch

VARIABLE = "MOVIEGEN_DEVICE"


class DeviceError(UserError):
    """The device asked for cannot be used. The message is one line: what, and what to do."""


def device() -> torch.device:
    """The device by MOVIEGEN_DEVICE (cpu, cuda, cuda:1, …), else a CUDA GPU, else the processor. Raises DeviceError.

    Read from the environment, as the weights folder is: the processes of a sweep inherit it.
    """
    import torch

    named = os.environ.get(VARIABLE, "")
    if not named:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(named)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        why = str(error).splitlines()[0]
        raise DeviceError(f"{VARIABLE}={named}: {why}: unset it, or name a device such as cpu or cuda:0") from None
    return chosen
