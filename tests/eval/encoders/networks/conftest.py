"""The user's weights folder, filled with random tensors under the published names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from eval.encoders.folder import VARIABLE
from eval.encoders.lock import Lock, PinnedFile, lock_path
from eval.encoders.registry import ENCODERS

Install = Callable[..., Path]
Randomised = Callable[..., dict[str, Tensor]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """install(name, tensors, **files) puts an encoder into the weights folder, as `pull` does; the encoder's folder."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    def put(name: str, tensors: Mapping[str, Tensor], **files: bytes) -> Path:
        data = {"model.safetensors": save(dict(tensors))} | {f"{stem}.json": text for stem, text in files.items()}
        (tmp_path / name).mkdir(exist_ok=True)
        for file, content in data.items():
            (tmp_path / name / file).write_bytes(content)
        pins = {
            file: PinnedFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for file, content in data.items()
        }
        version = ENCODERS.get(name).version
        lock = Lock(encoder=name, version=version, source="a test", licence="none", files=pins)
        lock_path(name, tmp_path).write_text(lock.model_dump_json())
        return tmp_path / name

    return put


@pytest.fixture(scope="session")
def randomised() -> Randomised:
    """randomised(network): tensors of every name and shape that it has, small, and none of them at its usual start."""
    return _randomised


def _randomised(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, tensor in network.state_dict().items():
        fan = tensor[0].numel() if tensor.ndim > 1 else 1
        spread = fan**-0.5 if tensor.ndim > 1 else 0.1
        offset = 1.0 if "norm" in name and name.endswith("weight") else 0.0
        tensors[name] = offset + spread * torch.randn(tensor.shape, generator=generator)
    return tensors
