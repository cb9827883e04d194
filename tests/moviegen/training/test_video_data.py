"""Batches: pure functions of the step, with dropped and misspelt text as declared."""

from __future__ import annotations

import dataclasses
from itertools import islice
from pathlib import Path

import pytest
import torch

from moviegen.presets import Preset
from moviegen.training.latent_cache import read_cache
from moviegen.training.step_order import StepOrder, generator
from moviegen.training.video_data import Part, VideoBatch, VideoData, misspelt, training_batch


def _batch(preset: Preset, cache: Path, step: int, seed: int = 0) -> VideoBatch:
    clips = read_cache(preset, "fake", cache, "train")
    batches = [preset.batch(c.bucket) for c in clips]
    order = StepOrder([c.bucket.share for c in clips], [len(c.captions) for c in clips], batches, seed)
    return training_batch(preset, clips, order, seed, step)


def test_a_batch_is_a_function_of_its_step(preset: Preset, cache: Path) -> None:
    one, again, other = _batch(preset, cache, 7), _batch(preset, cache, 7), _batch(preset, cache, 9)
    assert one.prompts == again.prompts
    for a, b in zip(one[:3], again[:3], strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.time_B, other.time_B)


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_take_turns_and_change_nothing(preset: Preset, cache: Path, workers: int) -> None:
    loader = VideoData(preset, cache, "fake", workers=workers).train_dataloader()
    batches = list(islice(loader, 5))
    for step, batch in enumerate(batches):
        expected = _batch(preset, cache, step)
        assert batch.prompts == expected.prompts
        for one, other in zip(batch[:3], expected[:3], strict=True):
            assert torch.equal(one, other)


def test_processes_share_a_batch_without_overlap(preset: Preset, cache: Path) -> None:
    whole = _batch(preset, cache, 3)
    parts = [Part(first, 2).of(whole) for first in range(2)]
    assert sorted(parts[0].prompts + parts[1].prompts) == sorted(whole.prompts)
    assert torch.equal(parts[1].noise_BCTHW, whole.noise_BCTHW[1::2])
    assert torch.equal(parts[0].time_B, whole.time_B[::2])
    assert Part().of(whole).prompts == whole.prompts


def test_a_recipe_without_images_draws_clips_alone(preset: Preset, cache: Path) -> None:
    never = dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, images=0.0))
    frames = {batch.latents_BCTHW.shape[2] for batch in islice(VideoData(never, cache, "fake").train_dataloader(), 20)}
    assert frames == {bucket.frames // 4 for bucket in preset.buckets if bucket.frames > 1}


def test_a_batch_is_of_one_form_with_noise_like_it(preset: Preset, cache: Path) -> None:
    shapes = {_batch(preset, cache, step).latents_BCTHW.shape for step in range(20)}
    assert shapes == {(8, 16, 2, 4, 4), (16, 16, 1, 2, 6), (16, 16, 1, 4, 4)}  # of about as many tokens
    batch = _batch(preset, cache, 0)
    assert batch.noise_BCTHW.shape == batch.latents_BCTHW.shape
    assert batch.latents_BCTHW.dtype == torch.float32
    assert batch.fps == 8


def test_a_tenth_of_the_text_is_dropped(preset: Preset, cache: Path) -> None:
    data = VideoData(preset, cache, "fake")
    loader = iter(data.train_dataloader())
    prompts = [prompt for _ in range(200) for prompt in next(loader).prompts]
    assert sum(prompt == "" for prompt in prompts) / len(prompts) == pytest.approx(0.1, abs=0.03)
    never = dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, text_drop=0.0, misspelt=0.0))
    known = {text for entry in read_cache(preset, "fake", cache, "train") for texts in entry.captions for text in texts}
    assert all(set(_batch(never, cache, step).prompts) <= known for step in range(20))


def test_misspelling_takes_single_letters() -> None:
    text = "A dog runs through a park."
    assert misspelt(text, 0.0, generator(0, 0)) == text
    broken = misspelt(text, 1.0, generator(0, 0))
    assert len(broken) == len(text) - 6
    assert len(broken.split(" ")) == 6


def test_validation_is_fixed(preset: Preset, cache: Path) -> None:
    seen, novel = VideoData(preset, cache, "fake").val_dataloader()
    again = VideoData(preset, cache, "fake", seed=9).val_dataloader()[0]
    for a, b in zip(seen, again, strict=True):
        assert torch.equal(a.noise_BCTHW, b.noise_BCTHW)
        assert a.prompts == b.prompts
        assert "" not in a.prompts
    assert len(seen) == len(novel) == 8
    assert next(iter(novel)).prompts[0] == VideoData(preset, cache, "fake").prompts(1, 3)[0]
