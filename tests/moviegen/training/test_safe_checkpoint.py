"""Checkpoints come back as they were, and nothing is unpickled."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from moviegen.training.safe_checkpoint import CheckpointError, SafeCheckpointIO


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    checkpoint = {
        "state": {0: {"step": torch.tensor(3.0), "m": shared.T}, 1: {"m": shared}},
        "plain": {"a": [1, 2.5, None, True, "x"], "pair": (1, (2, []))},
        "path": tmp_path / "x",
    }
    path = tmp_path / "deep" / "last.safetensors"
    SafeCheckpointIO().save_checkpoint(checkpoint, path)
    back = SafeCheckpointIO().load_checkpoint(path)
    assert back["plain"] == checkpoint["plain"]
    assert back["path"] == str(tmp_path / "x")
    assert list(back["state"]) == [0, 1]
    assert torch.equal(back["state"][0]["m"], shared.T)
    assert back["state"][0]["step"] == 3
    assert [p.name for p in path.parent.iterdir()] == ["last.safetensors"]
    SafeCheckpointIO().remove_checkpoint(path)
    assert not path.exists()


def test_pickles_and_damage_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    torch.save({"state": 1}, path)
    with pytest.raises(CheckpointError, match="no checkpoint of ours or is damaged"):
        SafeCheckpointIO().load_checkpoint(path)
    SafeCheckpointIO().save_checkpoint({"x": torch.ones(100)}, path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CheckpointError, match="is damaged"):
        SafeCheckpointIO().load_checkpoint(path)
