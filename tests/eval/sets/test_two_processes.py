"""Set metrics over torch.distributed; test_metrics.py has the fast twin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from eval.sets.metrics import FrechetDistance, KernelDistance
from eval.sets.set_metric import FeatureMetric, MomentMetric

HOME = Path(__file__).resolve().parents[3]


def features(seed: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(120, 4, generator=torch.Generator().manual_seed(seed)) + shift


def both() -> list[MomentMetric | FeatureMetric]:
    return [FrechetDistance(4), KernelDistance(4)]


def work(rank: int, folder: str) -> None:
    """The second process sees no generated clip at all: peers hang there."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    metrics = both()
    for metric in metrics:
        metric.update(features(0)[rank::2], real=True)
        if rank == 0:
            metric.update(features(1, 0.5), real=False)
    found = [(estimate.value, estimate.low, estimate.high) for estimate in (metric.estimate() for metric in metrics)]
    torch.save([found, [metric.compute().item() for metric in metrics]], f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    processes = [
        subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)], env=environment) for rank in (0, 1)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    expected = []
    for metric in both():
        metric.update(features(0), real=True)
        metric.update(features(1, 0.5), real=False)
        expected.append(metric.estimate())
    for rank in (0, 1):
        found, computed = torch.load(tmp_path / f"{rank}.pt")
        for one, estimate in zip(found, expected, strict=True):
            assert one == pytest.approx((estimate.value, estimate.low, estimate.high), abs=1e-9)
        assert computed == pytest.approx([estimate.value for estimate in expected], abs=1e-9)


if __name__ == "__main__":
    work(int(sys.argv[1]), sys.argv[2])
