"""The recipes of the registry turn published pickles into files that load."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from eval.encoders.registry import ENCODERS

NAMES = ("musiq-spaq", "viclip-l", "laion-aesthetic")


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_saves_the_published_tensors_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some under the prefix of torch's parallel training, two in one memory, one transposed: safetensors minds."""
    recipe = ENCODERS.get(name).by_hand
    found = re.search(r'run (python -c ".*")', recipe)
    file = re.search(r"fetch (\S+\.pth) from ", recipe)
    assert found is not None
    assert file is not None
    both = torch.arange(6.0).view(2, 3)
    published = {"a.weight": both[0], "a.bias": both[1], "module.head": torch.arange(6.0).view(2, 3).T}
    torch.save({"model": published} if name == "viclip-l" else published, tmp_path / file[1])
    python, command, code = shlex.split(found[1])
    assert (python, command) == ("python", "-c")
    monkeypatch.chdir(tmp_path)
    exec(code, {})  # here: another process would take seconds to import torch
    saved = load_file(tmp_path / "model.safetensors")
    assert {key: tensor.tolist() for key, tensor in saved.items()} == {
        "a.weight": [0.0, 1.0, 2.0],
        "a.bias": [3.0, 4.0, 5.0],
        "head": [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]],
    }
