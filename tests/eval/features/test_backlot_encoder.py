"""The encoder's feature: what it gives of clips of any rate, size and length, and what its weights say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eval.clip import Clip, MemorySource, Window
from eval.feature import FEATURES, Arrays
from eval.features.backlot_encoder import COMPONENTS, FRAMES, BacklotEncoding
from eval.features.backlot_encoder import weights as encoder_weights
from eval.features.backlot_encoder.network import COMPONENTS as NETWORKS_COMPONENTS
from eval.features.backlot_encoder.network import COORDINATES, Components, Standard
from eval.features.backlot_encoder.text import REACH, as_tensors
from eval.features.backlot_encoder.weights import (
    ENCODER,
    SET,
    header_of,
    load_encoder,
    reference_set,
    shipped_encoder,
    text_points,
    weights_sha256,
    words_of,
)
from eval.features.backlot_encoder.words import (
    LONGEST,
    TRIGRAMS,
    UNKNOWN,
    numbered,
    split_words,
    trigrams,
    word_lists,
)
from eval.hashing import file_sha256
from eval.weights import Header, WeightsError, save_weights, shipped
from moviegen.backlot import STYLES, caption, captions, render, sample_scene
from moviegen.backlot.contrasts import changed
from moviegen.training.encoder_export import FIRST_REFERENCE_SEED, reference_scene

SCENE = sample_scene(
    5, subject="cat", color="orange", action="jump", setting="park", light="day", other="none", count=1
)
BAR, HARD_BAR = 0.9, 0.85


def encoded(clip: Clip, cut: int = 100) -> Arrays:
    """The feature of a clip that comes in windows of `cut` frames."""
    encoding, times_s = BacklotEncoding(MemorySource(clip).info), np.arange(len(clip.frames_TCHW)) / clip.fps
    for first in range(0, len(times_s), cut):
        encoding.update(Window(clip.frames_TCHW[first : first + cut], times_s[first : first + cut]))
    return encoding.finish().result()


def shown(**changes: Any) -> Arrays:
    return encoded(render(replace(SCENE, **changes), sound=False))


@pytest.mark.parametrize("frames", [1, 3, 16, 32, 70])
def test_clips_of_any_length_give_points_of_length_one(frames: int) -> None:
    found = encoded(render(SCENE, frames=frames, sound=False))
    assert found["clip_D"].shape == (COORDINATES,)
    assert found["frames_TD"].shape == (frames, COORDINATES)
    assert found["set_D"].shape == (COMPONENTS,) == (NETWORKS_COMPONENTS,)
    assert all(array.dtype == np.float32 for name, array in found.items() if name != "times_T")
    assert np.linalg.norm(found["clip_D"]) == pytest.approx(1, abs=1e-5)
    assert np.allclose(np.linalg.norm(found["frames_TD"], axis=1), 1, atol=1e-5)
    assert np.allclose(found["times_T"], np.arange(frames) / 8)


def test_windows_do_not_matter_and_only_four_seconds_are_a_clip() -> None:
    clip = render(SCENE, frames=50, sound=False)
    whole = encoded(clip)
    for cut in (1, 7, 16):
        found = encoded(clip, cut)
        assert all(np.array_equal(found[name], whole[name]) for name in whole)
    start = encoded(Clip(clip.frames_TCHW[:FRAMES], clip.fps))
    assert np.array_equal(start["clip_D"], whole["clip_D"])
    assert np.array_equal(start["set_D"], whole["set_D"])


def test_a_frame_does_not_depend_on_its_clip() -> None:
    clip = render(SCENE, sound=False)
    alone = encoded(Clip(clip.frames_TCHW[20:21], clip.fps))
    assert np.allclose(encoded(clip)["frames_TD"][20], alone["frames_TD"][0], atol=1e-5)


def likeness(one: Arrays, other: Arrays, step: int = 1) -> tuple[float, float]:
    """Cosine of two clips, and the mean cosine of their frames; step: of the other's frames to one of the first's."""
    frames = np.sum(one["frames_TD"] * other["frames_TD"][::step], axis=1)
    return float(one["clip_D"] @ other["clip_D"]), float(frames.mean())


def test_another_subject_place_or_colour_shows_more_than_another_size_or_rate() -> None:
    plain = shown()
    changes = [{"subject": "ball", "action": "bounce"}, {"setting": "beach"}, {"color": "blue"}, {"light": "night"}]
    others = [likeness(plain, shown(**change)) for change in changes]
    forms = [(128, 8), (64, 24), (96, 16)]
    copies = [
        likeness(plain, encoded(render(SCENE, width=size, height=size, fps=fps, frames=4 * fps, sound=False)), fps // 8)
        for size, fps in forms
    ]
    for of_clips, of_frames in copies:
        assert of_clips > 0.95
        assert of_frames > 0.97
    assert max(of_clips for of_clips, _ in others) < 0.9
    assert max(of_frames for _, of_frames in others) < min(of_frames for _, of_frames in copies)
    assert np.mean([of_frames for _, of_frames in others]) < 0.9


def test_clips_lie_by_their_captions_and_farther_from_twins() -> None:
    hits = []
    for seed in range(900, 912):
        scene = sample_scene(seed, count=1, other="none")
        clip_D = encoded(render(scene, sound=False))["clip_D"]
        for factor in ("color", "setting", "action", "light"):
            twin = changed(scene, factor, 0.4)
            if twin is not None:
                right_D, wrong_D = text_points((caption(scene, "detailed"), caption(twin, "detailed")))
                hits.append(clip_D @ right_D > clip_D @ wrong_D)
    assert np.mean(hits) > 0.9


def test_phrasings_of_one_scene_lie_together() -> None:
    texts = [caption(sample_scene(seed), style) for seed in (1, 2, 3, 4) for style in ("plain", "noun", "place-first")]
    near = text_points(tuple(texts)) @ text_points(tuple(texts)).T
    same = np.kron(np.eye(4, dtype=bool), np.ones((3, 3), bool))
    assert near[same].min() > 0.9 > near[~same].max()


def test_unknown_words_are_read_by_their_letters() -> None:
    known, misspelt, other = text_points(
        ("a red elephant walking in a park", "a red elefant walking in a park", "a red ball walking in a park")
    )
    assert known @ misspelt > known @ other
    for odd in ("", "   ", "日本語", "🙂", "x" * 5000, "dog " * 3000):
        point_D = text_points((odd,))[0]
        assert np.linalg.norm(point_D) == pytest.approx(1, abs=1e-5)


def test_texts_do_not_depend_on_their_company() -> None:
    texts = captions(SCENE)
    together, alone = text_points(texts), np.concatenate([text_points((text,)) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)
    assert not together.flags.writeable


def test_words_are_split_numbered_and_spelt() -> None:
    assert split_words("A Dog, in the Snow!") == ("a", "dog", ",", "in", "the", "snow", "!")
    assert split_words("") == ("",)
    assert len(split_words("word " * 1000)) == LONGEST
    numbers = numbered(["dog", "runs"])
    lists = word_lists(["dog runs", "dog zooms dog"], numbers)
    assert lists.words_U.tolist() == [1, 2, UNKNOWN]
    assert lists.rows == ((0, 1), (0, 2, 0))
    assert lists.trigrams_UG.shape == (3, TRIGRAMS)
    assert trigrams("cat")[:3] != trigrams("dog")[:3]
    assert trigrams("cat")[3:] == (0,) * (TRIGRAMS - 3)
    assert all(trigrams("extraordinarily"))


def test_texts_lie_apart_by_more_than_a_window() -> None:
    read = as_tensors(word_lists(["dog runs", "cat"], numbered(["dog", "runs", "cat"])))
    assert read.places_X.tolist() == [0] * REACH + [1, 2] + [0] * 2 * REACH + [3] + [0] * REACH
    assert read.lengths_B.tolist() == [2 + 2 * REACH, 1 + 2 * REACH]


def test_components_are_those_of_the_covariance() -> None:
    torch.manual_seed(0)
    features = torch.randn(400, 24) @ torch.diag(torch.arange(24, 0, -1.0))
    standard, components = Standard(24), Components(24)
    standard.fit(features)
    assert torch.allclose(standard(features).mean(dim=0), torch.zeros(24), atol=1e-5)
    assert torch.allclose(standard(features).std(dim=0), torch.ones(24), atol=1e-2)
    kept = components.fit(features - features.mean(dim=0))
    spread = components(features).std(dim=0)
    assert (spread[:-1] >= spread[1:]).all()
    variances = torch.linalg.svdvals(features - features.mean(dim=0)) ** 2
    assert kept == pytest.approx(float(variances[:COMPONENTS].sum() / variances.sum()), abs=1e-4)


def test_rows_and_cache_keys_name_the_encoder_and_its_weights() -> None:
    feature = FEATURES.get("backlot_encoding")
    assert (feature.encoder, feature.weights_sha256) == (ENCODER, file_sha256(shipped(ENCODER)))


def test_the_card_belongs_to_the_weights_and_meets_the_bars() -> None:
    path = shipped(ENCODER)
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == weights_sha256()
    assert card["bytes"] == path.stat().st_size < 10e6
    assert card["parameters"] == sum(p.numel() for p in shipped_encoder().encoder.parameters())
    assert "of backlot-reader" in card["trunk"]
    assert "err alike" in card["limits"]
    for style in (*STYLES, "all in turn"):
        assert min(card["held_out"][style].values()) >= BAR, style
    assert min(card["all"]["text"], card["all"]["clip"]) >= HARD_BAR


def test_the_reference_set_is_what_the_encoder_sees_in_its_scenes() -> None:
    set_ND = reference_set()
    card = json.loads(shipped(SET).with_suffix(".json").read_text())
    assert set_ND.shape == (1024, COMPONENTS)
    assert set_ND.dtype == np.float32
    assert not set_ND.flags.writeable
    assert card["needs"] == weights_sha256()
    assert str(FIRST_REFERENCE_SEED) in card["data"]
    for number in (0, 1, 7):
        clip = render(reference_scene(number), sound=False)
        # The set was made from features kept in half precision.
        assert np.allclose(encoded(clip)["set_D"], set_ND[number], atol=0.1)


def test_a_reference_set_of_another_encoder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"{SET}.safetensors"
    save_weights(path, {"set_NP": torch.zeros(4, 16)}, Header(SET, "16", needs="0" * 64), {})
    monkeypatch.setattr(encoder_weights, "shipped", lambda _: path)
    with pytest.raises(WeightsError, match="made by another encoder"):
        reference_set.__wrapped__()


def test_the_vocabulary_travels_in_the_header(tmp_path: Path) -> None:
    header = header_of(("dog", "runs"))
    assert words_of(Header(header.kind, header.preset, json.loads(json.dumps(header.details))), tmp_path) == (
        "dog",
        "runs",
    )
    for details in ({}, {"words": "dog"}, {"words": [1, 2]}):
        with pytest.raises(WeightsError, match="lacks the encoder's vocabulary"):
            words_of(Header(ENCODER, "64px", details), tmp_path)


def test_weights_of_another_network_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    save_weights(path, {"x": torch.zeros(2)}, header_of(("dog",)), {})
    with pytest.raises(WeightsError, match="does not fit"):
        load_encoder(path)
    path.write_bytes(shipped(ENCODER).read_bytes()[:100_000])
    with pytest.raises(WeightsError, match="damaged"):
        load_encoder(path)
