from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch.nn import functional

from eval.encoders.open.runners import runner
from eval.encoders.open.text import TOKENS, prompted_text_features, text_features
from eval.encoders.open.weights import load_tokenizer
from eval.encoders.open.xclip import small
from eval.feature import NotMeasurable

Pull = Callable[..., Path]
PROMPT = "a red dog runs on the beach"
TOWERS = [("clip-vit-b-32", "CLIPModel"), ("clip-vit-l-14", "CLIPModel"), ("xclip-b-32", "XCLIPModel"),
          ("clap", "ClapModel")]  # fmt: skip


@pytest.mark.parametrize(("name", "of"), TOWERS)
def test_features_are_those_of_transformers_of_unit_length(pull_small: Pull, name: str, of: str) -> None:
    network = getattr(transformers, of).from_pretrained(pull_small(name) / name).eval()
    tokens = torch.tensor([load_tokenizer(name, TOKENS)(PROMPT)])
    with torch.inference_mode():
        wanted = functional.normalize(network.get_text_features(input_ids=tokens).pooler_output[0], dim=0)
    found = text_features(name, PROMPT)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-6)
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-6)


def test_padding_changes_nothing(pull_small: Pull) -> None:
    """CLIP pads to 77 tokens; behind the end token nothing is attended to."""
    folder = pull_small("clip-vit-b-32")
    network = transformers.CLIPModel.from_pretrained(folder / "clip-vit-b-32").eval()
    tokens = load_tokenizer("clip-vit-b-32", TOKENS)(PROMPT)
    padded = torch.tensor([tokens + [0] * (TOKENS - len(tokens))])
    with torch.inference_mode():
        wanted = functional.normalize(network.get_text_features(input_ids=padded).pooler_output[0], dim=0)
    np.testing.assert_allclose(text_features("clip-vit-b-32", PROMPT), wanted.numpy(), atol=1e-6)


def test_long_prompts_are_cut_to_77_tokens_and_keep_their_end(pull_small: Pull) -> None:
    pull_small("clip-vit-b-32")
    tokenize = load_tokenizer("clip-vit-b-32", TOKENS)
    short, long = tokenize("dog " * 75), tokenize("dog " * 500 + "cat")
    assert len(short) == len(long) == TOKENS
    assert short == long
    assert long[0] == tokenize("cat")[0]
    assert long[-1] == tokenize("cat")[-1]
    assert np.array_equal(text_features("clip-vit-b-32", "dog " * 75), text_features("clip-vit-b-32", "dog " * 500))


def test_prompts_are_encoded_once_and_cannot_be_written_over(pull_small: Pull) -> None:
    pull_small("clip-vit-b-32")
    first = text_features("clip-vit-b-32", PROMPT)
    assert text_features("clip-vit-b-32", PROMPT) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_xclip_prompts_the_text_with_the_clip(pull_small: Pull) -> None:
    """Similarity to a prompted text, over the temperature, is what X-CLIP's forward gives."""
    network: Any = transformers.XCLIPModel.from_pretrained(pull_small("xclip-b-32") / "xclip-b-32").eval()
    frames = np.random.default_rng(3).integers(0, 256, (8, 3, 50, 90), dtype=np.uint8)
    row = runner("xclip-b-32").submit(small(frames)[None]).result()[0]
    clip_D, patches_PD = row[0] / np.linalg.norm(row[0]), row[1:]
    from eval.encoders.open.preprocess import videomae_input

    pixels = videomae_input(torch.from_numpy(frames))[None]
    for prompt in (PROMPT, "a blue cat sleeps", "two fox city"):
        tokens = torch.tensor([load_tokenizer("xclip-b-32", TOKENS)(prompt)])
        with torch.inference_mode():
            logits = network(input_ids=tokens, pixel_values=pixels).logits_per_video / network.logit_scale.exp()
        text_D = prompted_text_features("xclip-b-32", prompt, patches_PD)
        assert float(clip_D @ text_D) == pytest.approx(float(logits[0, 0]), abs=1e-5)
        assert not np.allclose(text_D, text_features("xclip-b-32", prompt), atol=1e-3)


def test_missing_weights_and_nan_are_not_measurable(pull_small: Pull, checkpoints: Any) -> None:
    folder = pull_small()
    with pytest.raises(NotMeasurable, match="run `moviegen weights pull clap`"):
        text_features("clap", PROMPT)
    pull_small("clap")
    path = folder / "clap" / "model.safetensors"
    tensors = load_file(path)
    tensors["text_projection.linear2.bias"][:] = float("nan")
    save_file(tensors, path, metadata={"format": "pt"})
    checkpoints.lock_folder("clap", folder)
    with pytest.raises(NotMeasurable, match="NaN"):
        text_features("clap", PROMPT)
