"""Every set metric against sets whose answer is known, and against sets that have none.

Shape legend: N clips, S samples of a clip, D dimensions.
"""

from __future__ import annotations

import numpy as np
import pytest

from eval.distribution.clip_set import BATCH, ClipSet
from eval.distribution.forensic import SEPARABILITY
from eval.distribution.measures import EVERY, FRECHET, NEIGHBOURS, diversity, frechet_distance, frechet_limit, of_size
from eval.distribution.spec import SET_METRICS
from eval.sets.validity import UnmeasurableSet

DISTANCES = [*(measure for measure in EVERY if measure.family == "distribution"), SEPARABILITY]
IDS = [measure.suffix for measure in DISTANCES]
D = 6


def drawn(clips: int, *, seed: int, shift: float = 0.0, spread: float = 1.0, rows: int = 1) -> ClipSet:
    """Gaussian clips, each a case of its own, with `rows` samples each."""
    random = np.random.default_rng(seed)
    samples_NSD = shift + spread * random.normal(size=(clips, rows, D))
    return ClipSet(list(samples_NSD.astype(np.float32)), range(clips))


REAL = drawn(300, seed=0)


@pytest.mark.parametrize("measure", DISTANCES, ids=IDS)
def test_one_distribution_is_best_and_damage_only_worsens(measure):
    """Equal sets, then ever more shifted ones; the ends are what the definitions say."""
    estimates = [measure.function(REAL, drawn(300, seed=1, shift=shift)) for shift in (0.0, 0.7, 2.0, 12.0)]
    values = [estimate.value for estimate in estimates]
    assert all(estimate.ranks for estimate in estimates)
    assert values == sorted(values, reverse=measure in NEIGHBOURS)
    best, worst = {
        "frechet_distance": (0.2, 12.0**2 * D),
        "frechet_limit": (0.0, 12.0**2 * D),
        "kernel_distance": (0.0, 12.0**6),
        "precision": (0.9, 0.0),
        "recall": (0.9, 0.0),
        "density": (1.0, 0.0),
        "coverage": (0.97, 0.0),
        "separability": (0.5, 1.0),
    }[measure.suffix]
    assert values[0] == pytest.approx(best, abs=0.1)
    if measure.suffix != "kernel_distance":
        assert values[-1] == pytest.approx(worst, rel=0.05, abs=0.01)
    for estimate in estimates:
        assert estimate.low - 1e-12 <= estimate.value <= estimate.high + 1e-12
        assert measure.low <= estimate.value <= measure.high


@pytest.mark.parametrize("measure", DISTANCES, ids=IDS)
def test_sets_that_have_no_number_say_why(measure):
    good = drawn(60, seed=1)
    one = good.only([0])
    copies = ClipSet([good.samples[0]] * 60, range(60))
    broken = ClipSet([*good.samples[:59], np.full((1, D), np.nan, np.float32)], range(60))
    wide = ClipSet([np.zeros((1, D + 1), np.float32)] * 60, range(60))
    for generated, says in (
        (one, "holds 1 clip"),
        (copies, "same features"),
        (broken, "1 of 60 generated features are NaN"),
        (wide, "7 dimensions, not 6"),
        (ClipSet([], []), "is empty"),
    ):
        with pytest.raises(UnmeasurableSet, match=says):
            measure.function(REAL, generated)
    with pytest.raises(UnmeasurableSet, match="real"):
        measure.function(copies, good)


@pytest.mark.parametrize("measure", DISTANCES, ids=IDS)
def test_too_few_clips_are_not_ranked(measure):
    few = measure.function(REAL, drawn(11, seed=1))
    assert not few.ranks
    assert "11" in few.caveat
    assert few.low is None or few.low <= few.value


@pytest.mark.parametrize("measure", NEIGHBOURS, ids=[measure.suffix for measure in NEIGHBOURS])
def test_neighbours_compare_sets_of_one_size(measure):
    """60 clips cannot cover 3,000; of one distribution they cover 60."""
    estimate = measure.function(drawn(3000, seed=2), drawn(60, seed=1))
    assert estimate.value > 0.8
    assert estimate.samples == 60


def test_real_clips_are_taken_in_one_fixed_order():
    small, large = of_size(REAL, 20), of_size(REAL, 40)
    assert small.clips == 20
    assert set(small.cases) < set(large.cases)
    assert list(small.cases) == sorted(small.cases)
    assert of_size(REAL, 300) is REAL


@pytest.mark.parametrize("function", [frechet_distance, frechet_limit])
def test_frames_are_samples_and_clips_are_the_evidence(function):
    """Many frames of few clips: as many numbers as dimensions ask for, and still too few clips."""
    real, generated = drawn(400, seed=0, rows=5), drawn(11, seed=1, rows=20)
    estimate = function(real, generated)
    assert estimate.samples == 11 * 20
    assert (
        estimate.caveat
        == f"11 clips, whose frames are alike, and {2 * D if function is frechet_distance else 5 * D} are needed"
    )
    assert function(real, drawn(100, seed=1, rows=3)).ranks


def seeds_of(spread: float, cases: int = 8, seeds: int = 4) -> ClipSet:
    """Cases far apart, whose seeds lie `spread` apart."""
    random = np.random.default_rng(3)
    centres_CD = random.normal(size=(cases, 1, D))
    samples_CSD = (centres_CD + spread * random.normal(size=(cases, seeds, D))).astype(np.float32)
    return ClipSet(list(samples_CSD.reshape(-1, 1, D)), [case for case in range(cases) for _ in range(seeds)])


def test_diversity_rises_with_the_spread_of_seeds():
    values = [diversity(REAL, seeds_of(spread)) for spread in (0.01, 0.3, 1.0, 30.0)]
    assert [estimate.value for estimate in values] == sorted(estimate.value for estimate in values)
    assert values[0].value == pytest.approx(1.0, abs=0.01)
    assert 2.5 < values[-1].value <= 4
    assert values[0].samples == 8
    assert all(estimate.ranks for estimate in values)


def test_diversity_is_about_the_real_mean():
    """Far from the origin every cosine is near 1: the common centre takes that away."""
    far, near = (
        diversity(
            ClipSet([sample + offset for sample in REAL.samples], REAL.cases),
            ClipSet([sample + offset for sample in seeds_of(0.5).samples], seeds_of(0.5).cases),
        )
        for offset in (np.float32(50.0), np.float32(0.0))
    )
    assert far.value == pytest.approx(near.value, abs=1e-3)


def test_diversity_refuses_copies_unequal_seeds_and_few_cases():
    good = seeds_of(0.5)
    copied = ClipSet([*good.samples[:28], *[good.samples[0]] * 4], good.cases)
    for generated, says in (
        (copied, "seed ignored"),
        (good.only(range(31)), "3 to 4 seeds"),
        (ClipSet([], []), "empty"),
    ):
        with pytest.raises(UnmeasurableSet, match=says):
            diversity(REAL, generated)
    with pytest.raises(UnmeasurableSet, match="real set is empty"):
        diversity(ClipSet([], []), good)
    assert not diversity(REAL, good.only(range(16))).ranks


def test_batches_do_not_change_a_number():
    """Also where one batch ends inside the set, and where one clip is more than a batch."""
    clips = drawn(3 * BATCH + 7, seed=5)
    joined = np.concatenate([features_ND for features_ND, _ in clips.batches()])
    np.testing.assert_array_equal(joined, np.concatenate(list(clips.samples)))
    assert [len(cases_N) for _, cases_N in clips.batches()] == [BATCH, BATCH, BATCH, 7]
    long = drawn(2, seed=5, rows=BATCH + 1)
    assert [cases_N.tolist()[0] for _, cases_N in long.batches()] == [0, 1]


def test_names_ranges_and_texts_of_every_set_metric():
    for metric in SET_METRICS:
        spec = metric.spec
        assert spec.low < spec.high
        assert all((spec.summary, spec.source, spec.blind_spots))
        assert spec.array.endswith("D")
        if spec.sample == "part":
            assert metric.function in {measure.function for measure in FRECHET}, "other measures take clips"
    assert {"fvd", "fvd_limit", "backlot_diversity", "videomae_kernel_distance", "separability"} <= set(
        SET_METRICS.names()
    )
