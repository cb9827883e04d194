"""The text branches: what each sees, how they are joined, and the paper's encoders through transformers."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import torch

from moviegen.networks import open_text
from moviegen.networks.open_text import OpenEncoder, OpenText, OpenTextConfig, OpenTextError, quoted_text
from moviegen.networks.text import SmallText, SmallTextConfig, TextProjection
from moviegen.networks.transformer import TransformerConfig
from moviegen.networks.video_model import VideoModel

CONFIG = SmallTextConfig(width=16, layers=2, heads=2, letter_width=8, bag_tokens=3, words=12)
TRANSFORMER = TransformerConfig(
    layers=1, width=32, feed_forward=32, heads=2, in_channels=8, out_channels=8, max_t=4, max_h=4, max_w=4
)


def _text() -> SmallText:
    torch.manual_seed(0)
    return SmallText(CONFIG)


def test_three_branches_stand_one_after_the_other() -> None:
    features = _text()(["a dog runs", "a cat"])
    assert [x.shape for x, _ in features] == [(2, 3, 16), (2, 3, 16), (2, 3, 8)]
    tokens_BSD, mask_BS = TextProjection(CONFIG.widths, 32)(features)
    assert tokens_BSD.shape == (2, 9, 32)
    assert mask_BS.tolist() == [[True] * 9, [True, True, False, True, True, True, True, True, False]]


def test_each_branch_has_its_own_projection_and_norm() -> None:
    projection = TextProjection(CONFIG.widths, 32)
    expected = sum(width * 32 + 32 + 64 for width in CONFIG.widths)
    assert sum(p.numel() for p in projection.parameters()) == expected


def test_the_semantic_branch_reads_order_and_the_visual_one_does_not() -> None:
    text = _text()
    (one, _), (bag_one, _), _ = text(["red dog blue box"])
    (other, _), (bag_other, _), _ = text(["blue dog red box"])
    assert (one[0, 1] - other[0, 1]).abs().max() > 1e-4
    torch.testing.assert_close(bag_one, bag_other)


def test_unknown_words_differ_by_their_spelling_alone() -> None:
    text = _text()
    (one, _), (bag_one, _), (letters_one, _) = text(["a dragon"])
    (other, _), (bag_other, _), (letters_other, _) = text(["a wyvern"])
    assert torch.equal(one, other)
    assert torch.equal(bag_one, bag_other)
    assert (letters_one - letters_other).abs().max() > 1e-4


def test_padding_beside_a_longer_prompt_changes_nothing() -> None:
    text = _text()
    alone, beside = text(["a dog"]), text(["a dog", "a cat walks along a beach at night"])
    for (x, mask), (y, mask_y) in zip(alone, beside, strict=True):
        size = mask.shape[1]
        torch.testing.assert_close(x[0], y[0, :size])
        assert torch.equal(mask[0], mask_y[0, :size])


def test_a_prompt_and_the_frame_rate_both_reach_the_condition() -> None:
    model = VideoModel(TRANSFORMER, CONFIG)
    empty, slow, fast = model.condition([""], 8), model.condition(["a dog"], 8), model.condition(["a dog"], 9)
    assert empty.mask_BS.any(1).all()
    assert slow.tokens_BSD.shape == fast.tokens_BSD.shape
    assert not torch.equal(slow.tokens_BSD, fast.tokens_BSD)
    assert model(torch.randn(1, 4, 1, 2, 2), torch.rand(1), empty).shape == (1, 4, 1, 2, 2)


def test_the_longest_prompt_makes_the_stated_number_of_tokens() -> None:
    condition = VideoModel(TRANSFORMER, CONFIG).condition(["dog " * 10_000], 8)
    assert condition.tokens_BSD.shape[1] == CONFIG.longest


def test_the_papers_encoders_have_their_widths() -> None:
    config = OpenTextConfig()
    assert [e.name for e in config.encoders] == ["UL2", "Long-prompt MetaCLIP", "ByT5"]
    assert config.widths == (4096, 1280, 1472)
    assert config.longest == 868


def test_only_quoted_text_is_spelt_out() -> None:
    assert quoted_text('A sign says "OPEN" and “late”; it\'s red') == "OPEN late"
    assert quoted_text("A dog") == ""


def test_missing_parts_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OpenTextConfig().semantic
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(OpenTextError, match=r"UL2 needs transformers: pip install 'moviegen-bench\[open\]'"):
        open_text.load(encoder, tmp_path)


def test_frozen_encoders_condition_the_model_and_are_not_part_of_it(tmp_path: Path) -> None:
    """A tiny ByT5 from a folder in all three places: neither trained nor saved; widths are checked."""
    transformers = pytest.importorskip("transformers")
    sizes = {"d_model": 24, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2, "vocab_size": 384}
    transformers.T5EncoderModel(transformers.T5Config(**sizes)).save_pretrained(tmp_path)
    transformers.ByT5Tokenizer().save_pretrained(tmp_path)
    encoder = OpenEncoder("tiny", "nowhere", "t5", 24, 20)
    config = OpenTextConfig(encoder, encoder, dataclasses.replace(encoder, quoted_only=True))
    encoders = OpenText([open_text.load(each, tmp_path) for each in config.encoders])
    model = VideoModel(TRANSFORMER, config, encoders)
    condition = model.condition(["a dog", 'a sign says "hi"'], 8)
    assert condition.tokens_BSD.shape == (2, 20 + 20 + 3, 32)
    assert not any("network" in name for name, _ in model.named_parameters())
    with pytest.raises(OpenTextError, match="is 24 wide; UL2 is 4096 wide"):
        open_text.load(OpenTextConfig().semantic, tmp_path)
    with pytest.raises(OpenTextError, match="holds no text encoder"):
        open_text.load(encoder, tmp_path / "absent")
