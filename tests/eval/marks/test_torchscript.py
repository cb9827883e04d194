"""Programs of the user's own, with small stand-ins made here in the published forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eval.clip import Clip
from eval.marks.bits import matches, random_message
from eval.marks.mark import MarkError, find_mark

Make = Callable[..., Clip]


class Seal(nn.Module):
    """As Video Seal is published: one program, embed and detect; bit k brightens or darkens row k of the frame."""

    def forward(self, frames: Tensor, message: Tensor) -> Tensor:
        return self.embed(frames, message)

    @torch.jit.export
    def embed(self, frames: Tensor, message: Tensor) -> Tensor:
        rows = torch.zeros_like(frames)
        rows[:, :, : message.shape[1]] = (message * 2 - 1)[:, None, :, None] * 0.05
        return frames + rows

    @torch.jit.export
    def detect(self, frames: Tensor) -> Tensor:
        bits = frames[:, :, :16].mean(dim=(1, 3)) - 0.5
        return torch.cat([bits.abs().mean(dim=1, keepdim=True), bits], dim=1)


class Sounding(nn.Module):
    """Embeds like AudioSeal's generator: the change alone."""

    def forward(self, sound: Tensor, message: Tensor) -> Tensor:
        steps = torch.arange(sound.shape[2]) % message.shape[1]
        return 0.01 * (message[0] * 2 - 1)[steps].expand_as(sound)


class Listening(nn.Module):
    """Answers like AudioSeal's detector: 2 + 8 logits for every sample."""

    def forward(self, sound: Tensor) -> Tensor:
        steps = torch.arange(sound.shape[2]) % 8
        rows = [torch.where(steps == k, sound.mean(dim=1)[0], torch.zeros(sound.shape[2])) for k in range(8)]
        presence = sound.mean(dim=1)[0].abs()
        return torch.cat([torch.stack([-presence, presence]), torch.stack(rows)])[None]


def _card(folder: Path, **facts: Any) -> Path:
    (folder / "mark.json").write_text(json.dumps({"name": "toy", "stream": "picture", "bits": 16} | facts))
    return folder


@pytest.fixture
def seal(tmp_path: Path) -> Path:
    torch.jit.script(Seal()).save(tmp_path / "model.jit")
    return _card(tmp_path, licence="MIT")


def _grey(frames: int = 10) -> Clip:
    return Clip(np.full((frames, 3, 20, 24), 128, np.uint8), 8.0)


def test_a_published_program_marks_and_reads(seal: Path) -> None:
    mark, message = find_mark(f"torchscript:{seal}"), random_message(16, 0)
    marked = mark.embed(_grey(), message, key=1)
    found = mark.detect(marked, key=1)
    assert matches(found, message) == 16
    assert found.p_presence is None
    assert found.searched == 1
    assert found.local_T is not None
    assert found.local_T.shape == (10,)
    assert "MIT" in mark.summary
    assert len(mark.weights_sha256) == 64
    assert mark.name == f"torchscript:{seal}"


def test_every_fourth_frame_is_marked_and_its_change_repeated(tmp_path: Path) -> None:
    class Noisy(nn.Module):
        """Each call's frames are told apart by how many there are: the change is that of the frame's place in it."""

        def forward(self, frames: Tensor, message: Tensor) -> Tensor:
            return frames + torch.arange(frames.shape[0])[:, None, None, None] * 0.02 + 0.0 * message.sum()

    torch.jit.script(Noisy()).save(tmp_path / "embed.jit")
    torch.jit.script(Seal()).save(tmp_path / "detect.jit")
    _card(tmp_path)
    marked = find_mark(f"torchscript:{tmp_path}").embed(_grey(), random_message(16, 0), key=1)
    change_T = (marked.frames_TCHW.astype(int) - 128).max(axis=(1, 2, 3))
    assert change_T.tolist() == [0] * 4 + [5] * 4 + [10] * 2


def test_sound_programs(tmp_path: Path) -> None:
    torch.jit.script(Sounding()).save(tmp_path / "embed.jit")
    torch.jit.script(Listening()).save(tmp_path / "detect.jit")
    _card(tmp_path, stream="sound", bits=8, rate_hz=16_000, returns="change")
    mark, message = find_mark(f"torchscript:{tmp_path}"), random_message(8, 3)
    clip = Clip(_grey().frames_TCHW, 8.0, np.zeros((1, 40_000), np.float32), 16_000)
    found = mark.detect(mark.embed(clip, message, key=1), key=1)
    assert matches(found, message) == 8
    assert found.local_T is not None
    assert found.local_T.shape == (3,)
    with pytest.raises(MarkError, match="no sound"):
        mark.embed(_grey(), message, key=1)
    with pytest.raises(MarkError, match="24000 Hz, but toy takes 16000 Hz"):
        mark.detect(Clip(_grey().frames_TCHW, 8.0, np.zeros((1, 40_000), np.float32), 24_000), key=1)


def test_folders_that_hold_no_mark_are_one_line(tmp_path: Path, seal: Path) -> None:
    def refused(says: str, folder: Path = tmp_path) -> None:
        with pytest.raises(MarkError, match=says) as caught:
            find_mark(f"torchscript:{folder}").embed(_grey(), random_message(16, 0), key=1)
        assert "\n" not in str(caught.value)

    refused("no such file; it says what the programs are", tmp_path / "nowhere")
    for content in ("[", "[]", '{"name": "x"}', '{"name": "x", "stream": "smell", "bits": 3}', "[" * 100_000):
        (seal / "mark.json").write_text(content)
        refused("cannot be used")
    _card(seal)
    (seal / "model.jit").write_bytes(b"no program")
    refused("not a TorchScript program")
    (seal / "model.jit").unlink()
    refused("neither model.jit nor both")
    torch.jit.script(Sounding()).save(seal / "model.jit")
    refused("model.jit has no method embed")


def test_programs_that_misbehave_are_one_line(seal: Path) -> None:
    class Wrong(nn.Module):
        def forward(self, frames: Tensor, message: Tensor) -> Tensor:
            return frames[:, :, 1:] + 0.0 * message.sum()

    _card(seal, bits=12)
    mark = find_mark(f"torchscript:{seal}")
    with pytest.raises(MarkError, match="12 or 13 logits each are needed; set bits"):
        mark.detect(_grey(), key=1)
    (seal / "model.jit").unlink()
    torch.jit.script(Wrong()).save(seal / "embed.jit")
    torch.jit.script(Wrong()).save(seal / "detect.jit")
    mark = find_mark(f"torchscript:{seal}")
    with pytest.raises(MarkError, match="embed made"):
        mark.embed(_grey(), random_message(12, 0), key=1)
    with pytest.raises(MarkError, match="the program failed"):
        mark.detect(_grey(), key=1)
