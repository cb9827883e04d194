"""Several clips in flight: networks share batches over them, and every clip's numbers are those it has alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from eval.cache import FeatureCache
from eval.clip import Clip, ClipError, ClipInfo, MemorySource, SoundChunk, StreamFacts, Window
from eval.encoders.accumulators import FrameEncoding
from eval.encoders.runner import Runner
from eval.feature import FEATURES, Feature
from eval.metric import Measured, Metric, MetricSpec
from eval.planner import ClipScorer, ClipToScore, score_clips

LENGTHS = (5, 12, 3, 1, 9, 7)
BATCH = 8


class Sums:
    """The mean and the largest value of each frame, and the size of each batch."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, frames: Tensor) -> Tensor:
        self.batches.append(len(frames))
        flat = frames.flatten(1).float()
        rows = torch.stack([flat.mean(dim=1), flat.amax(dim=1)], dim=1)
        return torch.where(flat[:, :1] == 77, torch.nan, rows)


class Breaking(MemorySource):
    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        yield next(iter(super().stream(picture=picture, sound=sound)))
        raise ClipError("clip: breaks off")


def clip(frames: int, size: int = 24) -> Clip:
    random = np.random.default_rng(frames)
    frames_TCHW = random.integers(80, 256, (frames, 3, size, 32), dtype=np.uint8)
    return Clip(frames_TCHW, 8.0)


@pytest.fixture
def encode(monkeypatch: pytest.MonkeyPatch) -> Sums:
    """Registers the feature `t_sums` for one test, computed in batches of eight."""
    sums = Sums()
    runner = Runner("sums", sums, device="cpu", batch=BATCH)

    def start(_info: ClipInfo) -> FrameEncoding:
        return FrameEncoding(runner)

    FEATURES.names()  # load the real ones before they are copied
    parts = FEATURES._parts | {"t_sums": Feature("t_sums", 1, "picture", start, encoder="sums")}
    monkeypatch.setattr(FEATURES, "_parts", parts)
    return sums


def metric(column: int) -> Metric:
    spec = MetricSpec(f"m{column}", 1, "picture", "1", 0.0, 255.0, "band", ("t_sums",), "test", "test", "test")

    def function(measured: Measured) -> float:
        return float(measured["t_sums"]["features_TD"][:, column].mean())

    return Metric(spec, function)


METRICS = (metric(0), metric(1))


def values(sources: list[MemorySource], ahead: int) -> list[tuple[float | None, ...]]:
    scored = score_clips([ClipToScore(source) for source in sources], METRICS, ahead=ahead)
    return [tuple(score.value for score in one.scores) for one in scored]


@pytest.mark.parametrize("ahead", [1, 2, 5, 50])
def test_numbers_are_those_of_one_clip_after_another(encode: Sums, ahead: int) -> None:
    sources = [MemorySource(clip(frames)) for frames in LENGTHS]
    alone = values(sources, ahead=0)
    assert all(value is not None for row in alone for value in row)
    encode.batches.clear()
    together = values(sources, ahead)
    np.testing.assert_allclose(np.array(together, float), np.array(alone, float), rtol=1e-6)
    assert sum(encode.batches) == sum(LENGTHS), "every frame is encoded once"


def test_clips_fill_batches_together(encode: Sums) -> None:
    values([MemorySource(clip(frames)) for frames in LENGTHS], ahead=50)
    assert encode.batches == [BATCH] * (sum(LENGTHS) // BATCH) + [sum(LENGTHS) % BATCH]


def test_one_clips_failure_costs_the_others_nothing(encode: Sums) -> None:
    poisoned = clip(9)
    poisoned.frames_TCHW[4] = 77
    sources = [MemorySource(clip(3)), MemorySource(poisoned), Breaking(clip(12), window=5), MemorySource(clip(7))]
    scored = list(score_clips([ClipToScore(source) for source in sources], METRICS, ahead=3))
    alone = values([sources[0], sources[3]], ahead=0)
    found = [tuple(score.value for score in one.scores) for one in scored]
    assert found[0] == pytest.approx(alone[0])
    assert found[3] == pytest.approx(alone[1])
    assert {score.status for one in scored[1:3] for score in one.scores} == {"failed"}
    assert all("NaN or infinite" in score.reason for score in scored[1].scores)
    assert {score.reason for score in scored[2].scores} == {"clip: breaks off"}


def test_results_come_in_order_as_soon_as_so_many_clips_are_in_flight(encode: Sums) -> None:
    scorer = ClipScorer(METRICS, ahead=2)
    sources = [MemorySource(clip(frames), name=str(frames)) for frames in LENGTHS]
    given = [scorer.add(ClipToScore(source)) for source in sources]
    assert [one and one.info.name for one in given] == [None, None, "5", "12", "3", "1"]
    assert [one.info.name for one in scorer.finish()] == ["9", "7"]


def test_the_same_clip_twice_in_flight_is_decoded_and_encoded_once(encode: Sums, tmp_path: Path) -> None:
    sources = [MemorySource(clip(frames)) for frames in (5, 7, 5, 3)]
    clips = [ClipToScore(source) for source in sources]
    scored = list(score_clips(clips, METRICS, cache=FeatureCache(tmp_path), ahead=3))
    assert [one.decodes for one in scored] == [1, 1, 0, 1]
    assert [one.computed for one in scored] == [("t_sums",), ("t_sums",), (), ("t_sums",)]
    assert sum(encode.batches) == 5 + 7 + 3
    assert [score.value for score in scored[2].scores] == [score.value for score in scored[0].scores]


def test_sizes_do_not_mix(encode: Sums) -> None:
    sources = [MemorySource(clip(frames, size=20 + 4 * (frames % 3))) for frames in LENGTHS]
    alone = values(sources, ahead=0)
    np.testing.assert_allclose(np.array(values(sources, ahead=4), float), np.array(alone, float), rtol=1e-6)
