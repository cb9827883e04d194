"""VMAF and LPIPS, for users who have them: a program on the PATH, a TorchScript file. Neither is part of this project.

They compare a marked clip with its unmarked twin and stand in the audit's table of what a mark costs.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.clip import Clip
from eval.errors import UserError
from eval.hashing import file_sha256
from safety.watermark.quality import LUMA, check_comparable

VMAF_PROGRAM = "vmaf"
BETTER: Mapping[str, str] = {"vmaf": "higher", "lpips": "lower"}
_TIME_LIMIT_S = 600
_BATCH = 16


class NotAvailable(UserError):
    """A measure that this machine cannot take. The message is one line: what is missing, and where to get it."""


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Which of them the user asks for. lpips: the program's file; None: not asked for."""

    vmaf: bool = False
    lpips: Path | None = None

    def check(self) -> tuple[tuple[str, str], ...]:
        """Name and identity (SHA-256 of a file) of each, tried on one grey picture. Raises NotAvailable."""
        grey = Clip(np.full((1, 3, 64, 64), 128, np.uint8), 25.0)
        for measure in self._measures().values():
            measure(grey, grey)
        files = {} if self.lpips is None else {"lpips": file_sha256(self.lpips)}
        return tuple((name, files.get(name, "")) for name in self._measures())

    def of(self, name: str, reference: Clip, changed: Clip) -> float:
        """One of them by its name."""
        return self._measures()[name](reference, changed)

    def _measures(self) -> dict[str, Callable[[Clip, Clip], float]]:
        found: dict[str, Callable[[Clip, Clip], float]] = {"vmaf": vmaf} if self.vmaf else {}
        if (program := self.lpips) is not None:
            found["lpips"] = lambda reference, changed: lpips(reference, changed, program)
        return found


def vmaf(reference: Clip, changed: Clip) -> float:
    """Netflix's VMAF of a changed clip, 0-100, higher is closer: the mean over frames, by its own program and model.

    Both clips go to the program as they are, unencoded (4:4:4). Raises NotAvailable where there is no `vmaf` on the
    PATH or it fails, and NotComparable for other sizes or lengths.
    """
    check_comparable(reference, changed)
    program = shutil.which(VMAF_PROGRAM)
    if program is None:
        raise NotAvailable("VMAF: there is no program called vmaf on the PATH; build libvmaf's tools to have it")
    with tempfile.TemporaryDirectory() as folder:
        before, after, report = (Path(folder) / name for name in ("before.y4m", "after.y4m", "report.json"))
        for clip, path in ((reference, before), (changed, after)):
            with path.open("wb") as file:
                file.writelines(_y4m(clip, reference.fps))
        words: list[str | Path] = [program, "-r", before, "-d", after, "--json", "-o", report, "-q"]
        done = subprocess.run(words, capture_output=True, timeout=_TIME_LIMIT_S, check=False)
        try:
            return float(json.loads(report.read_text())["pooled_metrics"]["vmaf"]["mean"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it gave no figure"]
            raise NotAvailable(f"VMAF: {program} left with {done.returncode} ({said[0]})") from error


def lpips(reference: Clip, changed: Clip, program: Path) -> float:
    """LPIPS of a changed clip, 0 for equal clips, lower is closer: the mean over frames, by a program of the user's.

    program: TorchScript that takes two batches of pictures (float32 T,3,H,W in [-1, 1]) and gives a distance for each
    pair. Raises NotAvailable for a file that is no such program, and NotComparable for other sizes or lengths.
    """
    check_comparable(reference, changed)
    import torch

    try:
        network = torch.jit.load(str(program), map_location="cpu").eval()  # type: ignore[no-untyped-call]
        distances = []
        with torch.inference_mode():
            for start in range(0, len(reference.frames_TCHW), _BATCH):
                pair = (
                    torch.from_numpy(np.ascontiguousarray(clip.frames_TCHW[start : start + _BATCH])).float() / 127.5 - 1
                    for clip in (reference, changed)
                )
                distances.append(network(*pair).flatten())
        found = torch.cat(distances)
    except (RuntimeError, ValueError, OSError, AttributeError, TypeError) as error:
        raise NotAvailable(f"LPIPS: {program.name} does not work as a TorchScript program of two pictures") from error
    if len(found) != len(reference.frames_TCHW) or not bool(torch.isfinite(found).all()):
        raise NotAvailable(f"LPIPS: {program.name} does not give one finite distance for each pair of pictures")
    return float(found.mean())


def _y4m(clip: Clip, fps: float) -> Iterator[bytes]:
    """A clip as YUV4MPEG2: 4:4:4, BT.709, limited range."""
    height, width = clip.frames_TCHW.shape[2:]
    rate = Fraction(fps).limit_denominator(1001)
    yield f"YUV4MPEG2 W{width} H{height} F{rate.numerator}:{rate.denominator} Ip A1:1 C444\n".encode()
    for frame_CHW in clip.frames_TCHW:
        yield b"FRAME\n"
        yield _yuv(frame_CHW).tobytes()


def _yuv(frame_CHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    red, _, blue = values_CHW = frame_CHW.astype(np.float32) / 255
    luma = np.tensordot(LUMA, values_CHW, axes=1)
    blueness = (blue - luma) / (2 * (1 - LUMA[2]))
    redness = (red - luma) / (2 * (1 - LUMA[0]))
    planes = np.stack([16 + 219 * luma, 128 + 224 * blueness, 128 + 224 * redness])
    return np.asarray(np.clip(np.rint(planes), 0, 255), np.uint8)
