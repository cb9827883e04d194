"""Presets: published sizes, and clips that they can and cannot make."""

from __future__ import annotations

import dataclasses

import pytest

from moviegen.presets import PRESETS, Bucket, PresetError, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_whole(name: str) -> None:
    config = preset(name)
    assert config.name == name
    assert sum(bucket.share for bucket in config.buckets) == pytest.approx(1)
    assert any(bucket.frames == 1 for bucket in config.buckets)
    assert all(config.tokens(bucket) >= 1 for bucket in config.buckets)
    assert config.transformer.width % config.transformer.heads == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.name = "other"  # type: ignore[misc]


def test_the_published_sizes() -> None:
    model = preset("30b").transformer
    assert (model.layers, model.width, model.feed_forward, model.heads) == (48, 6144, 16384, 48)
    model = preset("5b").transformer
    assert (model.layers, model.width, model.feed_forward, model.heads) == (32, 3072, 8192, 24)
    assert preset("30b").text.widths == (4096, 1280, 1472)


def test_tokens_by_hand() -> None:
    assert preset("30b").tokens(Bucket(256, 768, 768, 16, 1)) == 32 * 48 * 48 == 73_728
    assert preset("tiny").tokens(preset("tiny").form) == 8 * 4 * 4


def test_an_unknown_preset_is_one_line() -> None:
    with pytest.raises(PresetError, match=r"unknown preset 'smal': did you mean 'small'\?"):
        preset("smal")
    with pytest.raises(PresetError, match="unknown preset 'x'; presets: tiny, small, base, 5b, 30b"):
        preset("x")


@pytest.mark.parametrize(
    ("size", "line"),
    [
        ((0, 64, 64), "tiny makes 1 to 128 frames; 0 were asked for"),
        ((129, 64, 64), "tiny makes 1 to 128 frames; 129 were asked for"),
        ((32, 60, 64), "tiny makes clips 16 to 128 pixels high in steps of 16; 60 were asked for"),
        ((32, 64, 144), "tiny makes clips 16 to 128 pixels wide in steps of 16; 144 were asked for"),
    ],
)
def test_a_form_that_cannot_be_made_is_one_line(size: tuple[int, int, int], line: str) -> None:
    with pytest.raises(PresetError, match=line):
        preset("tiny").latent_size(*size)


def test_odd_lengths_round_up() -> None:
    assert preset("tiny").latent_size(33, 64, 48) == (9, 8, 6)
