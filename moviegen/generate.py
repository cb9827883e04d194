"""Clips from prompts: the reference model whole, from its files of weights to frames.

    clip = generate("A dog runs through a park", seed=3)

A clip's noise is drawn on the CPU from its prompt and its seed alone, so that it comes out the same whatever else is
made beside it (on another machine or number of threads: but for rounding).

Shape legend: B clips, C channels, T H W frames or latents in time, height and width.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from eval.clip import Clip
from eval.errors import UserError
from eval.hashing import file_sha256
from eval.weights import WeightsError
from moviegen.networks.tae import TAE
from moviegen.networks.tae_tiling import decode_tiled
from moviegen.networks.text import SmallTextConfig
from moviegen.networks.video_model import VideoModel
from moviegen.networks.words import Prompt, read_prompt
from moviegen.presets import Preset, PresetError
from moviegen.sampling import Sampler, sample_latents
from moviegen.video_weights import autoencoder_id, check_autoencoder, read_video
from moviegen.weights import shipped
from moviegen.weights.tae import load_tae

CHECKPOINTS = ("reference", "reference-early")
"""The video models that are shipped: the finished one, and one from early in the same training."""


LatentSize = tuple[int, int, int, int]
"""Channels, and latents in time, height and width."""

Noise = Callable[[str, int, LatentSize], Tensor]
"""The noise of a clip, float32 in the size given, from what its prompt reads as and its seed."""


class GenerationError(UserError):
    """A clip that cannot be made here."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A video model with the autoencoder that it was trained on, ready to make clips."""

    preset: Preset
    model: VideoModel
    tae: TAE


@dataclass(frozen=True, slots=True)
class Form:
    """The technical form of a clip that the preset it was made for can make: see form_of."""

    frames: int
    width: int
    height: int
    fps: float

    def __str__(self) -> str:
        return f"{self.frames} frames, {self.width}x{self.height}, {self.fps:g} fps"


def load_reference(
    weights: Path | None = None, tae: Path | None = None, *, checkpoint: str = "reference", device: str = "cpu"
) -> Reference:
    """The model in `weights` (the shipped `checkpoint` when None) with the autoencoder in `tae` (the shipped one).

    A file is read once in a process, however often it is asked for, until its content changes.
    Raises WeightsError in one line for a file that is missing, damaged, no safetensors file, or of another preset.
    """
    weights = _shipped(checkpoint) if weights is None else weights
    if not weights.is_file():
        raise WeightsError(f"{weights}: no such file; moviegen train video writes one")
    return _load(weights, file_sha256(weights), tae, None if tae is None else _hash(tae), device)


def _shipped(checkpoint: str) -> Path:
    try:
        return shipped(checkpoint)
    except WeightsError as error:
        raise WeightsError(f"{error}; train one (moviegen train video), or name a file of yours") from None


def _hash(path: Path) -> str:
    return file_sha256(path) if path.is_file() else ""


@lru_cache(maxsize=4)
def _load(weights: Path, _weights_sha256: str, tae: Path | None, _tae_sha256: str | None, device: str) -> Reference:
    """The hashes are here to tell a file from the one that lay there before."""
    model, preset, header = read_video(weights)
    autoencoder = load_tae(tae, name=preset.compression.tae)
    check_autoencoder(weights, header, autoencoder_id(autoencoder))
    have, needed = autoencoder.config.latent_channels, preset.latent_channels
    if have < needed:
        raise WeightsError(
            f"{weights}: makes latents of {needed} channels, the autoencoder reads {have}: name the autoencoder that "
            "it was trained on"
        )
    return Reference(preset, model.to(device), autoencoder.to(device))


def form_of(
    preset: Preset,
    *,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    duration_s: float | None = None,
) -> Form:
    """The form asked for; the preset's own where nothing is asked. Raises PresetError, with what can be made."""
    usual = preset.form
    fps = usual.fps if fps is None else fps
    rates = sorted({bucket.fps for bucket in preset.buckets})
    if fps not in rates:
        makes = " or ".join(f"{rate:g}" for rate in rates)
        raise PresetError(f"{preset.name} makes clips of {makes} frames per second; {fps:g} were asked for")
    duration_s = usual.frames / usual.fps if duration_s is None else duration_s
    longest_s = preset.transformer.max_t * preset.compression.time / fps
    if not (math.isfinite(duration_s) and 0 < duration_s <= longest_s):
        raise PresetError(
            f"{preset.name} makes clips of up to {longest_s:g} s at {fps:g} frames per second; "
            f"{duration_s:g} s were asked for"
        )
    form = Form(
        frames=max(1, round(duration_s * fps)),
        width=usual.width if width is None else width,
        height=usual.height if height is None else height,
        fps=fps,
    )
    preset.latent_size(form.frames, form.height, form.width)
    return form


def read(preset: Preset, prompt: str) -> Prompt:
    """A user's prompt as the preset reads it, without what cannot be seen in it (control characters and the like).

    Raises PromptError for a prompt without a word.
    """
    assert isinstance(preset.text, SmallTextConfig)
    seen = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in prompt)
    return read_prompt(seen, preset.text.words)


def remarks(preset: Preset, prompt: str, form: Form) -> tuple[str, ...]:
    """What a user should be told, a line each: words that were not taught, a prompt cut off, a form beyond training.

    Raises PromptError for a prompt without a word.
    """
    frames, width, height = (max(getattr(b, side) for b in preset.buckets) for side in ("frames", "width", "height"))
    beyond = form.frames > frames or form.width > width or form.height > height
    larger = f"{preset.name} was trained on clips of up to {frames} frames, {width} pixels wide and {height} high: "
    return (*read(preset, prompt).remarks, *([larger + "expect little of a larger one"] if beyond else []))


def generate(
    prompt: str,
    *,
    seed: int = 0,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    duration_s: float | None = None,
    sampler: Sampler | None = None,
    reference: Reference | None = None,
    on_step: Callable[[int], None] = lambda _: None,
) -> Clip:
    """The clip for a prompt, without sound; the shipped reference unless another is given. See `remarks`, too.

    Raises a UserError in one line: PromptError, PresetError, WeightsError, or GenerationError when out of memory.
    """
    reference = reference or load_reference()
    form = form_of(reference.preset, width=width, height=height, fps=fps, duration_s=duration_s)
    (clip,) = generate_batch(reference, [prompt], [seed], form, sampler, on_step)
    return clip


@torch.inference_mode()
def generate_batch(
    reference: Reference,
    prompts: Sequence[str],
    seeds: Sequence[int],
    form: Form,
    sampler: Sampler | None = None,
    on_step: Callable[[int], None] = lambda _: None,
    draw: Noise | None = None,
) -> list[Clip]:
    """Clips of one form, made at once: one for each prompt and its seed. on_step: called with the steps done.

    draw: makes the noise that a clip starts from; `seeded_noise` unless given.
    Raises PromptError for a prompt without a word, GenerationError when out of memory.
    """
    preset, draw = reference.preset, draw or seeded_noise
    texts = [as_text(preset, prompt) for prompt in prompts]
    size = latents_of(preset, form)
    with _memory_errors(form, len(texts)):
        noise_BCTHW = torch.stack([draw(text, seed, size) for text, seed in zip(texts, seeds, strict=True)])
        noise_BCTHW = noise_BCTHW.to(next(reference.model.parameters()).device)
        latents_BCTHW = sample_latents(reference.model, texts, form.fps, noise_BCTHW, sampler, on_step)
        return as_clips(decode_tiled(reference.tae, latents_BCTHW, form.frames), form.fps)


def as_clips(frames_BCTHW: Tensor, fps: float) -> list[Clip]:
    """Frames from -1 to 1, as the autoencoder gives them, as clips of whole bytes."""
    bytes_BTCHW = ((frames_BCTHW + 1) * 127.5).round().clamp(0, 255).byte().transpose(1, 2).cpu()
    return [Clip(frames_TCHW.numpy(), fps) for frames_TCHW in bytes_BTCHW]


def seeded_noise(text: str, seed: int, size: LatentSize) -> Tensor:
    """Standard normal noise of a clip, drawn from what its prompt reads as and its seed."""
    return torch.randn(size, generator=seeded_generator(f"{seed}/{text}".encode()))


def seeded_generator(facts: bytes) -> torch.Generator:
    """Random numbers that depend on all of `facts`."""
    digest = hashlib.sha256(facts).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))


def as_text(preset: Preset, prompt: str) -> str:
    """The prompt in the words that the model is conditioned on. Raises PromptError for a prompt without a word."""
    return " ".join(read(preset, prompt).words)


def latents_of(preset: Preset, form: Form) -> LatentSize:
    """Channels of a clip's latents, and latents in time, height and width."""
    return (preset.latent_channels, *preset.latent_size(form.frames, form.height, form.width))


@contextmanager
def _memory_errors(form: Form, clips: int) -> Iterator[None]:
    """Out of memory is the user's to mend; every other RuntimeError is a bug and passes."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        what = "a clip" if clips == 1 else f"{clips} clips at once"
        raise GenerationError(f"out of memory making {what} of {form}: ask for a shorter or a smaller one") from error


def out_of_memory(error: BaseException) -> bool:
    """Is this error an allocator's, of Python, of the CPU (a plain RuntimeError) or of a GPU?"""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
