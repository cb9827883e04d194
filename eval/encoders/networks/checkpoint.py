"""Published tensors into a network of ours: the pinned file, with every name and shape as published, or no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eval.encoders.local import find, pinned
from eval.encoders.registry import ENCODERS
from eval.feature import NotMeasurable
from eval.hashing import file_sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE = "model.safetensors"

Network = TypeVar("Network", bound="nn.Module")


def load_network(name: str, build: Callable[[], Network]) -> Network:
    """The network that `build` makes, with the weights of the encoder called `name`, in float32, for inference.

    Raises NotMeasurable in one line: weights that are not there, are not the file that was pulled, are of another
    network (a tensor too many, too few, or of another shape), or hold values that are not finite.
    """
    import torch

    tensors = {tensor_name: tensor.float() for tensor_name, tensor in _tensors(name).items()}
    with torch.device("meta"):  # the values come from the file: drawing random ones first would take seconds
        network = build()
    _check_fit(name, tensors, network.state_dict())
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(False)


def checked(name: str, file: str) -> Path:
    """The path of a file of the encoder called `name`, hashed again. Raises NotMeasurable."""
    path = find(name) / file
    try:
        found = file_sha256(path)
    except OSError as error:
        raise NotMeasurable(f"{path} cannot be read: {error}") from None
    if found != pinned(name).files[file].sha256:
        raise NotMeasurable(f"{path} was changed since it was pulled: run `moviegen weights verify {name}`")
    return path


def weights_sha256(name: str) -> str:
    """The hash of the weights of the encoder called `name` as they lie on the disk now; empty where they do not."""
    try:
        return pinned(name).sha256
    except (NotMeasurable, OSError):
        return ""


def _tensors(name: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = checked(name, FILE)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise NotMeasurable(f"{path} is no safetensors file ({' '.join(str(error).split())})") from None


def _check_fit(name: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise NotMeasurable unless `found` are the tensors that this network has."""
    for tensor_name in sorted(found.keys() | wanted.keys()):
        has, needs = _shape(found, tensor_name), _shape(wanted, tensor_name)
        if has != needs:
            raise NotMeasurable(
                f"the weights of {name} are another network's, not {ENCODERS.get(name).architecture}: '{tensor_name}' "
                f"is {has} in {FILE} and {needs} in the network; `moviegen weights list {name}` says which are meant"
            )
    for tensor_name, tensor in found.items():
        if not bool(tensor.isfinite().all()):
            raise NotMeasurable(f"the weights of {name} hold values that are not finite, first in '{tensor_name}'")


def _shape(tensors: Mapping[str, Tensor], name: str) -> str:
    if name not in tensors:
        return "absent"
    return "×".join(map(str, tensors[name].shape)) or "a number"
