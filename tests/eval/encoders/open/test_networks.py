"""Each network's numbers against transformers' own pipeline over the same files, or against a formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from eval.encoders.device import VARIABLE as DEVICE
from eval.encoders.open import interpolation, preprocess, runners, xclip
from eval.encoders.open.positions import stretched
from eval.encoders.open.runners import BFLOAT16, LOADERS, runner
from eval.encoders.registry import ENCODERS
from eval.encoders.runner import EncodingError
from eval.features.clap_sound import filled

Pull = Callable[..., Path]
Frames = npt.NDArray[np.uint8]
CLOSE = {"rtol": 0, "atol": 2e-5}


def frames(*shape: int, seed: int = 0) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3, 60, 100), dtype=np.uint8)


def encoded(name: str, items: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return runner(name).submit(items).result()


@pytest.fixture
def reference(pull_small: Pull) -> Callable[[str, str], Any]:
    """reference(name, class): the small network called so, pulled, and loaded by transformers alone."""

    def load(name: str, of: str) -> Any:
        folder = pull_small(name)
        with torch.inference_mode():
            return getattr(transformers, of).from_pretrained(folder / name, dtype=torch.float32).eval()

    return load


@pytest.mark.parametrize("name", ["clip-vit-b-32", "clip-vit-l-14"])
def test_clip(reference: Callable[[str, str], Any], name: str) -> None:
    network, seen = reference(name, "CLIPModel"), frames(3)
    with torch.inference_mode():
        wanted = network.get_image_features(preprocess.clip_input(torch.from_numpy(seen))).pooler_output
    np.testing.assert_allclose(encoded(name, seen), wanted.numpy(), **CLOSE)


def test_dinov2(reference: Callable[[str, str], Any]) -> None:
    network, seen = reference("dinov2-vit-b-14", "Dinov2Model"), frames(2)
    with torch.inference_mode():
        wanted = network(preprocess.dinov2_input(torch.from_numpy(seen))).last_hidden_state[:, 0]
    np.testing.assert_allclose(encoded("dinov2-vit-b-14", seen), wanted.numpy(), **CLOSE)


@pytest.mark.parametrize(
    ("name", "of", "prepared"),
    [
        ("videomae-vit-b", "VideoMAEModel", preprocess.videomae_input),
        ("vjepa2-vit-l", "VJEPA2Model", preprocess.vjepa2_input),
    ],
)
def test_windows_of_frames(
    reference: Callable[[str, str], Any], name: str, of: str, prepared: Callable[[Tensor], Tensor]
) -> None:
    network, seen = reference(name, of), frames(2, 16)
    wanted = []
    for window in seen:
        with torch.inference_mode():
            tokens = network(torch.stack([prepared(frame[None])[0] for frame in torch.from_numpy(window)])[None])
        wanted.append(tokens.last_hidden_state[0].mean(dim=0).numpy())
    np.testing.assert_allclose(encoded(name, seen), np.stack(wanted), **CLOSE)


def test_clap(reference: Callable[[str, str], Any]) -> None:
    network = reference("clap", "ClapModel")
    extractor = transformers.ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc", padding="repeatpad")
    heard = np.random.default_rng(1).normal(0, 0.1, 200_000).astype(np.float32)
    inputs = extractor(heard, sampling_rate=48_000, return_tensors="pt")
    with torch.inference_mode():
        wanted = network.get_audio_features(**inputs).pooler_output[0]  # of unit length
    found = torch.from_numpy(encoded("clap", filled(heard)[None])[0])
    torch.testing.assert_close(functional.normalize(found, dim=0), wanted, rtol=0, atol=1e-3)


def test_xclip(reference: Callable[[str, str], Any]) -> None:
    network = reference("xclip-b-32", "XCLIPModel")
    small = xclip.small(frames(8))
    pixels = preprocess.normalised(torch.from_numpy(small).float(), preprocess.IMAGENET)
    with torch.inference_mode():
        wanted = network.get_video_features(pixels[None]).pooler_output[0]
    np.testing.assert_allclose(encoded("xclip-b-32", small[None])[0, 0], wanted.numpy(), **CLOSE)


# DINO as its own repository writes it (vision_transformer.py), from the tensors that transformers stored.


def dino_as_published(tensors: dict[str, Tensor], pixels_1CHW: Tensor, heads: int) -> Tensor:
    def linear(name: str, x: Tensor) -> Tensor:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(name: str, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], tensors[f"{name}.weight"], tensors[f"{name}.bias"], 1e-6)

    patches = functional.conv2d(
        pixels_1CHW,
        tensors["embeddings.patch_embeddings.projection.weight"],
        tensors["embeddings.patch_embeddings.projection.bias"],
        stride=16,
    )
    height, width = patches.shape[2:]
    grid = tensors["embeddings.position_embeddings"][:, 1:].reshape(1, 14, 14, -1).permute(0, 3, 1, 2)
    factor = ((height + 0.1) / 14, (width + 0.1) / 14)
    places = functional.interpolate(grid, scale_factor=factor, mode="bicubic").permute(0, 2, 3, 1).flatten(1, 2)
    first = tensors["embeddings.cls_token"] + tensors["embeddings.position_embeddings"][:, :1]
    x = torch.cat([first, patches.flatten(2).transpose(1, 2) + places], dim=1)[0]
    attention, mlp = (f"{prefix}" for prefix in ("encoder.layer.0.attention", "encoder.layer.0"))
    y = norm("encoder.layer.0.layernorm_before", x)
    q, k, v = (
        linear(f"{attention}.attention.{part}", y).unflatten(1, (heads, -1)).transpose(0, 1)
        for part in ("query", "key", "value")
    )
    mixed = (q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(-1) @ v
    x = x + linear(f"{attention}.output.dense", mixed.transpose(0, 1).flatten(1))
    y = functional.gelu(linear(f"{mlp}.intermediate.dense", norm(f"{mlp}.layernorm_after", x)))
    return norm("layernorm", x + linear(f"{mlp}.output.dense", y))[0]


def test_dino_on_frames_that_are_not_square(reference: Callable[[str, str], Any], tmp_path: Path) -> None:
    network, seen = reference("dino-vit-b-16", "ViTModel"), frames(1)
    pixels = preprocess.dino_input(torch.from_numpy(seen))
    assert pixels.shape[2:] == (224, 373)
    tensors = load_file(tmp_path / "weights-folder" / "dino-vit-b-16" / "model.safetensors")
    found = encoded("dino-vit-b-16", seen)[0]
    np.testing.assert_allclose(found, dino_as_published(tensors, pixels, heads=2).numpy(), **CLOSE)
    with torch.inference_mode():
        other = network(pixels, interpolate_pos_encoding=True).last_hidden_state[0, 0].numpy()
    assert np.abs(found - other).max() > 3e-4, "transformers stretches the position encodings in another way"


def test_positions_of_the_trained_size_are_left_alone() -> None:
    positions = torch.randn(1, 1 + 14 * 14, 4)
    assert stretched(positions, 14, 14) is positions
    assert stretched(positions, 14, 24).shape == (1, 1 + 14 * 24, 4)
    assert torch.equal(stretched(positions, 20, 14)[:, :1], positions[:, :1])


# Programs


def test_i3d_is_called_as_stylegan_v_calls_it(pull_small: Pull) -> None:
    program = torch.jit.load(pull_small("i3d-k400") / "i3d-k400" / "i3d_torchscript.pt")
    seen = frames(2, 16)
    video = torch.from_numpy(seen).permute(0, 2, 1, 3, 4).contiguous()
    wanted = program(video, rescale=True, resize=True, return_features=True)
    np.testing.assert_allclose(encoded("i3d-k400", seen), wanted.detach().numpy(), **CLOSE)


def padded(frame_CHW: Frames, multiple: int) -> npt.NDArray[np.float32]:
    """VBench's InputPadder."""
    rows, columns = (((pixels // multiple + 1) * multiple - pixels) % multiple for pixels in frame_CHW.shape[1:])
    margins = ((0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    return np.pad(frame_CHW.astype(np.float32), margins, mode="edge")


def test_the_strongest_flow_is_vbenchs(pull_small: Pull) -> None:
    """The stand-in's flow is the difference of red and green; the rest as dynamic_degree.get_score has it."""
    pull_small("raft-things")
    pairs = frames(3, 2)
    wanted = []
    for before, after in pairs:
        flow = (padded(after, 8) - padded(before, 8))[:2]
        lengths = np.sqrt(np.square(flow[0]) + np.square(flow[1])).flatten()
        wanted.append(np.mean(abs(np.sort(-lengths))[: int(lengths.size * 0.05)]))
    np.testing.assert_allclose(encoded("raft-things", pairs), wanted, rtol=1e-6)


def test_the_guess_is_cut_to_grey_levels_as_vbench_does(pull_small: Pull) -> None:
    """The stand-in's guess is the mean; the rest as tensor2img and motion_smoothness.vfi_score have it."""
    pull_small("amt-s")
    triples = frames(3, 3)
    wanted = []
    for before, middle, after in triples:
        guess = (padded(before, 16) / np.float32(255) + padded(after, 16) / np.float32(255)) / 2
        (height, width), (rows, columns) = middle.shape[1:], guess.shape[1:]
        top, left = (rows - height) // 2, (columns - width) // 2
        levels = (guess * np.float32(255)).clip(0, 255).astype(np.uint8)[:, top : top + height, left : left + width]
        wanted.append(np.abs(levels.astype(int) - middle).mean() / 255)
    found = encoded("amt-s", triples)
    np.testing.assert_allclose(found, wanted, atol=1e-4)  # where a sum is whole, cutting depends on the last bit
    cut = interpolation.difference(
        torch.full((1, 3, 2, 2), 11.9 / 255), torch.full((1, 3, 2, 2), 11, dtype=torch.uint8)
    )
    assert cut.tolist() == [0.0]


class Wrong(torch.nn.Module):
    """A program with another call, and another answer, than any that is expected."""

    def forward(self, frames: Tensor) -> Tensor:
        return frames[:, :1]


class Blank(torch.nn.Module):
    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return (before - after) / 0


class Small(torch.nn.Module):
    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return (before - after)[:, :2, ::2]


@pytest.mark.parametrize(
    ("name", "program", "says"),
    [
        ("i3d-k400", Wrong, "the program failed: forward() expected at most 2 argument"),
        ("raft-things", Wrong, "the program failed: forward() expected at most 2 argument"),
        ("raft-things", Small, "gave (1, 2, 32, 104), not 1,2,64,104"),
        ("amt-s", Blank, "NaN or infinite"),
        ("raft-things", Blank, "gave (1, 3, 64, 104), not 1,2,64,104"),
    ],
)
def test_a_program_of_another_kind_fails_in_one_line(
    pull_small: Pull, checkpoints: Any, name: str, program: type[torch.nn.Module], says: str
) -> None:
    folder = pull_small(name)
    torch.jit.save(torch.jit.script(program()), folder / name / ENCODERS.get(name).files[0].name)
    checkpoints.lock_folder(name, folder)
    items = frames(1, {"i3d-k400": 16, "raft-things": 2, "amt-s": 3}[name])
    with pytest.raises(EncodingError) as caught:
        encoded(name, items)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


ITEMS = {
    "i3d-k400": (1, 16),
    "videomae-vit-b": (1, 16),
    "vjepa2-vit-l": (1, 16),
    "raft-things": (1, 2),
    "amt-s": (1, 3),
}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("name", sorted(set(LOADERS) - {"musiq-spaq", "viclip-l"}))
def test_the_gpu_gives_what_the_processor_does(pull_small: Pull, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pull_small(name)
    items: npt.NDArray[Any] = frames(*ITEMS.get(name, (2,)))
    if name == "clap":
        items = np.random.default_rng(1).normal(0, 0.1, (1, 480_000)).astype(np.float32)
    if name == "xclip-b-32":
        items = xclip.small(frames(8))[None]
    found = []
    for place in ("cpu", "cuda"):
        monkeypatch.setenv(DEVICE, place)
        runners._loaded.cache_clear()
        xclip._network.cache_clear()
        found.append(encoded(name, items).ravel())
    runners._loaded.cache_clear()
    xclip._network.cache_clear()
    cosine = found[0] @ found[1] / np.linalg.norm(found[0]) / np.linalg.norm(found[1])
    assert cosine > (0.999 if name in BFLOAT16 else 0.99999)


def test_every_loader_is_of_a_registered_encoder() -> None:
    assert set(LOADERS) <= set(ENCODERS.names())
