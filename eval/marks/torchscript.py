"""Marks of the user's own: TorchScript programs in a folder, such as Video Seal, Pixel Seal and AudioSeal.

    FOLDER/mark.json     {"name": "video-seal", "stream": "picture", "bits": 256, "licence": "MIT"}
    FOLDER/model.jit     one program with methods embed and detect; or embed.jit and detect.jit, one program each

Picture: embed(frames_B3HW in 0..1, message_BK of 0 and 1) -> marked frames; detect(frames_B3HW) -> logits B,K, or
B,1+K with a logit of presence first, or with places after them, which are averaged. So Video Seal and Pixel Seal are
published. Sound: embed(sound_1CN, message_1K) -> marked sound, or with "returns": "change" what is to be added;
detect(sound_1CN) -> logits 1,2+K,N for every sample: no mark, mark, the bits. So AudioSeal's networks answer. "rate_hz"
is the rate its sound must have.

A program is only loaded when the user names its folder. TorchScript runs code: name only folders that you trust.

Shape legend: B frames in a batch, T frames, C channels, H W pixels, N samples, K bits.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from eval.clip import Clip, FramesTCHW
from eval.hashing import file_sha256
from eval.marks.bits import check_message
from eval.marks.mark import TORCHSCRIPT, Bits, Detection, Mark, MarkError

if TYPE_CHECKING:
    import torch

CARD = "mark.json"
STRIDE = 4
"""Every so many frames one is marked, and its change repeated in those that follow: as Video Seal does."""
BATCH = 8
LARGEST_CARD = 1 << 16


@dataclass(frozen=True, slots=True)
class Card:
    """What mark.json says. stride: of embedding, in frames. returns: what embed answers with."""

    name: str
    stream: Literal["picture", "sound"]
    bits: int
    licence: str = "not stated"
    source: str = "the user's"
    version: int = 1
    stride: int = STRIDE
    rate_hz: int | None = None
    returns: Literal["whole", "change"] = "whole"

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 4096:
            raise ValueError(f"bits must be 1 to 4096; got {self.bits}")
        if self.stream not in {"picture", "sound"} or self.returns not in {"whole", "change"}:
            raise ValueError('stream is "picture" or "sound", returns "whole" or "change"')
        if self.stride < 1 or (self.rate_hz is not None and self.rate_hz < 1):
            raise ValueError("stride and rate_hz must be 1 or more")


@dataclass(frozen=True)
class ScriptedMark:
    """A mark made of programs. The key is not used: whoever has the programs can read and write."""

    folder: Path
    card: Card
    weights_sha256: str
    embedder: Callable[..., torch.Tensor] = field(repr=False)
    detector: Callable[..., torch.Tensor] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{TORCHSCRIPT}{self.folder}"

    @property
    def version(self) -> int:
        return self.card.version

    @property
    def bits(self) -> int:
        return self.card.bits

    @property
    def stream(self) -> Literal["picture", "sound"]:
        return self.card.stream

    @property
    def summary(self) -> str:
        return f"{self.card.name}: programs in {self.folder} (licence: {self.card.licence})"

    @property
    def source(self) -> str:
        return self.card.source

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:  # noqa: ARG002 -- the protocol has a key
        """See Mark. The key is not used."""
        import torch

        check_message(message_K, self.bits)
        message_1K = torch.from_numpy(message_K.astype(np.float32))[None]
        with torch.inference_mode():
            if self.stream == "sound":
                sound_1CN = self._sound(clip)
                marked_1CN = self._run(self.embedder, sound_1CN, message_1K)
                marked_1CN = marked_1CN + sound_1CN if self.card.returns == "change" else marked_1CN
                self._same_shape(marked_1CN, sound_1CN)
                audio_CN = marked_1CN[0].clamp(-1.0, 1.0).numpy().astype(np.float32)
                return Clip(clip.frames_TCHW, clip.fps, audio_CN, clip.rate_hz)
            frames = self._strided(_frames(clip), message_1K)
        return Clip(frames, clip.fps, clip.audio_CN, clip.rate_hz)

    def detect(self, clip: Clip, *, key: int) -> Detection:  # noqa: ARG002 -- the protocol has a key
        """See Mark. The key is not used, and a score has no calibrated chance: p_presence is None."""
        import torch

        begun = time.perf_counter()
        with torch.inference_mode():
            logits_TL = self._sound_logits(clip) if self.stream == "sound" else self._picture_logits(_frames(clip))
        extra = logits_TL.shape[1] - self.bits
        soft_K = logits_TL[:, extra:].mean(axis=0)
        present_T = logits_TL[:, extra - 1] if extra else np.abs(logits_TL).mean(axis=1)
        return Detection(
            bits_K=(soft_K > 0).astype(np.uint8),
            soft_K=soft_K,
            score=float(present_T.mean()),
            p_presence=None,
            searched=1,
            local_T=present_T,
            seconds=time.perf_counter() - begun,
        )

    def _strided(self, frames_TCHW: FramesTCHW, message_1K: torch.Tensor) -> FramesTCHW:
        """Every stride-th frame marked, its change repeated in the frames up to the next."""
        import torch

        marked = np.empty(frames_TCHW.shape, np.uint8)
        leaders = range(0, len(frames_TCHW), self.card.stride)
        for first in range(0, len(leaders), BATCH):
            chosen = list(leaders[first : first + BATCH])
            plain_BCHW = torch.from_numpy(np.ascontiguousarray(frames_TCHW[chosen])).float() / 255.0
            found_BCHW = self._run(self.embedder, plain_BCHW, message_1K.expand(len(chosen), -1))
            self._same_shape(found_BCHW, plain_BCHW)
            change_BCHW = found_BCHW if self.card.returns == "change" else found_BCHW - plain_BCHW
            for at, change_CHW in zip(chosen, 255.0 * change_BCHW.numpy(), strict=True):
                following = slice(at, at + self.card.stride)
                marked[following] = np.clip(np.rint(frames_TCHW[following] + change_CHW), 0, 255)
        return marked

    def _picture_logits(self, frames_TCHW: FramesTCHW) -> npt.NDArray[np.float64]:
        import torch

        parts = []
        for first in range(0, len(frames_TCHW), BATCH):
            frames_BCHW = torch.from_numpy(np.ascontiguousarray(frames_TCHW[first : first + BATCH])).float() / 255.0
            logits = self._run(self.detector, frames_BCHW)
            self._check_logits(logits, len(frames_BCHW), (0, 1))
            parts.append(logits.flatten(2).mean(dim=2) if logits.ndim > 2 else logits)
        found: npt.NDArray[np.float64] = torch.cat(parts).double().numpy()
        return found

    def _sound_logits(self, clip: Clip) -> npt.NDArray[np.float64]:
        """The mean logits of each second."""
        sound_1CN = self._sound(clip)
        logits_1LN = self._run(self.detector, sound_1CN)
        self._check_logits(logits_1LN, 1, (0, 1, 2))
        assert clip.rate_hz is not None
        logits_LN = logits_1LN[0].double().numpy()
        a_second = max(1, clip.rate_hz * logits_LN.shape[1] // sound_1CN.shape[2])
        starts = range(0, logits_LN.shape[1], a_second)
        return np.stack([logits_LN[:, start : start + a_second].mean(axis=1) for start in starts])

    def _sound(self, clip: Clip) -> torch.Tensor:
        import torch

        if clip.audio_CN is None or clip.rate_hz is None or not clip.audio_CN.size:
            raise MarkError(f"the clip has no sound, and {self.card.name} marks sound: choose a mark in the picture")
        if self.card.rate_hz not in {None, clip.rate_hz}:
            raise MarkError(
                f"sound of {clip.rate_hz} Hz, but {self.card.name} takes {self.card.rate_hz} Hz: resample it first"
            )
        return torch.from_numpy(np.ascontiguousarray(clip.audio_CN))[None]

    def _run(self, program: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
        import torch

        try:
            found = program(*inputs)
        except (RuntimeError, torch.jit.Error) as error:
            reason = str(error).strip().splitlines()[-1][:200]
            raise MarkError(f"{self.folder}: the program failed on {tuple(inputs[0].shape)} ({reason})") from None
        if not isinstance(found, torch.Tensor) or not bool(found.isfinite().all()):
            raise MarkError(
                f"{self.folder}: the program answers with {type(found).__name__}; a finite tensor is needed"
            )
        return found

    def _same_shape(self, found: torch.Tensor, given: torch.Tensor) -> None:
        if found.shape != given.shape:
            raise MarkError(
                f"{self.folder}: embed made {tuple(found.shape)} of {tuple(given.shape)}: the same is needed"
            )

    def _check_logits(self, logits: torch.Tensor, count: int, extras: tuple[int, ...]) -> None:
        if logits.ndim < 2 or len(logits) != count or logits.shape[1] - self.bits not in extras:
            wanted = " or ".join(str(self.bits + extra) for extra in extras)
            raise MarkError(
                f"{self.folder}: detect answers {tuple(logits.shape)} for {count}: {wanted} logits each are needed; "
                f"set bits in {CARD}"
            )


def _frames(clip: Clip) -> FramesTCHW:
    if not len(clip.frames_TCHW):
        raise MarkError("a clip without frames carries no mark: give one with a frame at least")
    return clip.frames_TCHW


def load_folder(folder: Path) -> Mark:
    """The mark in a folder. Raises MarkError in one line for what is missing or cannot be loaded."""
    card = _card(folder)
    whole = folder / "model.jit"
    paths = [whole] if whole.is_file() else [folder / "embed.jit", folder / "detect.jit"]
    for path in paths:
        if not path.is_file():
            raise MarkError(f"{folder}: neither model.jit nor both embed.jit and detect.jit: put the programs there")
    programs = [_program(path, file_sha256(path)) for path in paths]
    embedder, detector = (programs[0], programs[0]) if len(programs) == 1 else programs
    sha256 = hashlib.sha256("".join(file_sha256(path) for path in paths).encode()).hexdigest()
    return ScriptedMark(folder, card, sha256, _method(folder, embedder, "embed"), _method(folder, detector, "detect"))


def _card(folder: Path) -> Card:
    path = folder / CARD
    example = '{"name": "video-seal", "stream": "picture", "bits": 256, "licence": "MIT"}'
    try:
        if path.stat().st_size > LARGEST_CARD:
            raise ValueError("too long")
        found = json.loads(path.read_text(encoding="utf-8"))
        return Card(**found)
    except OSError:
        raise MarkError(f"{path}: no such file; it says what the programs are: {example}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise MarkError(f"{path}: cannot be used ({error}); an example: {example}") from None


@lru_cache(maxsize=8)
def _program(path: Path, _sha256: str) -> Any:
    """A loaded program; the hash is here to tell a file from the one that lay there before."""
    import torch

    try:
        program = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise MarkError(f"{path}: not a TorchScript program ({reason}); export it with torch.jit") from None
    return program.eval()


def _method(folder: Path, program: Any, name: str) -> Callable[..., torch.Tensor]:
    """The program's method of that name, or the program itself if it is only this (embed.jit, detect.jit)."""
    if hasattr(program, name):
        method: Callable[..., torch.Tensor] = getattr(program, name)
        return method
    if (folder / "model.jit").is_file():
        raise MarkError(f"{folder}: model.jit has no method {name}: give embed.jit and detect.jit instead")
    whole: Callable[..., torch.Tensor] = program
    return whole
