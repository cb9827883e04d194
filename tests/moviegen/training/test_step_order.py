"""The order of clips: shares exact, every row once an epoch, nothing but the step matters."""

from __future__ import annotations

from collections import Counter

import torch

from moviegen.training.step_order import StepOrder, cycle, generator


def test_buckets_come_as_often_as_their_shares_say_and_evenly() -> None:
    places = cycle((0.75, 0.08, 0.04, 0.03, 0.1))
    assert Counter(places) == {0: 75, 1: 8, 2: 4, 3: 3, 4: 10}
    gaps = [b - a for a, b in zip(*[[k for k, p in enumerate(places) if p == 4][i:] for i in (0, 1)], strict=False)]
    assert max(gaps) <= 14


def test_every_row_comes_once_in_each_epoch() -> None:
    order = StepOrder((1.0,), (12,), (4,), seed=0)
    epochs = [[row for step in range(3 * e, 3 * e + 3) for row in order(step)[1]] for e in range(4)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_batches_run_on_across_epochs() -> None:
    order = StepOrder((1.0,), (5,), (4,), seed=0)
    rows = [row for step in range(5) for row in order(step)[1]]
    assert Counter(rows) == dict.fromkeys(range(5), 4)


def test_each_bucket_goes_through_its_own_rows_across_cycles() -> None:
    order = StepOrder((0.7, 0.3), (50, 7), (3, 3), seed=1)
    rows = [row for step in range(140) for bucket, some in [order(step)] if bucket == 1 for row in some]
    counts = Counter(rows).values()
    assert max(counts) - min(counts) <= 1


def test_each_bucket_has_its_own_batch() -> None:
    order = StepOrder((0.5, 0.5), (50, 70), (2, 9), seed=1)
    assert {(bucket, len(rows)) for bucket, rows in map(order, range(20))} == {(0, 2), (1, 9)}


def test_only_step_and_seed_matter() -> None:
    first, second = (StepOrder((0.6, 0.4), (30, 20), (4, 4), seed=5) for _ in range(2))
    backwards = [second(step) for step in reversed(range(250))]
    assert [first(step) for step in range(250)] == backwards[::-1]
    assert first(3) != StepOrder((0.6, 0.4), (30, 20), (4, 4), seed=6)(3)


def test_steps_have_randomness_of_their_own() -> None:
    draws = {torch.rand((), generator=generator(seed, step)).item() for seed in range(3) for step in range(100)}
    assert len(draws) == 300
