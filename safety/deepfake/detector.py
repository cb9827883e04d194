"""Detectors from outside behind one protocol: a clip in, a score in [0, 1] out, higher for generated.

    detector.onnx                     run by onnxruntime
    detector.pt, .ts, .torchscript    run by torch
    any executable file               {"clip": "/…/clip.mp4"} on its standard input, the score as its last line

What a network wants to see is read from its own input's shape where that is fixed, and from a file beside it,
`detector.onnx.json`: {"layout", "size", "frames", "mean", "std", "output"}.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import Clip
from eval.hashing import file_sha256
from eval.video import write_clip
from safety.deepfake.errors import DetectorError

Layout = Literal["NTCHW", "NCTHW", "NCHW"]
Output = Literal["probability", "logit"]

TORCHSCRIPT = frozenset({".pt", ".ts", ".torchscript"})
TIME_LIMIT_S = 120.0
FRAMES = 16
SIZE = 224


class Detector(Protocol):
    """name, sha256: of the file. Calling it raises DetectorError where it gives no score."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...

    def __call__(self, clip: Clip) -> float:
        """Probability, or any score in [0, 1], that the clip is generated."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """What a network sees. layout: NCHW is one frame at a time, whose scores are averaged. mean, std: of RGB in 0-1.

    size: square, in pixels. frames: spread evenly over the clip, repeated where it has fewer. output: what the network
    gives; two numbers are classes, of which the second is generated.
    """

    layout: Layout = "NTCHW"
    size: int = SIZE
    frames: int = FRAMES
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    output: Output = "probability"


@dataclass(frozen=True, slots=True)
class NetworkDetector:
    """A network. run: float32 input in the view's layout → raw output."""

    name: str
    sha256: str
    view: View
    run: Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]

    def __call__(self, clip: Clip) -> float:
        try:
            raw = self.run(prepared(clip, self.view))
        except (RuntimeError, ValueError, TypeError) as error:
            raise DetectorError(f"{self.name}: cannot be run: {' '.join(str(error).split())[:200]}") from error
        return checked(score_of(raw, self.view.output), self.name)


@dataclass(frozen=True, slots=True)
class ProgramDetector:
    """An executable, started without a shell in an empty folder, once for each clip."""

    name: str
    sha256: str
    path: Path
    time_limit_s: float = TIME_LIMIT_S

    def __call__(self, clip: Clip) -> float:
        with tempfile.TemporaryDirectory(prefix="moviegen-detector-") as folder:
            file = Path(folder) / "clip.mp4"
            write_clip(clip, file)
            text = self._run(json.dumps({"clip": str(file)}), folder)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        try:
            said = json.loads(lines[-1])
            score = float(said["score"] if isinstance(said, dict) else said)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            last = "".join(filter(str.isprintable, lines[-1]))[:80] if lines else "nothing"
            raise DetectorError(f"{self.name}: its last line must be a number in [0, 1]; it was {last!r}") from error
        return checked(score, self.name)

    def _run(self, text: str, folder: str) -> str:
        process = subprocess.Popen(
            [str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        try:
            out, _ = process.communicate(text, timeout=self.time_limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise DetectorError(f"{self.name}: took longer than {self.time_limit_s:g} s and was stopped") from None
        if process.returncode:
            raise DetectorError(f"{self.name}: exited with {process.returncode}")
        return out


def load_detector(path: Path) -> Detector:
    """The detector in a file, by its suffix or because it may be executed. Raises DetectorError."""
    if not path.is_file():
        raise DetectorError(f"{path}: there is no such file: name an .onnx, a TorchScript file or a program")
    if path.suffix == ".onnx":
        return _onnx(path)
    if path.suffix in TORCHSCRIPT:
        return _torchscript(path)
    if os.access(path, os.X_OK):
        return ProgramDetector(path.name, file_sha256(path), path.resolve())
    raise DetectorError(f"{path}: neither .onnx, nor TorchScript (.pt, .ts), nor a program that may be executed")


def prepared(clip: Clip, view: View) -> npt.NDArray[np.float32]:
    """The clip as a network wants it: float32, one clip, in the view's layout (NCHW: T,C,H,W)."""
    total = len(clip.frames_TCHW)
    places = np.linspace(0, total - 1, view.frames).round().astype(int)
    sized = [
        cv2.resize(
            np.ascontiguousarray(clip.frames_TCHW[place].transpose(1, 2, 0)),
            (view.size, view.size),
            interpolation=cv2.INTER_AREA,
        )
        for place in places
    ]
    frames_THWC = (np.stack(sized).astype(np.float32) / 255 - np.array(view.mean)) / np.array(view.std)
    frames_TCHW = np.ascontiguousarray(frames_THWC.transpose(0, 3, 1, 2), np.float32)
    if view.layout == "NCHW":
        return frames_TCHW
    return frames_TCHW[None] if view.layout == "NTCHW" else np.ascontiguousarray(frames_TCHW.swapaxes(0, 1)[None])


def score_of(raw: npt.NDArray[Any], output: Output) -> float:
    """Mean probability over rows: one number each, or two of which the second is generated. Raises DetectorError."""
    rows = np.asarray(raw, np.float64)
    rows = rows.reshape(len(rows) if rows.ndim else 1, -1)
    if rows.shape[1] not in {1, 2} or not np.isfinite(rows).all():
        raise DetectorError(f"a detector gives one or two finite numbers for a clip or frame; this gave {raw.shape}")
    if output == "logit":
        gap = rows[:, 0] if rows.shape[1] == 1 else rows[:, 1] - rows[:, 0]
        return float((0.5 * (1 + np.tanh(gap / 2))).mean())
    return float(rows[:, -1].mean())


def checked(score: float, name: str) -> float:
    """The score, if it is one."""
    if not (np.isfinite(score) and -1e-6 <= score <= 1 + 1e-6):
        raise DetectorError(f'{name}: gave {score:g}, not a score in [0, 1]: say {{"output": "logit"}} beside it')
    return min(1.0, max(0.0, score))


def read_view(path: Path, shape: Sequence[object] = ()) -> View:
    """The view of a network file: from its own input's shape, and from the JSON beside it, which goes first.

    Raises DetectorError for a JSON that says something else.
    """
    view = _of_shape(shape)
    beside = path.with_name(f"{path.name}.json")
    if not beside.is_file():
        return view
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
        return replace(view, **_told(told))
    except (OSError, ValueError, TypeError) as error:
        raise DetectorError(f"{beside}: {' '.join(str(error).split())[:160]}") from error


def _told(told: object) -> Mapping[str, Any]:
    if not isinstance(told, dict) or not set(told) <= set(View.__slots__):
        raise ValueError(f"an object with any of {', '.join(View.__slots__)}")
    if told.get("layout", "NTCHW") not in get_args(Layout) or told.get("output", "logit") not in get_args(Output):
        raise ValueError(f"layout: {', '.join(get_args(Layout))}; output: {', '.join(get_args(Output))}")
    for name in ("size", "frames"):
        if name in told and not (isinstance(told[name], int) and 1 <= told[name] <= 4096):
            raise ValueError(f"{name}: a whole number from 1 to 4096")
    for name in ("mean", "std"):
        if name in told and not (len(told[name]) == 3 and all(isinstance(part, int | float) for part in told[name])):
            raise ValueError(f"{name}: three numbers")
    return {name: tuple(value) if name in {"mean", "std"} else value for name, value in told.items()}


def _of_shape(shape: Sequence[object]) -> View:
    """What a fixed input shape says."""
    fixed = [size if isinstance(size, int) and size > 0 else None for size in shape]
    if len(fixed) == 4:
        return View("NCHW", fixed[2] or SIZE)
    if len(fixed) == 5:
        first_is_frames = fixed[2] == 3 or fixed[1] != 3
        layout: Layout = "NTCHW" if first_is_frames else "NCTHW"
        return View(layout, fixed[3] or SIZE, fixed[1 if first_is_frames else 2] or FRAMES)
    return View()


def _onnx(path: Path) -> Detector:
    try:
        import onnxruntime
    except ImportError as error:
        raise DetectorError("onnxruntime is not installed: pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise DetectorError(f"{path}: not an ONNX network that can be run: {reason}") from error
    entry = session.get_inputs()[0]
    view = read_view(path, entry.shape)
    one_by_one = view.layout == "NCHW" and entry.shape[0] == 1

    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        try:
            if one_by_one:
                rows = [session.run(None, {entry.name: row[None]})[0] for row in batch]
                return np.concatenate([np.atleast_1d(row) for row in rows])
            return np.asarray(session.run(None, {entry.name: batch})[0])
        except Exception as error:  # onnxruntime's errors have no common base but Exception
            raise RuntimeError(str(error)) from error

    return NetworkDetector(path.name, file_sha256(path), view, run)


def _torchscript(path: Path) -> Detector:
    import torch

    try:
        network = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise DetectorError(f"{path}: not a TorchScript network: save it with torch.jit.save") from error

    def run(batch: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        with torch.inference_mode():
            return np.asarray(network(torch.from_numpy(batch)).float().numpy())

    return NetworkDetector(path.name, file_sha256(path), read_view(path), run)
