"""The planner: one decode, each feature once, gaps with reasons, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from eval.cache import FeatureCache, FeatureKey
from eval.case import Case
from eval.clip import Clip, ClipError, ClipInfo, MemorySource, SoundChunk, StreamFacts, Window
from eval.feature import FEATURES, Arrays, Feature, NotMeasurable, Sampling
from eval.metric import Measured, Metric, MetricSpec
from eval.planner import score_clip


def make_clip(frames: int = 12, *, sound: bool = True, fps: float = 8.0) -> Clip:
    random = np.random.default_rng(3)
    frames_TCHW = random.integers(0, 256, (frames, 3, 32, 48), dtype=np.uint8)
    audio_CN = random.uniform(-0.3, 0.3, (1, int(16_000 * frames / fps))).astype(np.float32)
    return Clip(frames_TCHW, fps, audio_CN, 16_000) if sound else Clip(frames_TCHW, fps)


class Counting:
    """A source that counts how often it is streamed."""

    def __init__(self, clip: Clip, window: int | None = None) -> None:
        self._inner = MemorySource(clip, window=window)
        self.streams = 0

    @property
    def info(self) -> ClipInfo:
        return self._inner.info

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        self.streams += 1
        yield from self._inner.stream(picture=picture, sound=sound)


class Breaking(Counting):
    """A source that breaks off after its first window."""

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        yield next(iter(self._inner.stream(picture=picture, sound=sound)))
        raise ClipError("clip: breaks off after 2 frames")


@dataclass
class Brightness:
    """Sum and count of bytes, and how often it was started."""

    started: list[int]
    total: float = 0.0
    count: int = 0

    def update(self, window: Window) -> None:
        self.total += float(window.frames_TCHW.sum())
        self.count += window.frames_TCHW.size

    def finish(self) -> Arrays:
        return {"mean": np.array([self.total / self.count])}


class Refusing:
    def update(self, window: Window) -> None:
        raise NotMeasurable("too short for this")

    def finish(self) -> Arrays:
        return {}


class Buggy:
    def update(self, window: Window) -> None:
        raise KeyError("oops")

    def finish(self) -> Arrays:
        return {}


class Loudest:
    def __init__(self) -> None:
        self.peak = 0.0

    def update(self, chunk: SoundChunk) -> None:
        self.peak = max(self.peak, float(np.abs(chunk.audio_CN).max(initial=0)))

    def finish(self) -> Arrays:
        return {"peak": np.array([self.peak])}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Registers the features of this file for one test; gives the list that counts starts of `brightness`."""
    log: list[int] = []

    def start(_info: ClipInfo) -> Brightness:
        log.append(1)
        return Brightness(log)

    FEATURES.names()  # load the real ones before they are copied
    parts = dict(FEATURES._parts)
    parts["t_brightness"] = Feature("t_brightness", 1, "picture", start)
    parts["t_slow"] = Feature("t_slow", 1, "picture", lambda _: Brightness([]), Sampling(fps=4))
    parts["t_refusing"] = Feature("t_refusing", 1, "picture", lambda _: Refusing())
    parts["t_buggy"] = Feature("t_buggy", 1, "picture", lambda _: Buggy())
    parts["t_loudest"] = Feature("t_loudest", 1, "sound", lambda _: Loudest())
    monkeypatch.setattr(FEATURES, "_parts", parts)
    return log


def make_metric(name: str, needs: tuple[str, ...], value: object = None, **changes: object) -> Metric:
    spec = MetricSpec(name, 1, "picture", "1", 0.0, 255.0, "band", needs, "test", "test", "test")

    def function(measured: Measured) -> float:
        if isinstance(value, Exception):
            raise value
        if value is not None:
            return float(value)  # type: ignore[arg-type]
        (array,) = measured[needs[0]].values()
        return float(array[0])

    return Metric(replace(spec, **changes), function)  # type: ignore[arg-type]


def test_metrics_that_share_a_feature_cost_one_decode_and_one_computation(started: list[int]) -> None:
    source = Counting(make_clip())
    result = score_clip(source, [make_metric(f"m{i}", ("t_brightness",)) for i in range(5)])
    assert source.streams == result.decodes == 1
    assert len(started) == 1
    expected = make_clip().frames_TCHW.mean()
    assert [s.value for s in result.scores] == pytest.approx([expected] * 5)


def test_everything_cached_means_no_decode_and_one_more_metric_costs_only_itself(
    started: list[int], tmp_path: Path
) -> None:
    cache = FeatureCache(tmp_path)
    source = Counting(make_clip())
    one, two = make_metric("one", ("t_brightness",)), make_metric("two", ("t_slow",))
    first = score_clip(source, [one], cache=cache)
    again = score_clip(source, [one], cache=cache)
    assert (first.decodes, again.decodes, source.streams) == (1, 0, 1)
    assert again.scores[0].value == first.scores[0].value
    assert again.facts == first.facts
    more = score_clip(source, [one, two], cache=cache)
    assert (more.decodes, more.computed) == (1, ("t_slow",))


def test_features_may_be_wanted_without_a_metric(started: list[int], tmp_path: Path) -> None:
    metrics, cache = [make_metric("one", ("t_brightness",))], FeatureCache(tmp_path)
    result = score_clip(
        MemorySource(make_clip(sound=False)),
        metrics,
        cache=cache,
        also=("t_brightness", "t_slow", "t_refusing", "t_loudest"),
    )
    assert [score.metric for score in result.scores] == ["one"]
    assert set(result.features) == {"t_brightness", "t_slow"}
    assert result.unmeasured == {"t_refusing": "too short for this", "t_loudest": "the clip has no sound"}
    assert result.decodes == 1
    again = score_clip(MemorySource(make_clip(sound=False)), [], cache=cache, also=("t_slow",))
    assert (again.decodes, again.computed, set(again.features)) == (0, (), {"t_slow"})


def test_a_damaged_cache_file_is_computed_again(started: list[int], tmp_path: Path) -> None:
    cache, clip = FeatureCache(tmp_path), make_clip()
    metric = make_metric("one", ("t_brightness",))
    first = score_clip(MemorySource(clip), [metric], cache=cache)
    key = FeatureKey(MemorySource(clip).info.sha256, "t_brightness", 1)
    (tmp_path / key.path).write_bytes(b"not safetensors")
    again = score_clip(MemorySource(clip), [metric], cache=cache)
    assert again.decodes == 1
    assert again.scores[0].value == first.scores[0].value


@pytest.mark.parametrize("window", [1, 2, 5, 64])
def test_results_do_not_depend_on_windows(started: list[int], window: int) -> None:
    metrics = [make_metric("one", ("t_brightness",)), make_metric("two", ("t_slow",)), make_metric("s", ("t_loudest",))]
    whole = score_clip(MemorySource(make_clip()), metrics)
    cut = score_clip(MemorySource(make_clip(), window=window), metrics)
    assert [s.value for s in cut.scores] == pytest.approx([s.value for s in whole.scores], rel=1e-12)


def test_the_view_of_a_feature_is_sampled(started: list[int]) -> None:
    clip = make_clip()
    (score,) = score_clip(MemorySource(clip), [make_metric("slow", ("t_slow",))]).scores
    assert score.value == pytest.approx(clip.frames_TCHW[::2].mean())


def test_each_gap_has_its_own_reason_and_harms_nobody_else(started: list[int]) -> None:
    metrics = [
        make_metric("fine", ("t_brightness",)),
        make_metric("refused", ("t_refusing",)),
        make_metric("buggy", ("t_buggy",)),
        make_metric("function_refuses", ("t_brightness",), NotMeasurable("one frame only")),
        make_metric("function_breaks", ("t_brightness",), ZeroDivisionError("division by zero")),
        make_metric("nan", ("t_brightness",), float("nan")),
        make_metric("out_of_range", ("t_brightness",), 300.0),
        make_metric("deaf", ("t_loudest",), needs_sound=True),
    ]
    result = score_clip(MemorySource(make_clip(sound=False)), metrics)
    found = {s.metric: (s.status, s.value is None, s.reason) for s in result.scores}
    assert found["fine"][0] == "ok"
    assert found["refused"] == ("skipped", True, "too short for this")
    assert found["buggy"][:2] == ("failed", True)
    assert "t_buggy" in found["buggy"][2]
    assert found["function_refuses"] == ("skipped", True, "one frame only")
    assert found["function_breaks"][:2] == ("failed", True)
    assert "division by zero" in found["function_breaks"][2]
    assert found["nan"][:2] == ("failed", True)
    assert "outside its range" in found["out_of_range"][2]
    assert found["deaf"] == ("skipped", True, "the clip has no sound")


def test_a_metric_whose_truth_is_lacking_costs_nothing(started: list[int]) -> None:
    metric = make_metric("knowing", ("t_brightness",), needs_truth=("scene", "stated"))
    for truth in (None, {"scene": {}}):
        result = score_clip(MemorySource(make_clip()), [metric], case=Case("c", truth=truth))
        assert result.scores[0].status == "skipped"
        assert f"truth has no '{'stated' if truth else 'scene'}'" in result.scores[0].reason
    assert score_clip(MemorySource(make_clip()), [metric]).scores[0].status == "skipped"
    assert started == []
    told = Case("c", truth={"scene": {}, "stated": []})
    assert score_clip(MemorySource(make_clip()), [metric], case=told).scores[0].status == "ok"


def test_a_clip_that_breaks_off_fails_every_metric_and_caches_nothing(started: list[int], tmp_path: Path) -> None:
    metrics = [make_metric("one", ("t_brightness",)), make_metric("needs_nothing", (), 1.0)]
    result = score_clip(Breaking(make_clip(), window=2), metrics, cache=FeatureCache(tmp_path))
    assert {s.status for s in result.scores} == {"failed"}
    assert {s.reason for s in result.scores} == {"clip: breaks off after 2 frames"}
    assert result.facts is None
    assert list(tmp_path.iterdir()) == []


def test_hdr_pictures_are_skipped_with_the_reason(started: list[int]) -> None:
    source = Counting(make_clip())
    source._inner._info = replace(source.info, sdr=False)
    scores = score_clip(source, [make_metric("p", ("t_brightness",)), make_metric("s", ("t_loudest",))]).scores
    assert [s.status for s in scores] == ["skipped", "ok"]
    assert "HDR" in scores[0].reason


def test_a_full_disk_is_not_swallowed(started: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(self: FeatureCache, key: FeatureKey, arrays: Arrays) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FeatureCache, "put", no_space)
    with pytest.raises(OSError, match="No space"):
        score_clip(MemorySource(make_clip()), [make_metric("one", ("t_brightness",))], cache=FeatureCache(tmp_path))
