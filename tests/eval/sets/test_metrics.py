"""Set metrics as torchmetrics.Metric: streaming, merging, refusing, memory."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torchmetrics import Metric as TorchMetric
from torchmetrics import MetricCollection

from eval.sets.frechet import frechet_distance
from eval.sets.kernel import kernel_distance, kernel_sums
from eval.sets.metrics import (
    FrechetDistance,
    FrechetLimit,
    KernelDistance,
    NeighbourMeasure,
    VendiScore,
    mean_over_samples,
)
from eval.sets.neighbours import neighbourhood
from eval.sets.set_metric import FeatureMetric, MomentMetric
from eval.sets.validity import UnmeasurableSet

PAIRED: dict[str, Callable[[], MomentMetric | FeatureMetric]] = {
    "frechet": lambda: FrechetDistance(6),
    "frechet_limit": lambda: FrechetLimit(6),
    "kernel": lambda: KernelDistance(6),
    "precision": lambda: NeighbourMeasure("precision", 6),
    "recall": lambda: NeighbourMeasure("recall", 6),
    "density": lambda: NeighbourMeasure("density", 6),
    "coverage": lambda: NeighbourMeasure("coverage", 6),
}
paired = pytest.mark.parametrize("make", PAIRED.values(), ids=PAIRED)


def normal(seed: int, samples: int, shift: float = 0.0, dimensions: int = 6) -> torch.Tensor:
    return torch.randn(samples, dimensions, generator=torch.Generator().manual_seed(seed)) + shift


REAL, GENERATED = normal(0, 150), normal(1, 130, 0.5)


def filled(metric: Any, real: torch.Tensor = REAL, generated: torch.Tensor = GENERATED, batch: int = 32) -> Any:
    for rows in real.split(batch):
        metric.update(rows, real=True)
    for rows in generated.split(batch):
        metric.update(rows, real=False)
    return metric


def numbers(metric: Any) -> list[float]:
    found = metric.estimate()
    assert found.low is not None
    return [found.value, found.low, found.high]


def test_streamed_values_are_those_of_the_functions() -> None:
    assert filled(FrechetDistance(6)).compute().item() == pytest.approx(frechet_distance(REAL, GENERATED), abs=1e-9)
    assert filled(KernelDistance(6)).compute().item() == pytest.approx(kernel_distance(REAL, GENERATED), abs=1e-12)
    around = neighbourhood(REAL, GENERATED)
    assert filled(NeighbourMeasure("recall", 6)).compute() == around.recall_N.mean()
    assert filled(NeighbourMeasure("density", 6)).compute() == around.density_M.mean()


@paired
def test_batches_and_order_change_neither_value_nor_interval(make: Callable[[], Any]) -> None:
    shuffled = REAL[torch.randperm(len(REAL), generator=torch.Generator().manual_seed(0))]
    assert numbers(filled(make(), shuffled, GENERATED.flip(0), 7)) == pytest.approx(numbers(filled(make())), abs=1e-9)


@paired
def test_two_halves_merge_to_the_whole(make: Callable[[], Any]) -> None:
    first, second = filled(make(), REAL[:100], GENERATED[:30]), filled(make(), REAL[100:], GENERATED[30:])
    first.merge_state(second)
    assert numbers(first) == pytest.approx(numbers(filled(make())), abs=1e-9)


@paired
def test_synchronised_states_are_the_whole_and_then_restored(make: Callable[[], Any]) -> None:
    """What torch.distributed would gather, handed over without it: this process, a second, and one that saw nothing."""
    other, idle = filled(make(), REAL[100:], GENERATED[70:]), make()
    metric = filled(make(), REAL[:100], GENERATED[:70])
    alone = numbers(metric)
    metric.distributed_available_fn = lambda: True
    metric.dist_sync_fn = gathering(other, idle)
    assert numbers(metric) == pytest.approx(numbers(filled(make())), abs=1e-9)
    metric.distributed_available_fn = lambda: False
    assert numbers(metric) == alone


def gathering(*others: TorchMetric) -> Callable[..., list[torch.Tensor]]:
    """A gather that is asked for one state after the other, in their order."""
    states = [[getattr(other, name) for name in other._defaults] for other in others]
    flat = [[torch.cat(s) if isinstance(s, list) and s else s for s in process] for process in states]
    queue = itertools.cycle(zip(*[[torch.tensor([]) if s == [] else s for s in f] for f in flat], strict=True))
    return lambda mine, group=None: [mine, *next(queue)]


@paired
def test_sets_that_have_no_number_say_why(make: Callable[[], Any]) -> None:
    for real, generated, reason in (
        (REAL, GENERATED[:1], "generated set holds 1 clip"),
        (REAL[:1], GENERATED, "real set holds 1 clip"),
        (REAL[:0], GENERATED, "real set is empty"),
        (REAL, GENERATED[:1].expand(20, 6), "all 20 generated clips have the same features"),
        (REAL[:1].expand(20, 6), GENERATED, "all 20 real clips have the same features"),
    ):
        metric = filled(make(), real, generated)
        with pytest.raises(UnmeasurableSet, match=reason) as refusal:
            metric.estimate()
        assert "\n" not in str(refusal.value)
        with pytest.warns(UserWarning, match=reason):
            assert math.isnan(metric.compute())


@paired
def test_bad_features_are_refused_before_they_are_added(make: Callable[[], Any]) -> None:
    metric = filled(make())
    before = numbers(metric)
    with pytest.raises(UnmeasurableSet, match="1 of 4 generated features are NaN or infinite"):
        metric.update(torch.cat([normal(2, 3), torch.full((1, 6), torch.inf)]), real=False)
    with pytest.raises(UnmeasurableSet, match="real features have 7 dimensions, not 6: use one encoder"):
        metric.update(normal(2, 4, dimensions=7), real=True)
    metric.update(normal(2, 0), real=True)
    assert numbers(metric) == before


@paired
def test_few_samples_are_not_ranked(make: Callable[[], Any]) -> None:
    metric = filled(make(), REAL[:10], GENERATED[:10])
    found = metric.estimate()
    assert not found.ranks
    assert str(found).startswith("not ranked: 10 ")
    with pytest.warns(UserWarning, match="not ranked: 10 "):
        assert math.isnan(metric.compute())


@pytest.mark.filterwarnings("ignore:.*set is empty:UserWarning")  # forward's value of a batch of one set
@paired
def test_forward_reset_and_pickle(make: Callable[[], Any]) -> None:
    metric = make()
    metric(REAL, real=True)
    for rows in GENERATED.split(50):
        metric(rows, real=False)
    assert numbers(metric) == pytest.approx(numbers(filled(make())), abs=1e-9)
    # How torchmetrics and data loaders send metrics between processes; the bytes are our own.
    assert numbers(pickle.loads(pickle.dumps(metric))) == numbers(metric)
    metric.reset()
    assert numbers(filled(metric, REAL, GENERATED + 1)) == pytest.approx(
        numbers(filled(make(), REAL, GENERATED + 1)), abs=1e-9
    )


@pytest.mark.parametrize("make", [FrechetDistance, KernelDistance])
def test_clips_of_one_case_widen_the_interval(make: type[FrechetDistance] | type[KernelDistance]) -> None:
    """Ten nearly equal clips of each of 40 cases are 40 pieces of evidence, not 400."""
    cases = torch.arange(40).repeat_interleave(10)
    noise = normal(3, 400) * 0.05
    generated, real = normal(2, 40, 0.5)[cases] + noise, normal(4, 40)[cases] + noise.flip(0)
    apart, together = make(6), make(6)
    for features, is_real in ((real, True), (generated, False)):
        apart.update(features, real=is_real)
        together.update(features, real=is_real, cases_N=cases)
    assert numbers(together)[0] == pytest.approx(numbers(apart)[0], abs=1e-9)
    assert width(together) > 1.3 * width(apart)


def width(metric: Any) -> float:
    _, low, high = numbers(metric)
    return high - low


@pytest.mark.parametrize("proportion", [True, False])
def test_what_clips_of_one_case_agree_on_counts_less(proportion: bool) -> None:
    """40 cases, ten clips each, all 1 or all 0: the error is that of 40 throws, about sqrt(10) that of 400."""
    values = (torch.arange(40) % 2).repeat_interleave(10).double()
    generator = torch.Generator().manual_seed(0)
    apart = mean_over_samples(values, torch.randint(20, (400,), generator=generator), 20, proportion)
    by_case = torch.randint(20, (40,), generator=generator).repeat_interleave(10)
    together = mean_over_samples(values, by_case, 20, proportion)
    assert apart.value == together.value == 0.5
    assert apart.low is not None
    assert together.low is not None
    assert (0.5 - together.low) > 1.5 * (0.5 - apart.low)


def test_they_share_their_states_in_a_collection() -> None:
    together = MetricCollection({name: make() for name, make in PAIRED.items()})
    together.update(REAL, real=True)
    together.update(GENERATED, real=False)
    found = together.compute()
    for name, make in PAIRED.items():
        assert found[name].item() == pytest.approx(filled(make()).compute().item(), abs=1e-9), name
    assert len(together.compute_groups) < len(PAIRED)


@pytest.mark.parametrize("make", [FrechetDistance, FrechetLimit])
def test_moments_keep_their_size(make: type[FrechetDistance]) -> None:
    metric = make(32)
    sizes = []
    for round_number in range(3):
        for seed in range(20):
            metric.update(normal(100 * round_number + seed, 64, dimensions=32), real=seed % 2 == 0)
        sizes.append(sum(state.numel() * state.element_size() for state in metric.metric_state.values()))
    assert sizes == [2 * 10 * 33 * 33 * 8] * 3


class LargestTensor(TorchDispatchMode):
    """Watches every operation and remembers the most numbers that one of them returned."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else (result,):
            if isinstance(part, torch.Tensor) and part._base is None:
                self.numel = max(self.numel, part.numel())
        return result


def test_pairs_are_worked_off_in_blocks() -> None:
    """3000 x 3000 pairs: nothing larger than one block of them, or one block of features, is ever made."""
    real, generated, block = normal(0, 3000), normal(1, 3000), 256
    group = torch.zeros(3000, dtype=torch.int64)
    with LargestTensor() as kernel:
        kernel_sums(real, generated, group, group, 1, block)
    assert kernel.numel == block * block
    with LargestTensor() as near:
        neighbourhood(real, generated, 5, block)
    assert block * block <= near.numel <= block * (block + 5)


class TestVendi:
    def cases(self, count: int = 12, seeds: int = 6) -> list[torch.Tensor]:
        return [normal(10 + case, seeds, shift=0.5) for case in range(count)]

    def filled(self, cases: list[torch.Tensor]) -> VendiScore:
        metric = VendiScore()
        for features in cases:
            metric.update(features)
        return metric

    def test_mean_over_cases_with_an_interval(self) -> None:
        found = self.filled(self.cases()).estimate()
        assert found.low is not None
        assert found.high is not None
        assert 1 < found.low < found.value < found.high < 6
        assert (found.samples, found.ranks) == (12, True)

    def test_halves_merge_and_synchronise(self) -> None:
        whole = numbers(self.filled(self.cases()))
        first, second = self.filled(self.cases()[:5]), self.filled(self.cases()[5:])
        first.distributed_available_fn = lambda: True
        first.dist_sync_fn = gathering(second, VendiScore())
        assert numbers(first) == pytest.approx(whole, abs=1e-12)
        first.distributed_available_fn = lambda: False
        first.merge_state(second)
        assert numbers(first) == pytest.approx(whole, abs=1e-12)

    def test_few_cases_are_not_ranked_and_unequal_seeds_are_refused(self) -> None:
        few = self.filled(self.cases(3))
        assert str(few.estimate()).startswith("not ranked: 3 cases, and an interval needs 5")
        few.update(normal(0, 4))
        with pytest.raises(UnmeasurableSet, match="cases have 4 to 6 seeds"):
            few.estimate()
        with pytest.raises(UnmeasurableSet, match="set is empty"):
            VendiScore().estimate()

    def test_a_refused_case_adds_nothing(self) -> None:
        metric = self.filled(self.cases())
        before = numbers(metric)
        with pytest.raises(UnmeasurableSet, match="holds 1 clip"):
            metric.update(normal(0, 1))
        assert numbers(metric) == before
