"""ViCLIP in the published naming, small: against torch's own attention, and its frames and words against VBench's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.clip import Clip, MemorySource, Window
from eval.encoders.networks import viclip
from eval.encoders.networks.viclip import FRAMES, PUBLISHED, WORDS, Form, Viclip
from eval.encoders.networks.viclip_frames import SIDE, cropped, viclip_input
from eval.encoders.networks.viclip_text import END, START, viclip_text
from eval.feature import FEATURES, NotMeasurable

NAME = "viclip-l"
SMALL = Form(
    patch=56,
    vision_width=32,
    vision_heads=4,
    vision_blocks=2,
    text_width=24,
    text_heads=3,
    text_blocks=2,
    features=16,
)
Install = Callable[..., Path]
Tensors = Mapping[str, Tensor]


@pytest.fixture(scope="module")
def tensors(randomised: Callable[[nn.Module], dict[str, Tensor]]) -> Tensors:
    return randomised(Viclip(SMALL))


@pytest.fixture
def installed(install: Install, tensors: Tensors, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small weights, and a tokenizer in the form of CLIP's."""
    monkeypatch.setattr(viclip, "PUBLISHED", SMALL)
    return install(NAME, tensors, tokenizer=tokenizer())


def published_names(form: Form) -> dict[str, tuple[int, ...]]:
    """Names and shapes of VBench's ViCLIP."""
    vision, text, out = form.vision_width, form.text_width, form.features
    shapes: dict[str, tuple[int, ...]] = {
        "temp": (),
        "vision_encoder.class_embedding": (vision,),
        "vision_encoder.positional_embedding": ((SIDE // form.patch) ** 2 + 1, vision),
        "vision_encoder.temporal_positional_embedding": (1, 8, vision),
        "vision_encoder.proj": (vision, out),
        "vision_encoder.conv1.weight": (vision, 3, 1, form.patch, form.patch),
        "text_encoder.token_embedding.weight": (form.vocabulary, text),
        "text_encoder.positional_embedding": (32, text),
        "text_encoder.text_projection": (text, out),
    }
    norms = {"vision_encoder.ln_pre": vision, "vision_encoder.ln_post": vision, "text_encoder.ln_final": text}
    for tower, width, blocks in (("vision", vision, form.vision_blocks), ("text", text, form.text_blocks)):
        for index in range(blocks):
            block = f"{tower}_encoder.transformer.resblocks.{index}"
            norms |= {f"{block}.ln_1": width, f"{block}.ln_2": width}
            shapes |= {
                f"{block}.attn.in_proj_weight": (3 * width, width),
                f"{block}.attn.in_proj_bias": (3 * width,),
                f"{block}.attn.out_proj.weight": (width, width),
                f"{block}.attn.out_proj.bias": (width,),
                f"{block}.mlp.c_fc.weight": (4 * width, width),
                f"{block}.mlp.c_fc.bias": (4 * width,),
                f"{block}.mlp.c_proj.weight": (width, 4 * width),
                f"{block}.mlp.c_proj.bias": (width,),
            }
    return shapes | {f"{name}.{kind}": (width,) for name, width in norms.items() for kind in ("weight", "bias")}


@pytest.mark.parametrize("form", [SMALL, PUBLISHED])
def test_names_and_shapes_are_the_published_ones(form: Form) -> None:
    with torch.device("meta"):
        network = Viclip(form)
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == published_names(form)


def test_the_published_network_is_clips_large_one() -> None:
    sizes = (14, 1024, 16, 24, 768, 12, 12, 49408, 768)
    assert Form(*sizes) == PUBLISHED
    assert (FRAMES, WORDS, SIDE) == (8, 32, 224)


def random_clips(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, FRAMES, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)


def filled(tensors: Tensors) -> Viclip:
    network = Viclip(SMALL)
    network.load_state_dict(dict(tensors))
    return network.eval().requires_grad_(False)


def test_clips_are_encoded_as_published(tensors: Tensors) -> None:
    """Written anew: patches one by one, loops over time and place, and torch's own attention."""
    clips = viclip_input(random_clips(2))
    own = part(tensors, "vision_encoder.")
    side = SIDE // SMALL.patch
    rows = []
    for clip_TCHW in clips:
        tokens = [own["class_embedding"] + own["positional_embedding"][0]]
        for place in range(side * side):
            y, x = place // side * SMALL.patch, place % side * SMALL.patch
            for time in range(FRAMES):
                patch = clip_TCHW[time, :, y : y + SMALL.patch, x : x + SMALL.patch]
                token = own["conv1.weight"].flatten(1) @ patch.flatten()
                tokens.append(
                    token + own["positional_embedding"][place + 1] + own["temporal_positional_embedding"][0, time]
                )
        x_LD = normed(torch.stack(tokens), own, "ln_pre")
        for index in range(SMALL.vision_blocks):
            x_LD = block(x_LD, part(own, f"transformer.resblocks.{index}."), SMALL.vision_heads, None)
        rows.append(normed(x_LD[0], own, "ln_post") @ own["proj"])
    found = filled(tensors).vision_encoder(clips)
    torch.testing.assert_close(found, torch.stack(rows), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("words", [[], [5, 9, 400], list(range(1, 31))])
def test_texts_are_encoded_as_published(tensors: Tensors, words: list[int]) -> None:
    """Published code fills up to 32 tokens and masks what comes later."""
    own = part(tensors, "text_encoder.")
    ids = torch.zeros(WORDS, dtype=torch.long)
    ids[: len(words) + 2] = torch.tensor([START, *words, END])
    later = torch.full((WORDS, WORDS), float("-inf")).triu(1)
    x_LD = own["token_embedding.weight"][ids] + own["positional_embedding"]
    for index in range(SMALL.text_blocks):
        x_LD = block(x_LD, part(own, f"transformer.resblocks.{index}."), SMALL.text_heads, later)
    wanted = normed(x_LD, own, "ln_final")[ids.argmax()] @ own["text_projection"]
    found = filled(tensors).text_encoder(torch.tensor([START, *words, END]))
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def part(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def normed(x: Tensor, own: Tensors, name: str) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    even = centred / (x.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    return even * own[f"{name}.weight"] + own[f"{name}.bias"]


def block(x_LD: Tensor, own: Tensors, heads: int, mask: Tensor | None) -> Tensor:
    attention = nn.MultiheadAttention(x_LD.shape[1], heads).eval().requires_grad_(False)
    attention.load_state_dict(part(own, "attn."))
    y_LD = normed(x_LD, own, "ln_1")
    x_LD = x_LD + attention(y_LD, y_LD, y_LD, need_weights=False, attn_mask=mask)[0]
    hidden = functional.linear(normed(x_LD, own, "ln_2"), own["mlp.c_fc.weight"], own["mlp.c_fc.bias"])
    hidden = hidden / (1 + (-1.702 * hidden).exp())
    return x_LD + functional.linear(hidden, own["mlp.c_proj.weight"], own["mlp.c_proj.bias"])


@pytest.mark.parametrize("size", [(48, 64), (240, 135), (224, 300), (480, 833)])
def test_frames_are_squares_in_whole_grey_levels(size: tuple[int, int]) -> None:
    """torchvision's own steps: short side 224, the long one cut; bicubic; rounded, clamped; the centre cropped."""
    height, width = size
    frames = np.random.default_rng(height).integers(0, 256, (2, 3, height, width), np.uint8)
    new = (224, int(224 * width / height)) if height <= width else (int(224 * height / width), 224)
    floats = functional.interpolate(torch.from_numpy(frames).double(), new, mode="bicubic", align_corners=False)
    top, left = round((new[0] - 224) / 2.0), round((new[1] - 224) / 2.0)
    wanted = floats.clamp(0, 255).round()[:, :, top : top + 224, left : left + 224].numpy()
    found = cropped(frames)
    assert found.dtype == np.uint8
    assert found.shape == (2, 3, 224, 224)
    off = np.abs(found - wanted)
    assert off.max() <= 1, "halves may round either way"
    assert (off > 0).mean() < 0.01


def test_a_clip_is_its_eight_middle_frames(installed: Path, tensors: Tensors) -> None:
    feature = FEATURES.get("viclip_l_clip")
    assert len(feature.weights_sha256) == 64
    frames = np.random.default_rng(0).integers(0, 256, (19, 3, 30, 40), np.uint8)
    middle = [0, 2, 5, 7, 9, 12, 14, 17]  # of parts that begin at 0, 2, 4, 7, 9, 11, 14, 16 (and 19)
    wanted = filled(tensors).vision_encoder(viclip_input(torch.from_numpy(cropped(frames[middle]))[None]))[0]
    info = MemorySource(Clip(frames, 8.0)).info
    for cut in (19, 6):
        accumulator = feature.start(info)
        for start in range(0, 19, cut):
            window = frames[start : start + cut]
            accumulator.update(Window(window, (start + np.arange(len(window))) / 8.0))
        arrays = accumulator.finish().result()
        assert list(arrays) == ["features_D"]
        np.testing.assert_allclose(arrays["features_D"], wanted.numpy(), atol=1e-4)


def test_a_clip_of_seven_frames_is_not_measurable(installed: Path) -> None:
    frames = np.zeros((7, 3, 30, 40), np.uint8)
    accumulator = FEATURES.get("viclip_l_clip").start(MemorySource(Clip(frames, 8.0)).info)
    accumulator.update(Window(frames, np.arange(7) / 8.0))
    with pytest.raises(NotMeasurable, match="viclip-l sees 8 frames"):
        accumulator.finish()


def tokenizer(words: tuple[str, ...] = ("red", "dog")) -> bytes:
    """A tokenizer.json of CLIP's form and size: letters, two words, and many tokens that no text gives."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + ["&", ";"]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = []
    for word in words:
        *parts, last = [*word[:-1], f"{word[-1]}</w>"]
        while parts:
            last, before = parts[-1] + last, last
            merges.append([parts.pop(), before])
            vocabulary.append(last)
    vocabulary += [f"never{index}" for index in range(START - len(vocabulary))]
    numbers = {token: index for index, token in enumerate([*vocabulary, "<|startoftext|>", "<|endoftext|>"])}
    special = [
        {"id": number, "content": content, "special": True, "normalized": False}
        | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        for number, content in ((START, "<|startoftext|>"), (END, "<|endoftext|>"))
    ]
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    form = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True},
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": ["<|endoftext|>", END],
            "cls": ["<|startoftext|>", START],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<|endoftext|>",
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": numbers,
            "merges": merges,
        },
    }
    return json.dumps(form).encode()


def test_a_text_is_its_words_of_unit_length(installed: Path, tensors: Tensors) -> None:
    numbers = json.loads(tokenizer())["model"]["vocab"]
    red, dog, a = numbers["red</w>"], numbers["dog</w>"], numbers["a</w>"]
    tower = filled(tensors).text_encoder
    for prompt, words in (
        ("a Red dog", [a, red, dog]),
        ("red &amp;amp; dog", [red, numbers["&</w>"], dog]),
        ("red " * 60, [red] * (WORDS - 2)),
    ):
        features = viclip_text(prompt)
        assert features.dtype == np.float32
        wanted = functional.normalize(tower(torch.tensor([START, *words, END])), dim=0)
        np.testing.assert_allclose(features, wanted.numpy(), atol=1e-5)
        assert np.linalg.norm(features) == pytest.approx(1.0, abs=1e-5)
    assert viclip_text("red") is viclip_text("red"), "once per process"


def test_another_networks_tokenizer_is_refused(
    install: Install, tensors: Tensors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viclip, "PUBLISHED", SMALL)
    other = tokenizer().replace(f'"<|startoftext|>", {START}'.encode(), f'"<|startoftext|>", {START - 5}'.encode())
    install(NAME, tensors, tokenizer=other)
    with pytest.raises(NotMeasurable, match="is another network's: that of clip-vit-l-14 is needed"):
        viclip_text("red")


def test_the_small_weights_are_not_the_published_networks(install: Install, tensors: Tensors) -> None:
    install(NAME, tensors, tokenizer=tokenizer())
    with pytest.raises(NotMeasurable, match="are another network's, not ViCLIP-L"):
        viclip_text("blue")
