"""The latent cache: what is in it, going on after a kill, and refusing what was made for something else."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from moviegen.backlot import captions
from moviegen.presets import Preset
from moviegen.training.latent_cache import (
    VALIDATION_CLIPS,
    Autoencoder,
    CacheError,
    clip_count,
    frames_of,
    make_cache,
    read_cache,
    to_float,
)
from moviegen.training.mixture import mixture_scene


def test_each_bucket_has_as_many_clips_as_its_steps_need(preset: Preset, cache: Path) -> None:
    clips = read_cache(preset, "fake", cache, "train")
    assert [tuple(entry.latents_NCTHW.shape) for entry in clips] == [
        (22, 16, 2, 4, 4),
        (6, 16, 1, 2, 6),
        (12, 16, 1, 4, 4),
    ]
    assert [len(entry.captions) for entry in clips] == [22, 6, 12]
    assert all(entry.latents_NCTHW.dtype == torch.float16 for entry in clips)
    for split in ("seen", "novel"):
        (held,) = read_cache(preset, "fake", cache, split)  # type: ignore[arg-type]
        assert held.latents_NCTHW.shape == (VALIDATION_CLIPS, 16, 2, 4, 4)
    assert clip_count(preset, 40) == 40 + 2 * VALIDATION_CLIPS


def test_latents_and_captions_are_those_of_the_scene(preset: Preset, cache: Path, autoencoder: Autoencoder) -> None:
    images = read_cache(preset, "fake", cache, "train")[2]
    frames_TCHW = frames_of(22 + 6 + 3, "train", images.bucket)
    expected = autoencoder.encode(to_float(frames_TCHW[None]))[0]
    torch.testing.assert_close(images.latents_NCTHW[3].float(), expected, atol=2e-3, rtol=0)
    assert set(images.captions[3]) == set(captions(mixture_scene(31)))


def test_frames_become_floats() -> None:
    frames_BTCHW = np.zeros((1, 2, 3, 4, 5), np.uint8)
    frames_BTCHW[0, 1, 2] = 255
    floats = to_float(frames_BTCHW)
    assert floats.shape == (1, 3, 2, 4, 5)
    assert floats[0, 2, 1].unique().item() == 1
    assert floats[0, 0].unique().item() == -1


def test_a_killed_cache_goes_on(preset: Preset, cache: Path, autoencoder: Autoencoder, tmp_path: Path) -> None:
    folder = shutil.copytree(cache, tmp_path / "cache")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "novel-8x32x32.safetensors").unlink()
    with pytest.raises(CacheError, match="is unfinished"):
        read_cache(preset, "fake", folder, "novel")
    done: list[int] = []
    make_cache(preset, autoencoder, "fake", folder, 40, on_clips=done.append)
    assert sum(done) == clip_count(preset, 40)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


@pytest.mark.slow
def test_rendering_in_processes_gives_the_same_bytes(
    preset: Preset, cache: Path, autoencoder: Autoencoder, tmp_path: Path
) -> None:
    make_cache(preset, autoencoder, "fake", tmp_path, 40, workers=2)
    for path in cache.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_what_is_not_this_cache_is_refused(
    preset: Preset, cache: Path, autoencoder: Autoencoder, tmp_path: Path
) -> None:
    with pytest.raises(CacheError, match="holds no latent cache"):
        read_cache(preset, "fake", tmp_path, "train")
    (tmp_path / "cache.json").write_text("[]")
    with pytest.raises(CacheError, match="holds no latent cache"):
        read_cache(preset, "fake", tmp_path, "train")
    with pytest.raises(CacheError, match=r"other autoencoder \(fake\): name another folder"):
        read_cache(preset, "another", cache, "train")
    with pytest.raises(CacheError, match="other clips"):
        make_cache(preset, autoencoder, "fake", cache, 41)
    with pytest.raises(CacheError, match="other buckets"):
        read_cache(dataclasses.replace(preset, buckets=preset.buckets[:1]), "fake", cache, "train")
    folder = shutil.copytree(cache, tmp_path / "copy")
    (folder / "seen-8x32x32.safetensors").write_bytes(b"no")
    with pytest.raises(CacheError, match="is damaged"):
        read_cache(preset, "fake", folder, "seen")
