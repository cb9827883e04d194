"""The feature cache: what comes back is what went in, under a key of everything that can change it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.cache import TEMPORARY, FeatureCache, FeatureKey, write_atomically
from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import score_clip

KEY = FeatureKey("ab" * 32, "flow", 1)


@pytest.mark.parametrize(
    "array",
    [
        np.array(3.5),
        np.array(7, np.int64),
        np.zeros(0),
        np.arange(6.0).reshape(2, 3).T,
        np.array([True, False]),
        np.array([np.nan, np.inf]),
        np.arange(4, dtype=np.uint8),
    ],
)
def test_arrays_come_back_with_their_shape_type_and_bits(array: np.ndarray, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put(KEY, {"x": array})
    back = cache.get(KEY)
    assert back is not None
    assert (back["x"].shape, back["x"].dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(back["x"], array)


def test_another_clip_version_or_weights_is_another_key(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.put(KEY, {"x": np.ones(1)})
    for other in (
        FeatureKey("cd" * 32, "flow", 1),
        FeatureKey("ab" * 32, "tones", 1),
        FeatureKey("ab" * 32, "flow", 2),
        FeatureKey("ab" * 32, "flow", 1, "ee" * 32),
    ):
        assert cache.get(other) is None


def test_every_metric_is_the_same_from_the_cache(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    audio_CN = random.uniform(-1, 1, (2, 32_000)).astype(np.float32)
    clip = Clip(random.integers(0, 256, (16, 3, 48, 64), dtype=np.uint8), 8.0, audio_CN, 16_000)
    cache = FeatureCache(tmp_path)
    fresh = score_clip(MemorySource(clip), METRICS, cache=cache)
    cached = score_clip(MemorySource(clip), METRICS, cache=cache)
    assert (fresh.decodes, cached.decodes) == (1, 0)
    told = [(s.metric, s.value, s.status, s.reason) for s in fresh.scores]
    assert [(s.metric, s.value, s.status, s.reason) for s in cached.scores] == told


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def no_space(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(TEMPORARY)]
