"""Latents of Backlot scenes on disk: every clip is rendered and encoded once, however long the training.

A cache is a folder with one file of safetensors per 128 clips of a bucket, and cache.json, which says what made it.
A killed cache goes on where it stopped; files are written under another name and renamed.

Shape legend: N clips, B batch, C latent channels, T H W frames or latents in time, height and width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from eval.errors import UserError
from eval.hashing import json_sha256
from moviegen.backlot import STYLES, caption, render
from moviegen.presets import Bucket, Preset
from moviegen.training.mixture import Split, mixture_scene

PER_FILE = 128
VALIDATION_CLIPS = 64
"""Scenes of each validation split, in the preset's own form."""


class Autoencoder(Protocol):
    """What training needs of the Temporal Autoencoder."""

    def encode(self, frames_BCTHW: Tensor) -> Tensor:
        """Frames, float in [-1, 1], to normalised latents, the channels that hold most first."""
        ...

    def decode(self, latents_BCTHW: Tensor, frames: int | None = None) -> Tensor:
        """Such latents, or their leading channels, to `frames` frames in [-1, 1]."""
        ...


class CacheError(UserError):
    """A cache that was made for something else, is unfinished or damaged."""


@dataclass(frozen=True, slots=True)
class CachedClips:
    """The clips of one bucket and split: latents (N, C, T, H, W) float16, and captions in the order of STYLES."""

    bucket: Bucket
    latents_NCTHW: Tensor
    captions: tuple[tuple[str, ...], ...]


def frames_of(number: int, split: Split, bucket: Bucket) -> npt.NDArray[np.uint8]:
    """The frames (T, 3, H, W) of a scene of the mixture in a bucket's form."""
    scene = mixture_scene(number, split)
    clip = render(scene, width=bucket.width, height=bucket.height, fps=bucket.fps, frames=bucket.frames, sound=False)
    return clip.frames_TCHW


def to_float(frames_BTCHW: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 frames (B, T, C, H, W) as the autoencoder wants them: float (B, C, T, H, W) in [-1, 1]."""
    return torch.from_numpy(frames_BTCHW).transpose(1, 2).float() / 127.5 - 1


def make_cache(
    preset: Preset,
    autoencoder: Autoencoder,
    autoencoder_id: str,
    folder: Path,
    clips: int,
    *,
    workers: int = 0,
    device: str = "cpu",
    on_clips: Callable[[int], None] = lambda _: None,
) -> None:
    """Render and encode `clips` training scenes, shared among the preset's buckets, and both validation splits.

    autoencoder_id: what tells this autoencoder from others, as the hash of its weights. workers: processes that each
    render, encode and write one file at a time, with one thread; 0 does it here. on_clips: called with the number of
    clips that each finished file holds.
    Raises CacheError if the folder holds a cache of something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder, _identity(preset, autoencoder_id, clips))
    jobs = [_Job(*file, preset.latent_channels) for file in _files(preset, folder, clips)]
    for job in jobs:
        if job.path.exists():
            on_clips(len(job.numbers))
    missing = [job for job in jobs if not job.path.exists()]
    if not workers:
        for job in missing:
            on_clips(_make_file(job, autoencoder, device))
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (autoencoder, device)) as pool:
        for finished in as_completed([pool.submit(_work, job) for job in missing]):
            on_clips(finished.result())


class _Job(NamedTuple):
    """One file of a cache: its path, the numbers of its scenes, split and bucket, and the channels kept."""

    path: Path
    numbers: range
    split: Split
    bucket: Bucket
    channels: int


def _make_file(job: _Job, autoencoder: Autoencoder, device: str) -> int:
    """Render, encode and write; the number of clips."""
    frames = [frames_of(number, job.split, job.bucket) for number in job.numbers]
    _write(job.path, _encode(autoencoder, frames, job.channels, device), _captions(job.numbers, job.split))
    return len(job.numbers)


_worker: list[tuple[Autoencoder, str]] = []
"""In a worker process: the autoencoder and its device, sent once rather than with every file."""


def _start_worker(autoencoder: Autoencoder, device: str) -> None:
    torch.set_num_threads(1)
    _worker[:] = [(autoencoder, device)]


def _work(job: _Job) -> int:
    return _make_file(job, *_worker[0])


def clip_count(preset: Preset, clips: int) -> int:
    """All clips that make_cache makes, validation included."""
    return sum(_bucket_clips(preset, clips).values()) + 2 * VALIDATION_CLIPS


def cache_card(folder: Path) -> dict[str, Any]:
    """What a cache holds and what made it, with an id of both, for a model's card. Raises CacheError without one."""
    try:
        found = json.loads((folder / "cache.json").read_text())
        clips = int(found["clips"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CacheError(f"{folder} holds no latent cache: make one first") from None
    return {**found, "clips": clips, "id": json_sha256(found)[:16]}


def read_cache(preset: Preset, autoencoder_id: str, folder: Path, split: Split) -> list[CachedClips]:
    """The clips of a split: one entry for each of the preset's buckets in training, one in validation.

    Raises CacheError if the cache is missing, unfinished, damaged, or was made for something else.
    """
    found = cache_card(folder)
    clips = found["clips"]
    _check(folder, found, _identity(preset, autoencoder_id, clips))
    read: dict[Bucket, list[tuple[Tensor, list[tuple[str, ...]]]]] = {}
    for path, _, its_split, bucket in _files(preset, folder, clips):
        if its_split == split:
            read.setdefault(bucket, []).append(_read(path))
    return [
        CachedClips(bucket, torch.cat([x for x, _ in parts]), tuple(texts for _, some in parts for texts in some))
        for bucket, parts in read.items()
    ]


def _identity(preset: Preset, autoencoder_id: str, clips: int) -> dict[str, Any]:
    forms = [[b.frames, b.height, b.width, b.fps, b.share] for b in preset.buckets]
    channels = preset.latent_channels
    return {"autoencoder": autoencoder_id, "channels": channels, "buckets": json_sha256(forms), "clips": clips}


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    path = folder / "cache.json"
    if path.exists():
        _check(folder, cache_card(folder), identity)
    else:
        path.write_text(json.dumps(identity))


def _check(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for key, value in wanted.items():
        if found.get(key) != value:
            raise CacheError(f"{folder} is a cache of other {key} ({found.get(key)}): name another folder or delete it")


def _bucket_clips(preset: Preset, clips: int) -> dict[Bucket, int]:
    """Shared so that training comes to every clip about equally often."""
    seen = {bucket: bucket.share * preset.batch(bucket) for bucket in preset.buckets}
    return {bucket: max(1, round(clips * times / sum(seen.values()))) for bucket, times in seen.items()}


def _files(preset: Preset, folder: Path, clips: int) -> Iterator[tuple[Path, range, Split, Bucket]]:
    """Every file of a cache: its path, the numbers of its scenes, split and bucket."""
    first = 0
    for bucket, count in _bucket_clips(preset, clips).items():
        for start in range(first, first + count, PER_FILE):
            numbers = range(start, min(start + PER_FILE, first + count))
            yield folder / f"train-{bucket.name}-{start:07d}.safetensors", numbers, "train", bucket
        first += count
    splits: tuple[Split, ...] = ("seen", "novel")
    for split in splits:
        yield folder / f"{split}-{preset.form.name}.safetensors", range(VALIDATION_CLIPS), split, preset.form


def _captions(numbers: range, split: Split) -> list[tuple[str, ...]]:
    return [tuple(caption(mixture_scene(number, split), style) for style in STYLES) for number in numbers]


@torch.inference_mode()
def _encode(autoencoder: Autoencoder, frames: list[npt.NDArray[np.uint8]], channels: int, device: str) -> Tensor:
    parts = [
        autoencoder.encode(to_float(np.stack(frames[k : k + 16])).to(device))[:, :channels].half().cpu()
        for k in range(0, len(frames), 16)
    ]
    return torch.cat(parts)


def _write(path: Path, latents_NCTHW: Tensor, captions: list[tuple[str, ...]]) -> None:
    temporary = path.with_suffix(".part")
    save_file({"latents": latents_NCTHW.contiguous()}, temporary, {"captions": json.dumps(captions)})
    temporary.replace(path)


def _read(path: Path) -> tuple[Tensor, list[tuple[str, ...]]]:
    try:
        with safe_open(path, framework="pt") as file:
            captions = [tuple(texts) for texts in json.loads(file.metadata()["captions"])]
            return file.get_tensor("latents"), captions
    except FileNotFoundError:
        raise CacheError(f"{path.parent} is unfinished ({path.name} is missing): make the cache again") from None
    except SafetensorError:
        raise CacheError(f"{path} is damaged: delete it and make the cache again") from None
