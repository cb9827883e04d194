"""The formulas on stored arrays, against loops in torch that were written from the papers' definitions."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from eval import formulas
from eval.feature import NotMeasurable


def features(seed: int, frames: int, dimensions: int = 16, drift: float = 0.3) -> np.ndarray:
    """A clip's features, float32: a random walk, with lengths that are not 1."""
    rng = np.random.default_rng(seed)
    steps = drift * rng.normal(size=(frames, dimensions))
    return (rng.normal(size=dimensions) + np.cumsum(steps, axis=0)).astype(np.float32) * 7


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(cosine_similarity(torch.from_numpy(a).double(), torch.from_numpy(b).double(), dim=0))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("drift", [0.0, 0.3, 3.0])
def test_frame_consistency(seed: int, drift: float) -> None:
    clip = features(seed, 9, drift=drift)
    expected = 0.0
    for index in range(1, 9):
        expected += 0.5 * max(0.0, cosine(clip[index], clip[index - 1])) + 0.5 * max(0.0, cosine(clip[index], clip[0]))
    assert formulas.frame_consistency(clip) == pytest.approx(expected / 8, abs=1e-6)


def test_two_frames_are_one_pair_that_counts_twice() -> None:
    turned = np.array([[1.0, 0.0], [math.cos(1.0), math.sin(1.0)]])
    assert formulas.frame_consistency(turned) == pytest.approx(math.cos(1.0))
    assert formulas.frame_consistency(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 0.0
    with pytest.raises(NotMeasurable):
        formulas.frame_consistency(turned[:1])


@pytest.mark.parametrize("fps", [2.5, 8.0, 23.976])
def test_similarity_over_time(fps: float) -> None:
    clip, times = features(1, 70), np.arange(70) / fps
    expected: dict[float, float] = {}
    for distance in (1.0, 2.0, 4.0, 8.0, 16.0):
        found = {}
        for first, second in combinations(range(70), 2):
            off = abs(times[second] - times[first] - distance)
            if off <= 0.5 / fps + 1e-9 and off < found.get(first, (math.inf, 0.0))[0] - 1e-9:
                found[first] = (off, max(0.0, cosine(clip[first], clip[second])))
        if found:
            expected[distance] = float(np.mean([value for _, value in found.values()]))
    distances, similarities = formulas.similarity_over_time(clip, times)
    assert distances.tolist() == list(expected)
    assert similarities == pytest.approx(list(expected.values()), abs=1e-6)
    assert formulas.long_consistency(clip, times) == pytest.approx(np.mean(list(expected.values())), abs=1e-6)


def test_the_curve_falls_with_drift_and_is_flat_without() -> None:
    times = np.arange(80) / 8
    turning = np.column_stack([np.cos(0.1 * times), np.sin(0.1 * times)])
    distances, similarities = formulas.similarity_over_time(turning, times)
    assert distances.tolist() == [1, 2, 4, 8]
    assert similarities == pytest.approx(np.cos(0.1 * distances), abs=1e-12)
    assert formulas.similarity_over_time(np.ones((80, 3)), times)[1] == pytest.approx(np.ones(4))


@pytest.mark.parametrize("times", [np.zeros(1), np.arange(8) / 8, np.zeros(8)])
def test_a_clip_under_a_second_has_no_long_horizon(times: np.ndarray) -> None:
    with pytest.raises(NotMeasurable, match="1 s apart"):
        formulas.similarity_over_time(features(0, len(times)), times)


def test_variable_frame_rates_are_paired_by_time() -> None:
    times = np.array([0.0, 0.1, 1.0, 1.1, 5.0])
    distances, similarities = formulas.similarity_over_time(np.eye(5)[[0, 1, 0, 1, 2]], times)
    assert (distances.tolist(), similarities.tolist()) == ([1.0, 4.0], [1.0, 0.0])


@pytest.mark.parametrize("seed", range(3))
def test_share_moving(seed: int) -> None:
    rng = np.random.default_rng(seed)
    top, steps = rng.uniform(0, 0.05, 20), rng.uniform(0.1, 0.2, 20)
    seconds = sum(step * min(1.0, move / step / 0.1875) for move, step in zip(top, steps, strict=True))
    assert formulas.share_moving(top, steps) == pytest.approx(seconds / sum(steps), abs=1e-12)


def test_smoothness_and_imaging_quality_are_means() -> None:
    numbers = np.random.default_rng(0).uniform(0, 1, 1000).astype(np.float32)
    mean = math.fsum(numbers.tolist()) / 1000
    assert formulas.interpolation_smoothness(numbers) == pytest.approx(1 - mean, abs=1e-9)
    assert formulas.imaging_quality(100 * numbers) == pytest.approx(mean, abs=1e-6)
    with pytest.raises(NotMeasurable):
        formulas.interpolation_smoothness(np.zeros(0))


@pytest.mark.parametrize(("frames", "enough"), [(3, 1), (6, 2), (7, 2), (10, 2), (14, 4), (16, 4), (81, 20)])
def test_a_quarter_of_the_frames_must_move(frames: int, enough: int) -> None:
    """6, 10 and 14 are halves, which Python rounds to even, and so does VBench."""
    pairs = np.full(frames - 1, 6.0 * 480 / 256)
    assert not formulas.moves(pairs, 480), "the threshold itself is not above the threshold"
    pairs[: enough - 1] += 0.01
    assert not formulas.moves(pairs, 480)
    pairs[enough - 1] += 0.01
    assert formulas.moves(pairs[::-1], 480)
    assert not formulas.moves(pairs, 481)


@pytest.mark.parametrize("pairs", [0, 1])
def test_one_or_two_frames_are_not_called_dynamic(pairs: int) -> None:
    with pytest.raises(NotMeasurable, match="three sampled frames"):
        formulas.moves(np.full(pairs, 100.0), 64)


def test_clip_score_counts_every_frame_and_no_negative() -> None:
    clip, text = features(2, 11), features(3, 1)[0]
    scores = [100 * max(0.0, cosine(frame, text)) for frame in clip]
    assert min(scores) == 0.0 < max(scores)
    assert formulas.clip_score(clip, text) == pytest.approx(np.mean(scores), abs=1e-6)


def test_the_right_text_against_the_others() -> None:
    clip, right = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    worse, better = np.array([0.0, 1.0]), np.array([2.0, 1.0])
    assert formulas.share_beaten(clip, right, [worse, worse, better, right]) == (2 + 0.5) / 4
    assert formulas.share_beaten(clip, right, np.stack([worse])) == 1.0
    with pytest.raises(NotMeasurable, match="two different prompts"):
        formulas.share_beaten(clip, right, [])


def test_a_pooled_clip_does_not_follow_its_longest_frame() -> None:
    clip = np.array([[1.0, 0.0], [0.0, 1000.0]])
    assert formulas.pooled(clip) == pytest.approx([math.sqrt(0.5)] * 2)


@pytest.mark.parametrize("spoil", [np.nan, np.inf, 0.0])
def test_broken_features_are_errors_and_never_numbers(spoil: float) -> None:
    clip, times = features(0, 20), np.arange(20) / 8
    clip[7] = spoil
    for call in (
        lambda: formulas.frame_consistency(clip),
        lambda: formulas.long_consistency(clip, times),
        lambda: formulas.clip_score(clip, clip[0]),
        lambda: formulas.clip_score(clip[:3], clip[7]),
        lambda: formulas.pooled(clip),
        lambda: formulas.share_beaten(clip[0], clip[1], clip[2:]),
    ):
        with pytest.raises(FloatingPointError, match="NaN, infinite or zero"):
            call()
    with pytest.raises(FloatingPointError):
        formulas.moves(np.array([np.nan] * 9), 64)
