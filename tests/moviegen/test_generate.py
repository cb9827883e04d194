"""Clips from prompts with untrained weights: form, reproducibility, and one clear line for everything bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import moviegen.generate
from eval.errors import UserError
from eval.hashing import clip_sha256
from eval.weights import Header, WeightsError, save_weights
from moviegen.generate import (
    Form,
    GenerationError,
    Reference,
    form_of,
    generate,
    generate_batch,
    load_reference,
    out_of_memory,
    read,
    remarks,
)
from moviegen.networks.tae import PRESETS, TAE
from moviegen.networks.words import PromptError
from moviegen.presets import PresetError, tiny
from moviegen.sampling import Sampler
from moviegen.video_weights import autoencoder_id, save_video

QUICK = Sampler(steps=2)
SHORT = Form(5, 32, 32, 8.0)


@pytest.fixture
def reference(shipped_untrained: Path) -> Reference:
    return load_reference()


def test_a_prompt_gives_a_clip_of_the_preset_s_form(reference: Reference) -> None:
    done: list[int] = []
    clip = generate("A dog runs through a park", sampler=QUICK, on_step=done.append)
    assert clip.frames_TCHW.shape == (32, 3, 64, 64)
    assert (clip.fps, clip.audio_CN) == (8.0, None)
    assert done == [1, 2]


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ({"duration_s": 0.125}, (1, 3, 64, 64)),
        ({"duration_s": 0.9, "width": 48, "height": 32}, (7, 3, 32, 48)),
        ({"duration_s": 1e-9, "width": 16, "height": 16}, (1, 3, 16, 16)),
        ({"duration_s": 40 / 8, "width": 16, "height": 16}, (40, 3, 16, 16)),  # two tiles of the autoencoder
    ],
)
def test_every_number_of_frames_is_kept_and_none_is_spurious(
    reference: Reference, asked: dict[str, Any], shape: tuple[int, ...]
) -> None:
    assert generate("a red ball", sampler=Sampler(steps=1), **asked).frames_TCHW.shape == shape


def test_prompt_and_seed_decide_everything(reference: Reference) -> None:
    def clip(prompt: str, seed: int) -> str:
        (made,) = generate_batch(reference, [prompt], [seed], SHORT, QUICK)
        return clip_sha256(made)

    first = clip("a dog runs", 3)
    assert clip("A  Dog RUNS", 3) == first, "read the same, made the same"
    assert len({first, clip("a dog runs", 4), clip("a cat runs", 3), clip("a dog runs", -3)}) == 4


def test_a_clip_does_not_depend_on_its_batch(reference: Reference) -> None:
    prompts, seeds = ["a dog", "two red balls bounce along a beach", "a dog"], [1, 1, 2]
    together = generate_batch(reference, prompts, seeds, SHORT, QUICK)
    for prompt, seed, clip in zip(prompts, seeds, together, strict=True):
        (alone,) = generate_batch(reference, [prompt], [seed], SHORT, QUICK)
        np.testing.assert_allclose(alone.frames_TCHW.astype(int), clip.frames_TCHW, atol=1)  # rounding


def test_the_prompt_is_heard_beyond_its_noise(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moviegen.generate, "seeded_noise", lambda _text, _seed, size: torch.ones(size))
    dog, cat = (generate_batch(reference, [text], [0], SHORT, QUICK)[0] for text in ("a dog", "a white elephant"))
    assert clip_sha256(dog) != clip_sha256(cat)


def test_the_shipped_weights_are_read_once(shipped_untrained: Path) -> None:
    first = load_reference()
    assert load_reference() is first
    assert load_reference(checkpoint="reference-early") is not first
    assert load_reference(shipped_untrained / "reference.safetensors").model is not None


def test_a_file_that_changes_is_read_again(shipped_untrained: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes((shipped_untrained / "reference.safetensors").read_bytes())
    first = load_reference(path)
    path.write_bytes((shipped_untrained / "reference-early.safetensors").read_bytes())
    assert load_reference(path) is not first


# Prompts


def test_unknown_words_are_named_and_generation_goes_on(reference: Reference) -> None:
    (line,) = remarks(reference.preset, "A dragon 🐉 flies", SHORT)
    assert line == "words the model was not taught: dragon, 🐉"
    assert len(generate_batch(reference, ["A dragon 🐉 flies"], [0], SHORT, QUICK)) == 1
    assert remarks(reference.preset, "A dog runs through a park", SHORT) == ()


def test_a_long_prompt_is_cut_and_says_so(reference: Reference) -> None:
    text = "dog " * 2500
    assert len(text) == 10_000
    assert remarks(reference.preset, text, SHORT) == ("the prompt is too long: only its first 64 words are read",)
    short, long = ("dog " * 64, text)
    clips = generate_batch(reference, [short], [0], SHORT, QUICK), generate_batch(reference, [long], [0], SHORT, QUICK)
    assert clip_sha256(clips[0][0]) == clip_sha256(clips[1][0])


@pytest.mark.parametrize("text", ["", "  \n\t", "\x00\x1b", "\u200b", "\udcff", "\ue000"])
def test_a_prompt_of_nothing_to_see_is_refused(reference: Reference, text: str) -> None:
    with pytest.raises(PromptError, match="the prompt is empty: say what is to be seen") as caught:
        generate_batch(reference, [text], [0], SHORT, QUICK)
    assert len(str(caught.value).splitlines()) == 1


def test_control_characters_are_not_read(reference: Reference) -> None:
    words = read(reference.preset, "a dog\x1b[0m \u202ered👩\u200d🚒 \udcff").words
    assert words == ("a", "dog", "[", "0", "m", "red", "👩", "🚒")
    assert read(reference.preset, " ".join(words)).words == words


# Forms


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"width": 60}, "tiny makes clips 16 to 128 pixels wide in steps of 16; 60 were asked for"),
        ({"height": 256}, "tiny makes clips 16 to 128 pixels high in steps of 16; 256 were asked for"),
        ({"width": 0}, "0 were asked for"),
        ({"fps": 24}, "tiny makes clips of 8 frames per second; 24 were asked for"),
        ({"fps": float("nan")}, "nan were asked for"),
        ({"duration_s": 17}, "tiny makes clips of up to 16 s at 8 frames per second; 17 s were asked for"),
        ({"duration_s": 0}, "0 s were asked for"),
        ({"duration_s": -1}, "-1 s were asked for"),
        ({"duration_s": float("nan")}, "nan s were asked for"),
        ({"duration_s": float("inf")}, "inf s were asked for"),
    ],
)
def test_a_form_that_the_preset_cannot_make_is_one_line(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(PresetError) as caught:
        form_of(tiny(), **asked)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_form_beyond_training_is_remarked() -> None:
    (line,) = remarks(tiny(), "a dog", form_of(tiny(), duration_s=8))
    assert line.startswith("tiny was trained on clips of up to 32 frames, 80 pixels wide and 80 high")
    assert remarks(tiny(), "a dog", form_of(tiny(), width=80, height=48, duration_s=2)) == ()


# Weights


def _wrong(kind: str, folder: Path, good: Path) -> Path:
    path = folder / f"{kind}.safetensors"
    data = bytearray((good / "reference.safetensors").read_bytes())
    if kind == "damaged":
        data[-100] ^= 1
        path.write_bytes(data)
    elif kind == "half":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "pickled":
        torch.save({"a": torch.zeros(1)}, path)
    elif kind == "autoencoder":
        path.write_bytes((good / "tae-f8t4.safetensors").read_bytes())
    elif kind in ("30b", "huge"):
        save_weights(path, {"a": torch.zeros(1)}, Header("video", kind), {})
    elif kind == "other-size":
        save_weights(path, {"a": torch.zeros(1)}, Header("video", "small"), {})
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no such file"),
        ("damaged", "damaged: its tensors do not match the hash"),
        ("half", "not a safetensors file, or damaged"),
        ("pickled", "pickled checkpoints are not read"),
        ("autoencoder", "holds weights of kind 'tae'; 'video' is needed here"),
        ("30b", "preset '30b' reads prompts through frozen encoders"),
        ("huge", "unknown preset 'huge'"),
        ("other-size", "does not fit this network"),
    ],
)
def test_weights_that_cannot_be_used_are_one_line(
    shipped_untrained: Path, tmp_path: Path, kind: str, says: str
) -> None:
    path = _wrong(kind, tmp_path, shipped_untrained)
    with pytest.raises(WeightsError) as caught:
        load_reference(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_autoencoders_that_do_not_fit_are_one_line(shipped_untrained: Path, tmp_path: Path) -> None:
    weights = shipped_untrained / "reference.safetensors"
    with pytest.raises(WeightsError, match="holds preset 'f8t8', not 'f8t4'"):
        load_reference(weights, shipped_untrained / "tae-f8t8.safetensors")
    with pytest.raises(WeightsError, match="no such file"):
        load_reference(weights, tmp_path / "none.safetensors")


def test_weights_that_are_not_shipped_say_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moviegen.weights.FOLDER", tmp_path)
    with pytest.raises(WeightsError, match="no shipped weights called 'reference': there are none; train one"):
        load_reference()


def test_another_number_of_channels_is_one_line(shipped_untrained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moviegen.generate, "load_tae", lambda *_, **__: TAE(PRESETS["f8t8"]))
    moviegen.generate._load.cache_clear()
    with pytest.raises(WeightsError, match="channels, the autoencoder reads 16: name the autoencoder"):
        load_reference(shipped_untrained / "reference.safetensors")


def test_an_autoencoder_of_another_training_is_one_line(shipped_untrained: Path, tmp_path: Path) -> None:
    reference, path = load_reference(), tmp_path / "mine.safetensors"
    save_video(path, reference.model, reference.preset, {}, autoencoder=autoencoder_id(reference.tae))
    assert load_reference(path).preset == reference.preset
    save_video(path, reference.model, reference.preset, {}, autoencoder="0123456789abcdef")
    with pytest.raises(WeightsError, match="was trained on the latents of autoencoder 0123456789abcdef, and this"):
        load_reference(path)


# Memory


def test_out_of_memory_is_one_line(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: Any, **__: Any) -> torch.Tensor:
        return torch.empty(1 << 58)

    monkeypatch.setattr(moviegen.generate, "decode_tiled", greedy)
    with pytest.raises(GenerationError) as caught:
        generate_batch(reference, ["a dog"], [0], SHORT, QUICK)
    assert str(caught.value) == (
        "out of memory making a clip of 5 frames, 32x32, 8 fps: ask for a shorter or a smaller one"
    )


def test_other_errors_of_the_runtime_are_bugs(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> torch.Tensor:
        return torch.zeros(2) @ torch.zeros(3)

    monkeypatch.setattr(moviegen.generate, "decode_tiled", broken)
    with pytest.raises(RuntimeError) as caught:
        generate_batch(reference, ["a dog"], [0], SHORT, QUICK)
    assert not isinstance(caught.value, UserError)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_allocators_are_known(error: Exception) -> None:
    assert out_of_memory(error)


def test_half_precision_weights_are_read(shipped_untrained: Path, tmp_path: Path) -> None:
    reference = load_reference()
    path = tmp_path / "half.safetensors"
    save_video(path, reference.model, reference.preset, {}, torch.float16)
    halved = load_reference(path)
    assert next(halved.model.parameters()).dtype == torch.float32
    assert len(generate_batch(halved, ["a dog"], [0], SHORT, QUICK)) == 1
