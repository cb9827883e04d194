"""Measures of the user's own: asked rightly, and refused in one line where they are not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.clip import Clip, Window
from eval.video import open_clip
from safety.watermark.borrowed_quality import NotAvailable, _y4m, lpips, vmaf
from safety.watermark.quality import NotComparable

PROGRAM = """#!{python}
import json, sys
words = dict(zip(sys.argv[1:], sys.argv[2:]))
def luma(path):
    data = open(path, "rb").read()
    head, rest = data.split(b"\\n", 1)
    fields = {{part[:1]: part[1:] for part in head.split()[1:]}}
    size = int(fields[b"W"]) * int(fields[b"H"])
    frames = len(rest) // (3 * size + 6)
    return b"".join(rest[i * (3 * size + 6) + 6:][:size] for i in range(frames))
before, after = luma(words["-r"]), luma(words["-d"])
error = sum(abs(a - b) for a, b in zip(before, after)) / len(before)
json.dump({{"pooled_metrics": {{"vmaf": {{"mean": 100 - error}}}}}}, open(words["-o"], "w"))
"""


def grey(level: int, frames: int = 3) -> Clip:
    return Clip(np.full((frames, 3, 18, 30), level, np.uint8), 24.0)


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A program called vmaf, alone on the PATH."""
    path = folder / "vmaf"
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_vmaf_is_given_both_clips_and_its_mean_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, PROGRAM)
    assert vmaf(grey(100), grey(100)) == 100
    assert vmaf(grey(100), grey(120)) == pytest.approx(100 - round(20 * 219 / 255), abs=1)


def test_what_vmaf_is_given_are_the_pixels(tmp_path: Path) -> None:
    grey_THW = np.random.default_rng(0).integers(0, 256, (2, 1, 16, 24), np.uint8)  # the same in any matrix
    frames_TCHW = grey_THW.repeat(3, axis=1)
    path = tmp_path / "clip.y4m"
    path.write_bytes(b"".join(_y4m(Clip(frames_TCHW, 24.0), 24.0)))
    source = [item for item in open_clip(path).stream() if isinstance(item, Window)]
    np.testing.assert_allclose(source[0].frames_TCHW.astype(int), frames_TCHW, atol=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!{python}\nimport sys\nsys.exit('no such model')", "left with 1 .no such model."),
        ("#!{python}\n", "left with 0 .it gave no figure."),
    ],
)
def test_a_vmaf_that_fails_says_so(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, text)
    with pytest.raises(NotAvailable, match=said):
        vmaf(grey(1), grey(2))


def test_no_vmaf_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(NotAvailable, match="no program called vmaf"):
        vmaf(grey(1), grey(2))
    with pytest.raises(NotComparable, match="another length"):
        vmaf(grey(1), grey(1, frames=4))


class Distance(torch.nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).abs().mean(dim=[1, 2, 3], keepdim=True)


class OneNumber(torch.nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).mean()


def saved(network: torch.nn.Module, path: Path) -> Path:
    torch.jit.save(torch.jit.script(network), str(path))
    return path


def test_lpips_gets_pictures_from_minus_one_to_one(tmp_path: Path) -> None:
    distance = saved(Distance(), tmp_path / "lpips.pt")
    assert lpips(grey(0, 20), grey(255, 20), distance) == pytest.approx(2.0)
    assert lpips(grey(9), grey(9), distance) == 0


def test_files_that_are_no_lpips_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("not a program")
    for path, said in (
        (tmp_path / "text.pt", "text.pt does not work"),
        (tmp_path / "missing.pt", "missing.pt does not work"),
        (saved(OneNumber(), tmp_path / "one.pt"), "one finite distance for each pair"),
        (saved(torch.nn.Identity(), tmp_path / "identity.pt"), "identity.pt does not work"),
    ):
        with pytest.raises(NotAvailable, match=said) as refusal:
            lpips(grey(1), grey(2), path)
        assert "\n" not in str(refusal.value)
