"""The reader's feature: which frames it sees, at any rate, size and length, and what comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.case import Case
from eval.clip import Clip, MemorySource, Window
from eval.feature import FEATURES
from eval.features.backlot_reader import FRAMES, SIZE, BacklotReading, on_the_grid, squared
from eval.features.backlot_reader.factors import Factor
from eval.features.backlot_reader.weights import (
    ENCODER,
    Vocabulary,
    header_of,
    load_reader,
    shipped_reader,
    vocabulary,
    vocabulary_of,
    weights_sha256,
)
from eval.hashing import file_sha256
from eval.metric import METRICS
from eval.planner import score_clip
from eval.weights import Header, WeightsError, save_weights, shipped
from moviegen.backlot import render, sample_scene

SCENE = sample_scene(
    5, subject="cat", color="orange", action="jump", setting="park", light="day", other="none", count=1
)
TRUTH = {
    "scene": {name: value for name, value in SCENE.to_dict().items() if value is not None},
    "stated": ["subject", "color", "action", "setting"],
}


def test_frames_are_taken_from_a_grid_of_8_a_second() -> None:
    at_24 = [k / 24 for k in range(96)]
    assert on_the_grid(at_24, 1 / 24).tolist() == list(range(0, 96, 3))
    at_4 = [k / 4 for k in range(16)]
    assert on_the_grid(at_4, 1 / 4).tolist() == [k // 2 for k in range(32)]
    assert on_the_grid([0.0], 1 / 30).tolist() == [0]
    assert len(on_the_grid([k / 8 for k in range(32)], 1 / 8)) == FRAMES
    late = [k / 8 + 0.001 for k in range(16)]
    assert on_the_grid(late, 1 / 8).tolist() == list(range(16)), "a millisecond late is on time"


@pytest.mark.parametrize("shape", [(64, 64), (1, 1), (36, 64), (17, 300), (400, 30)])
def test_any_picture_is_seen_whole_and_square(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    picture[:, : shape[1] // 2] = 200
    seen = squared(picture)
    assert seen.shape == (SIZE, SIZE, 3)
    assert abs(float(seen.mean()) - float(picture.mean())) < 2
    assert not np.shares_memory(seen, picture)


def test_memory_does_not_grow_with_length() -> None:
    clip = Clip(np.zeros((8, 3, 64, 64), np.uint8), 8.0)
    reading = BacklotReading(MemorySource(clip).info)
    for second in range(1800):
        reading.update(Window(clip.frames_TCHW, second + np.arange(8) / 8))
    assert len(reading._frames) == FRAMES


def test_rows_and_cache_keys_name_the_reader_and_its_weights() -> None:
    feature = FEATURES.get("backlot_reading")
    assert (feature.encoder, feature.weights_sha256) == (ENCODER, file_sha256(shipped(ENCODER)))
    card = json.loads(shipped(ENCODER).with_suffix(".json").read_text())
    assert card["sha256"] == weights_sha256()
    metric = METRICS.get("backlot_prompt_accuracy")
    (score,) = score_clip(MemorySource(render(SCENE)), [metric], case=Case("c", truth=TRUTH)).scores
    assert (score.encoder, score.encoder_sha256) == (ENCODER, weights_sha256())


def test_each_factor_has_a_probability_for_each_of_its_classes() -> None:
    frames_THWC = np.ascontiguousarray(render(SCENE, sound=False).frames_TCHW.transpose(0, 2, 3, 1))
    found = shipped_reader().read(frames_THWC)
    assert set(found) == {factor.name for factor in vocabulary().factors}
    for factor in vocabulary().factors:
        assert found[factor.name].shape == (len(factor.classes),)
        assert found[factor.name].sum() == pytest.approx(1, abs=1e-5)
    subject = vocabulary().factor("subject")
    assert subject.classes[int(found["subject"].argmax())] == ("cat",)


def test_rate_and_size_hardly_change_what_is_read() -> None:
    """A clip on the edge between two values may fall either way: of 16 scenes' readings, 19 in 20 stay."""
    names = vocabulary().counted
    kept = []
    for seed in range(16):
        scene = sample_scene(seed)
        plain, *others = (
            shipped_reading(render(scene, width=size, height=size, fps=fps, frames=4 * fps, sound=False))
            for fps, size in ((8, 64), (24, 64), (8, 128))
        )
        kept += [plain[name] == other[name] for other in others for name in names]
    assert np.mean(kept) > 0.95


def shipped_reading(clip: Clip) -> dict[str, int]:
    """Factor → the class read, through the feature."""
    reading = BacklotReading(MemorySource(clip).info)
    reading.update(Window(clip.frames_TCHW, np.arange(len(clip.frames_TCHW)) / clip.fps))
    return {name: int(values.argmax()) for name, values in reading.finish().items()}


def test_cases_without_backlot_truth_are_skipped_before_anything_is_read() -> None:
    metric = METRICS.get("backlot_prompt_accuracy")
    for case in (None, Case("c"), Case("c", truth={"scene": TRUTH["scene"]})):
        scored = score_clip(MemorySource(render(SCENE)), [metric], case=case)
        assert scored.scores[0].status == "skipped"
        assert "truth has no '" in scored.scores[0].reason
        assert scored.computed == ()


FACTOR = Factor("beard", (("none",), ("full",)), {"shot": ("close-up",)}, {"subject": ("person",)})


def test_a_factor_counts_where_the_truth_shows_it() -> None:
    known = {"beard": "full", "shot": "close-up", "subject": "person"}
    assert FACTOR.applies(known)
    assert not FACTOR.applies({**known, "shot": "wide"})
    assert not FACTOR.applies({**known, "beard": None})
    assert FACTOR.label(known) == 1
    with pytest.raises(ValueError, match="none of the reader's classes"):
        FACTOR.label({"beard": "goatee"})
    ones = Factor("count", ((1,), (2,)))
    with pytest.raises(ValueError, match="none of"):
        ones.label({"count": True})


def test_the_vocabulary_travels_in_the_header(tmp_path: Path) -> None:
    words = Vocabulary((FACTOR,), ("beard",))
    header = header_of(words)
    assert vocabulary_of(Header(header.kind, header.preset, json.loads(json.dumps(header.details))), tmp_path) == words
    with pytest.raises(WeightsError, match="lacks the reader's vocabulary"):
        vocabulary_of(Header(ENCODER, "64px"), tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "reader.safetensors"
    save_weights(path, {"x": torch.zeros(2)}, header_of(vocabulary()), {})
    with pytest.raises(WeightsError, match="does not fit"):
        load_reader(path)
