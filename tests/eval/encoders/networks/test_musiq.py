"""MUSIQ from a file in the published naming: against the published formulation, and where the file is another's."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from eval.clip import Clip, MemorySource, Window
from eval.encoders.networks.checkpoint import load_network
from eval.encoders.networks.musiq import Musiq
from eval.encoders.networks.musiq_patches import Patches, multiscale
from eval.feature import FEATURES, NotMeasurable

NAME = "musiq-spaq"
Install = Callable[..., Path]
FILLED = (49, 144)
"""Published code fills the two resized scales up to so many patches, and masks the filling."""


@pytest.fixture(scope="module")
def tensors(randomised: Callable[[nn.Module], dict[str, Tensor]]) -> dict[str, Tensor]:
    return randomised(Musiq())


@pytest.fixture(scope="module")
def network(tensors: Mapping[str, Tensor]) -> Musiq:
    made = Musiq()
    made.load_state_dict(dict(tensors))
    return made.eval().requires_grad_(False)


def frames(count: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height + width)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=generator)


def published_names() -> dict[str, tuple[int, ...]]:
    """Names and shapes of pyiqa's MUSIQ with one output."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv_root.weight": (64, 3, 7, 7),
        "block1.conv1.weight": (64, 64, 1, 1),
        "block1.conv2.weight": (64, 64, 3, 3),
        "block1.conv3.weight": (256, 64, 1, 1),
        "block1.conv_proj.weight": (256, 64, 1, 1),
        "transformer_encoder.posembed_input.position_emb": (1, 100, 384),
        "transformer_encoder.scaleembed_input.scale_emb": (3, 384),
        "transformer_encoder.cls": (1, 1, 384),
    }
    affine = {"gn_root": 64, "block1.gn1": 64, "block1.gn2": 64, "block1.gn3": 256, "block1.gn_proj": 256}
    linear = {"embedding": (384, 16384), "head": (1, 384)}
    affine["transformer_encoder.encoder_norm"] = 384
    for index in range(14):
        block = f"transformer_encoder.transformer.encoderblock_{index}"
        affine |= {f"{block}.norm1": 384, f"{block}.norm2": 384}
        linear |= {f"{block}.attention.{part}": (384, 384) for part in ("query", "key", "value", "out")}
        linear |= {f"{block}.mlp.fc1": (1152, 384), f"{block}.mlp.fc2": (384, 1152)}
    for name, width in affine.items():
        shapes |= {f"{name}.weight": (width,), f"{name}.bias": (width,)}
    for name, (outputs, inputs) in linear.items():
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    return shapes


def test_names_and_shapes_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = Musiq()
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == published_names()


@pytest.mark.parametrize("levels", [256, 2])
def test_scores_are_those_of_the_published_formulation(
    network: Musiq, tensors: Mapping[str, Tensor], levels: int
) -> None:
    """Written anew: torch's own transformer layers, and the filled sequence with its mask.

    On two grey levels the small numbers that keep normalisation from dividing by 0 count.
    """
    grey = 128 - levels // 2
    patches = multiscale((grey + frames(2, 24, 80).int() % levels).byte())
    found = network.score(patches)
    torch.testing.assert_close(found, reference(patches, tensors), atol=1e-5, rtol=1e-4)
    assert float((found[0] - found[1]).abs()) > 1e-4, "different frames must be told apart"


def reference(patches: Patches, tensors: Mapping[str, Tensor]) -> Tensor:
    count = patches.patches_NLCHW.shape[0]
    tokens = stem(patches.patches_NLCHW.flatten(0, 1), tensors).view(count, -1, 384)
    encoder = {name.removeprefix("transformer_encoder."): one for name, one in tensors.items()}
    places = encoder["posembed_input.position_emb"][0][patches.places_L]
    tokens = tokens + places + encoder["scaleembed_input.scale_emb"][patches.scales_L]
    parts, hidden = [encoder["cls"].expand(count, 1, 384)], [torch.zeros(1, dtype=torch.bool)]
    for scale in range(3):
        own = tokens[:, patches.scales_L == scale]
        filling = (FILLED[scale] if scale < 2 else own.shape[1]) - own.shape[1]
        parts += [own, torch.full((count, filling, 384), 9.0)]
        hidden += [torch.zeros(own.shape[1], dtype=torch.bool), torch.ones(filling, dtype=torch.bool)]
    x, mask = torch.cat(parts, dim=1), torch.cat(hidden).expand(count, -1)
    for index in range(14):
        x = layer(encoder, f"transformer.encoderblock_{index}.")(x, src_key_padding_mask=mask)
    norm = functional.layer_norm(x[:, 0], (384,), encoder["encoder_norm.weight"], encoder["encoder_norm.bias"], 1e-6)
    return norm @ tensors["head.weight"][0] + tensors["head.bias"]


def stem(patches: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    def convolved(x: Tensor, name: str, border: tuple[int, int], stride: int = 1) -> Tensor:
        weight = tensors[f"{name}.weight"].double().numpy()
        axes = (1, 2, 3)
        weight = weight - weight.mean(axes, keepdims=True)
        weight /= weight.std(axes, keepdims=True, ddof=1) + 1e-5
        return functional.conv2d(functional.pad(x, border * 2), torch.from_numpy(weight).float(), stride=stride)

    def normed(x: Tensor, name: str, epsilon: float) -> Tensor:
        groups = x.view(len(x), 32, -1)
        even = (groups - groups.mean(2, keepdim=True)) / (groups.var(2, keepdim=True, unbiased=False) + epsilon).sqrt()
        return even.view_as(x) * tensors[f"{name}.weight"][:, None, None] + tensors[f"{name}.bias"][:, None, None]

    x = normed(convolved(patches, "conv_root", (2, 3), 2), "gn_root", 1e-6).relu()
    x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1)), 3, 2)
    y = normed(convolved(x, "block1.conv1", (0, 0)), "block1.gn1", 1e-4).relu()
    y = normed(convolved(y, "block1.conv2", (1, 1)), "block1.gn2", 1e-4).relu()
    y = normed(convolved(y, "block1.conv3", (0, 0)), "block1.gn3", 1e-4)
    y = (y + normed(convolved(x, "block1.conv_proj", (0, 0)), "block1.gn_proj", 1e-4)).relu()
    rows = np.stack([one.numpy().transpose(1, 2, 0).ravel() for one in y])
    return torch.from_numpy(rows) @ tensors["embedding.weight"].T + tensors["embedding.bias"]


def layer(encoder: Mapping[str, Tensor], prefix: str) -> nn.TransformerEncoderLayer:
    made = nn.TransformerEncoderLayer(
        384, 6, 1152, activation="gelu", norm_first=True, batch_first=True, layer_norm_eps=1e-6
    ).eval()
    own = {name.removeprefix(prefix): one for name, one in encoder.items() if name.startswith(prefix)}
    for kind in ("weight", "bias"):
        getattr(made.self_attn, f"in_proj_{kind}").data = torch.cat(
            [own[f"attention.{part}.{kind}"] for part in ("query", "key", "value")]
        )
        for module, name in (
            (made.self_attn.out_proj, "attention.out"),
            (made.linear1, "mlp.fc1"),
            (made.linear2, "mlp.fc2"),
            (made.norm1, "norm1"),
            (made.norm2, "norm2"),
        ):
            getattr(module, kind).data = own[f"{name}.{kind}"]
    return made.requires_grad_(False)


@pytest.mark.parametrize("size", [(16, 80), (90, 25)])
def test_a_frames_score_does_not_depend_on_its_batch(network: Musiq, size: tuple[int, int]) -> None:
    several = frames(3, *size)
    together = network(several)
    alone = torch.cat([network(frame[None]) for frame in several])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(network(several.flip(0)), together.flip(0), atol=1e-4, rtol=1e-5)


def test_a_clips_scores_come_frame_by_frame_however_it_is_cut(
    install: Install, tensors: Mapping[str, Tensor], network: Musiq
) -> None:
    install(NAME, tensors)
    feature = FEATURES.get("musiq_frames")
    assert len(feature.weights_sha256) == 64
    several = frames(3, 16, 70)
    info = MemorySource(Clip(several.numpy(), 8.0)).info
    wanted = np.array([float(network(frame[None])) for frame in several], np.float32)
    for cuts in ([3], [1, 2]):
        accumulator, start = feature.start(info), 0
        for count in cuts:
            part = several[start : start + count].numpy()
            accumulator.update(Window(part, (start + np.arange(count)) / 8.0))
            start += count
        arrays = accumulator.finish().result()
        assert list(arrays) == ["score_T"]
        assert arrays["score_T"].dtype == np.float32
        np.testing.assert_allclose(arrays["score_T"], wanted, atol=1e-4)


def test_weights_that_are_not_there_have_no_hash_and_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEGEN_WEIGHTS", str(tmp_path))
    feature = FEATURES.get("musiq_frames")
    assert feature.weights_sha256 == ""
    info = MemorySource(Clip(frames(1, 32, 32).numpy(), 8.0)).info
    with pytest.raises(NotMeasurable, match="run `moviegen weights pull musiq-spaq`"):
        feature.start(info)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"head.weight": None}, "'head.weight' is absent in model.safetensors and 1×384 in the network"),
        ({"head.weight": torch.zeros(10, 384)}, "'head.weight' is 10×384 in model.safetensors and 1×384"),
        ({"head.0.weight": torch.zeros(10, 384)}, "'head.0.weight' is 10×384 in model.safetensors and absent"),
        ({"head.bias": torch.tensor([math.nan])}, "not finite, first in 'head.bias'"),
    ],
)
def test_another_networks_weights_are_refused(
    install: Install, tensors: Mapping[str, Tensor], change: Mapping[str, Tensor | None], says: str
) -> None:
    install(NAME, {name: one for name, one in (dict(tensors) | change).items() if one is not None})
    with pytest.raises(NotMeasurable) as caught:
        load_network(NAME, Musiq)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_changed_or_broke_off_is_refused(install: Install, tensors: Mapping[str, Tensor]) -> None:
    path = install(NAME, tensors) / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(NotMeasurable, match="run `moviegen weights verify musiq-spaq`"):
        load_network(NAME, Musiq)
    path.write_bytes(data[:-8])
    with pytest.raises(NotMeasurable, match="are incomplete"):
        load_network(NAME, Musiq)


def test_what_was_pulled_broken_is_refused(install: Install) -> None:
    """Its hash is right, and the file is not."""
    folder = install(NAME, {"head.bias": torch.zeros(1)})
    path, lock = folder / "model.safetensors", folder.with_name(f"{NAME}.lock.json")
    data = path.read_bytes()
    broken = b"\xff" * len(data)
    path.write_bytes(broken)
    was, now = (hashlib.sha256(one).hexdigest() for one in (data, broken))
    lock.write_text(lock.read_text().replace(was, now))
    with pytest.raises(NotMeasurable, match="is no safetensors file"):
        load_network(NAME, Musiq)


def test_half_precision_becomes_single(install: Install, tensors: Mapping[str, Tensor]) -> None:
    install(NAME, {name: tensor.half() for name, tensor in tensors.items()})
    assert {tensor.dtype for tensor in load_network(NAME, Musiq).state_dict().values()} == {torch.float32}
