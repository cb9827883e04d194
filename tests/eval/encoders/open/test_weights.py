"""What is loaded, and what is refused in one line: the rules for weights that come from strangers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from eval.encoders.local import state
from eval.encoders.open.architectures import ARCHITECTURES, check_architecture
from eval.encoders.open.runners import runner
from eval.encoders.open.text import text_features
from eval.encoders.open.weights import load_program, load_tokenizer, load_transformers, verified
from eval.encoders.registry import ENCODERS
from eval.feature import NotMeasurable

Pull = Callable[..., Path]
CLIP = "clip-vit-b-32"
TOWER = "CLIPVisionModelWithProjection"


@pytest.fixture
def clip(pull_small: Pull) -> Path:
    """The weights folder with a small CLIP in it."""
    return pull_small(CLIP)


@pytest.fixture
def change(checkpoints: Any) -> Callable[..., None]:
    """change(folder, tensors) rewrites the tensors of CLIP, and pins what comes out, as a pull of it would."""

    def rewrite(folder: Path, how: Callable[[dict[str, torch.Tensor]], None]) -> None:
        path = folder / CLIP / "model.safetensors"
        tensors = load_file(path)
        how(tensors)
        save_file(tensors, path, metadata={"format": "pt"})
        checkpoints.lock_folder(CLIP, folder)

    return rewrite


def refusal(work: Callable[[], object]) -> str:
    """The one line of a NotMeasurable."""
    with pytest.raises(NotMeasurable) as caught:
        work()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_every_tensor_is_the_files(clip: Path) -> None:
    stored = load_file(clip / CLIP / "model.safetensors")
    network = load_transformers(CLIP, TOWER)
    own = dict(network.named_parameters())
    assert len(own) > 10
    for name, parameter in own.items():
        assert torch.equal(parameter, stored[name]), name
        assert not parameter.requires_grad
    assert not network.training


def test_half_precision_is_loaded_as_single(clip: Path, change: Callable[..., None]) -> None:
    change(clip, lambda tensors: tensors.update({name: tensor.half() for name, tensor in tensors.items()}))
    assert {parameter.dtype for parameter in load_transformers(CLIP, TOWER).parameters()} == {torch.float32}


def test_missing_weights_name_the_command(pull_small: Pull) -> None:
    pull_small()
    assert refusal(lambda: verified(CLIP)).endswith(f"run `moviegen weights pull {CLIP}`")


def test_without_transformers_the_pip_command_is_named(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert 'pip install "transformers>=5"' in refusal(lambda: load_transformers(CLIP, TOWER))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert "pip install" in refusal(lambda: load_tokenizer(CLIP, 77))


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_that_changed_since_it_was_pulled_is_refused(clip: Path, file: str) -> None:
    path = clip / CLIP / file
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    assert state(ENCODERS.get(CLIP), clip) == "present", "names and sizes alone do not tell"
    load = (lambda: load_tokenizer(CLIP, 77)) if file == "tokenizer.json" else (lambda: load_transformers(CLIP, TOWER))
    assert f"{file} was changed since it was pulled" in refusal(load)


def test_a_truncated_file_is_refused_also_where_it_was_pulled_so(clip: Path, checkpoints: Any) -> None:
    path = clip / CLIP / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "incomplete" in refusal(lambda: load_transformers(CLIP, TOWER))
    checkpoints.lock_folder(CLIP, clip)
    assert "cannot be used" in refusal(lambda: load_transformers(CLIP, TOWER))


def test_a_missing_tensor_is_refused_and_not_filled_with_random_numbers(
    clip: Path, change: Callable[..., None]
) -> None:
    gone = "vision_model.encoder.layers.0.mlp.fc1.weight"
    change(clip, lambda tensors: tensors.pop(gone))
    assert gone in refusal(lambda: load_transformers(CLIP, TOWER))
    text_features(CLIP, "a red dog")  # the other tower lacks nothing


def test_a_misshapen_tensor_is_refused(clip: Path, change: Callable[..., None]) -> None:
    change(clip, lambda tensors: tensors.update({"visual_projection.weight": torch.zeros(8, 17)}))
    assert "visual_projection.weight" in refusal(lambda: load_transformers(CLIP, TOWER))


def test_another_size_of_the_same_family_is_refused(clip: Path, checkpoints: Any) -> None:
    shutil.copytree(clip / CLIP, clip / "clip-vit-l-14")
    checkpoints.lock_folder("clip-vit-l-14", clip)
    message = refusal(lambda: load_transformers("clip-vit-l-14", TOWER))
    assert "another network: vision_config.hidden_size is 16, not 1024" in message


def test_another_family_is_refused(clip: Path, pull_small: Pull, checkpoints: Any) -> None:
    pull_small("dino-vit-b-16")
    for file in ("config.json", "model.safetensors"):
        shutil.copy(clip / "dino-vit-b-16" / file, clip / CLIP / file)
    checkpoints.lock_folder(CLIP, clip)
    assert "another network: model_type is 'vit'" in refusal(lambda: load_transformers(CLIP, TOWER))


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("quantization_config", {"quant_method": "bitsandbytes", "load_in_8bit": True}, "quantised"),
        ("auto_map", {"AutoModel": "evil.Model"}, None),
        ("_attn_implementation", "somebody/evil-kernel", None),
        ("vision_config", {"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000"),
    ],
)
def test_a_configuration_cannot_bring_code_or_another_network(
    clip: Path, checkpoints: Any, entry: str, value: object, says: str | None
) -> None:
    path = clip / CLIP / "config.json"
    config = json.loads(path.read_text())
    config[entry] = {**config[entry], **value} if isinstance(value, dict) and entry in config else value
    path.write_text(json.dumps(config))
    checkpoints.lock_folder(CLIP, clip)
    if says is None:
        assert type(load_transformers(CLIP, TOWER)) is transformers.CLIPVisionModelWithProjection
    else:
        assert says in refusal(lambda: load_transformers(CLIP, TOWER))


def test_a_damaged_tokenizer_is_refused(clip: Path, checkpoints: Any) -> None:
    (clip / CLIP / "tokenizer.json").write_text("{}")
    checkpoints.lock_folder(CLIP, clip)
    assert "cannot be used" in refusal(lambda: load_tokenizer(CLIP, 77))


def test_a_failed_load_is_not_tried_again(clip: Path, change: Callable[..., None], monkeypatch: Any) -> None:
    change(clip, lambda tensors: tensors.pop("visual_projection.weight"))
    first = refusal(lambda: runner(CLIP))
    monkeypatch.setattr("eval.encoders.open.pictures.load_transformers", lambda *_: pytest.fail("loaded again"))
    assert refusal(lambda: runner(CLIP)) == first


def test_the_published_configurations_pass_and_others_do_not() -> None:
    """transformers' defaults are those of the published networks, but for the ones given here."""
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "patch_size": 14}
    published = {
        "clip-vit-b-32": transformers.CLIPConfig(),
        "clip-vit-l-14": transformers.CLIPConfig(
            vision_config=large, text_config={"hidden_size": 768}, projection_dim=768
        ),
        "dino-vit-b-16": transformers.ViTConfig(),
        "dinov2-vit-b-14": transformers.Dinov2Config(image_size=518),
        "videomae-vit-b": transformers.VideoMAEConfig(),
        "vjepa2-vit-l": transformers.VJEPA2Config(),
        "xclip-b-32": transformers.XCLIPConfig(),
        "clap": transformers.ClapConfig(),
    }
    assert published.keys() == ARCHITECTURES.keys()
    for name, config in published.items():
        check_architecture(name, config)
    for name, other in (("dino-vit-b-16", transformers.ViTConfig(hidden_size=384)), (CLIP, published["clip-vit-l-14"]),
                        ("dinov2-vit-b-14", transformers.Dinov2Config())):  # fmt: skip
        assert "another network" in refusal(lambda name=name, other=other: check_architecture(name, other))


def test_a_program_is_loaded_only_from_the_pinned_bytes(pull_small: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pull_small("i3d-k400")
    assert isinstance(load_program("i3d-k400"), torch.jit.ScriptModule)
    path = folder / "i3d-k400" / "i3d_torchscript.pt"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was loaded, and so run"))
    assert "changed since it was pulled" in refusal(lambda: load_program("i3d-k400"))


def test_a_program_that_nobody_pulled_is_not_loaded(pull_small: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull of an unknown program asks for --trust-code; a file that was only put there has no lock."""
    folder = pull_small("i3d-k400")
    (folder / "i3d-k400.lock.json").unlink()
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was loaded, and so run"))
    assert "moviegen weights pull i3d-k400" in refusal(lambda: load_program("i3d-k400"))


def test_a_damaged_program_is_one_line(pull_small: Pull, checkpoints: Any) -> None:
    folder = pull_small("i3d-k400")
    (folder / "i3d-k400" / "i3d_torchscript.pt").write_bytes(b"PK\x03\x04 not a program")
    checkpoints.lock_folder("i3d-k400", folder)
    assert "cannot be used" in refusal(lambda: load_program("i3d-k400"))
